import { setTimeout } from 'node:timers/promises'
import type { CLASS_NAMES } from './checker/checker.js'
import type { PlantName } from './client/plants.js'
import { InProcessGround } from './ground.js'
import type { Layout } from './layout.js'
import { burst, failedBeyond, PATIENCE_MS, settled, stallBehindLateConnection, warmUp } from './steps.js'
import { runTrial, type Stage, type TrialOptions, type TrialResult } from './trial.js'
import { waitUntil } from './wait.js'

/** A fault that a sound producer survives and one with the planted bug does not. */
export interface Control {
  plant: PlantName
  /** The class that the bug must show in; `failed` for records that should have been delivered and were not. */
  shows: (typeof CLASS_NAMES)[number]
  layout: Layout
  nodes?: number
  job: TrialOptions['job']
  script: (stage: Stage, ground: InProcessGround) => Promise<void>
}

const ONE: Layout = { topics: ['a'], partitions: 1 }
const BURST = 500
const SHORT = {
  'request.timeout.ms': 2000,
  'delivery.timeout.ms': 4000,
  'linger.ms': 0,
  'retry.backoff.ms': 20,
}
/** Exactly as many records as the scripts ask for, so that these can wait for them. */
const BURSTS = {
  isPaced: false,
  window: null,
  graceMs: 6000,
  styles: ['callback'],
  hasFreeLanes: false,
} as const

const SLAB = { partitions: 32, batchBytes: 65_536, recordsPerBatch: 900 }

export const CONTROLS: readonly Control[] = [
  {
    plant: 'slab freed at time-out',
    shows: 'foreign',
    layout: { topics: ['a', 'b'], partitions: SLAB.partitions },
    job: {
      ...BURSTS,
      payload: { min: 32, max: 32 },
      options: {
        ...SHORT,
        'enable.idempotence': false,
        // Nothing is sent twice: without idempotence that alone could double records.
        retries: 0,
        'max.in.flight.requests.per.connection': 30,
        'request.timeout.ms': 3000,
        'delivery.timeout.ms': 3000,
        'batch.size': SLAB.batchBytes,
        'max.request.size': SLAB.batchBytes * SLAB.partitions,
        'buffer.memory': SLAB.batchBytes * 256,
        'reconnect.backoff.ms': 1,
      },
    },
    // While batches of the first topic wait in the socket and time out, the second's look for memory.
    script: async (stage, ground) => {
      await warmUp(stage)
      const { partitions, recordsPerBatch } = SLAB
      const stored = () => ground.broker.counters().records
      const before = stored()
      // On a busy machine batches may time out before they are sent, or the connection before it is read from
      // again, which proves nothing: then once more.
      for (let round = 0; round < 5 && stored() === before; round++) {
        const failed = stage.log.totalSettled - stage.log.totalAcked
        const stall = await stallBehindLateConnection(ground, 1000, () => {
          for (let slot = 0; slot < partitions; slot++)
            stage.client.tell(`burst ${slot} ${recordsPerBatch * 5}`)
        })
        await failedBeyond(stage, failed + partitions * recordsPerBatch * 2)
        for (let slot = partitions; slot < partitions * 2; slot++) {
          stage.client.tell(`burst ${slot} ${recordsPerBatch * 3}`)
        }
        await setTimeout(300)
        stall.release()
        await settled(stage)
      }
    },
  },
  {
    plant: 'ack before reply',
    shows: 'lost',
    layout: ONE,
    job: { ...BURSTS, options: SHORT },
    script: async (stage, { proxy }) => {
      await warmUp(stage)
      proxy.swallow(true, ['in'])
      await burst(stage, 0, BURST)
      await waitUntil('batches are swallowed', PATIENCE_MS, () => proxy.counters.swallowedBytes > 10_000)
      proxy.swallow(false)
      proxy.disconnect()
      await settled(stage)
    },
  },
  {
    plant: 'resend with new sequence',
    shows: 'duplicated',
    layout: ONE,
    job: { ...BURSTS, options: SHORT },
    script: async (stage, { broker, proxy }) => {
      await warmUp(stage)
      const hold = proxy.hold(['out'])
      const stored = broker.counters().records
      await burst(stage, 0, BURST)
      await waitUntil('the burst is stored', PATIENCE_MS, () => broker.counters().records === stored + BURST)
      proxy.disconnect()
      hold.release()
      await settled(stage)
    },
  },
  {
    plant: 'two in flight before the first success',
    shows: 'reordered',
    layout: ONE,
    nodes: 2,
    job: { ...BURSTS, options: { ...SHORT, 'batch.size': 4096, 'max.in.flight.requests.per.connection': 2 } },
    // The first request fails. If a second is under way already it is stored, and its answer kept back while the
    // leader moves: the next leader refuses the first batch's sequence as out of order.
    script: async (stage, { broker }) => {
      broker.moveLeader('a', 0, 1)
      broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: 1 })
      let requests = 0
      let held: { release(): void } | undefined
      const stop = broker.onRequest(({ api, node }) => {
        if (api !== 'Produce' || node !== 1 || ++requests !== 2) return
        held = broker.hold({ api: 'Produce', node: 1 })
        setImmediate(() => broker.moveLeader('a', 0, 2))
      })
      await burst(stage, 0, BURST)
      await waitUntil('the second request has come', PATIENCE_MS, () => held !== undefined)
      await setTimeout(500)
      stop()
      held?.release()
      await settled(stage)
    },
  },
  {
    plant: 'two batches swapped',
    shows: 'reordered',
    layout: ONE,
    job: { ...BURSTS, options: { ...SHORT, 'batch.size': 1024 } },
    script: async stage => {
      await warmUp(stage)
      await burst(stage, 0, BURST)
      await settled(stage)
    },
  },
  {
    plant: 'one settlement dropped',
    shows: 'unsettled',
    layout: ONE,
    job: { ...BURSTS, graceMs: 1500, options: SHORT },
    script: async (stage, { broker }) => {
      await burst(stage, 0, BURST)
      await waitUntil('all is stored', PATIENCE_MS, () => broker.counters().records === BURST)
    },
  },
  {
    plant: 'promise of another batch',
    shows: 'offsetLie',
    layout: { topics: ['a', 'b'], partitions: 4 },
    // All ways of sending and all kinds of records at once: by themselves none of them shows it.
    job: { isPaced: false, window: null, graceMs: 6000, options: { ...SHORT, 'linger.ms': 5 } },
    script: async stage => {
      await warmUp(stage)
      const { client, log } = stage
      for (let round = 0; round < 10; round++) {
        for (let slot = 1; slot < log.slots; slot++) client.tell(`burst ${slot} ${BURST}`)
        await burst(stage, 0, BURST)
        await settled(stage)
      }
    },
  },
]

/** Runs a control with its bug or without. */
export async function runControl(control: Control, seed: number, isPlanted: boolean): Promise<TrialResult> {
  const { layout, job, nodes = 1, plant, script } = control
  await using ground = await InProcessGround.start({ nodes })
  await ground.createTopics(layout)
  const options = { layout, job, seed, ...(isPlanted ? { plant } : {}) }
  return await runTrial(ground, options, stage => script(stage, ground))
}
