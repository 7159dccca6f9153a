import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { decodeResponse, encodeResponse } from '../dist/protocol/header.js'
import { Produce, type ProducePartitionResponse, type ProduceResponse } from '../dist/protocol/produce.js'
import { CLASS_NAMES, type Verdict } from './checker/checker.js'
import { InProcessGround } from './ground.js'
import { exhaust } from './lanes/exhaust.js'
import type { Layout } from './layout.js'
import { Random } from './random.js'
import { describeResult } from './result.js'
import {
  ambiguous,
  burst,
  failedBeyond,
  PATIENCE_MS,
  settled,
  stallBehindLateConnection,
  warmUp,
} from './steps.js'
import { runTrial, type Stage, type TrialOptions } from './trial.js'
import { waitUntil } from './wait.js'

const SEED = 20261121
/** Records are sent when the test says so, however many. */
const BURSTS = { isPaced: false, window: null } as const

/** Runs a trial whose classes must all be 0, and answers its verdict. */
async function soundTrial(
  ground: InProcessGround,
  layout: Layout,
  job: TrialOptions['job'],
  script: (stage: Stage) => Promise<void>,
): Promise<Verdict> {
  const { verdict, report } = await runTrial(ground, { seed: SEED, layout, job }, script)
  for (const name of CLASS_NAMES) {
    assert.equal(verdict.classes[name], 0, `${name}, seed ${SEED}\n${verdict.examples.join('\n')}`)
  }
  assert.equal(report.broken, undefined)
  return verdict
}

describe('connections cut in every position', { timeout: 120_000 }, () => {
  const layout: Layout = { topics: ['a'], partitions: 2 }
  const ROUNDS = 8
  const RECORDS = 300
  const positions = {
    'before the request': { direction: 'in', afterBytes: 0 },
    'in the middle of its header': { direction: 'in', afterBytes: 20 },
    'in the middle of a batch': { direction: 'in', afterBytes: 1000 },
    'before the reply': { direction: 'out', afterBytes: 0 },
    'in the middle of the reply': { direction: 'out', afterBytes: 10 },
  } as const

  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    test(`with codec ${codec} nothing is lost, doubled or reordered`, async () => {
      await using ground = await InProcessGround.start()
      const { broker } = ground
      await ground.createTopics(layout)
      const options = { 'compression.type': codec, 'retry.backoff.ms': 5, 'reconnect.backoff.ms': 5 }
      let cuts = 0
      const verdict = await soundTrial(ground, layout, { ...BURSTS, options }, async stage => {
        await warmUp(stage)
        for (const position of Object.values(positions)) {
          for (let round = 0; round < ROUNDS; round++) {
            const { connections } = broker.counters()
            broker.cut(position)
            await burst(stage, round % 2, RECORDS)
            await settled(stage)
            cuts += broker.counters().connections - connections
          }
        }
      })
      assert.equal(verdict.acked, verdict.sent)
      assert.ok(cuts >= Object.keys(positions).length * ROUNDS, `${cuts} connections were made anew`)
    })
  }
})

test('a half-open broker is found within the request time-out and a second', {
  timeout: 60_000,
}, async () => {
  const layout: Layout = { topics: ['a'], partitions: 1 }
  const requestTimeoutMs = 1000
  await using ground = await InProcessGround.start()
  await ground.createTopics(layout)
  const { proxy } = ground
  const foundMs: number[] = []
  const options = { 'request.timeout.ms': requestTimeoutMs, 'linger.ms': 0 }
  const verdict = await soundTrial(ground, layout, { ...BURSTS, options }, async stage => {
    await warmUp(stage)
    for (let round = 0; round < 5; round++) {
      const { connections } = proxy.counters
      // Nothing is delivered any more, and nothing is closed.
      proxy.swallow(true)
      const startedAt = performance.now()
      await burst(stage, 0, 100)
      await waitUntil(
        'the request is given up',
        PATIENCE_MS,
        () => proxy.counters.connections > connections,
        2,
      )
      foundMs.push(performance.now() - startedAt)
      proxy.calm()
      proxy.disconnect()
      await settled(stage)
    }
  })
  assert.equal(verdict.acked, verdict.sent)
  assert.ok(proxy.counters.swallowedBytes > 0)
  for (const ms of foundMs) assert.ok(ms <= requestTimeoutMs + 1000, `found after ${foundMs.join(', ')} ms`)
})

test('a thousand batches time out in flight and none of their memory is sent as something else', {
  timeout: 120_000,
}, async () => {
  const partitions = 128
  const recordsPerBatch = 200
  const layout: Layout = { topics: ['a', 'b'], partitions }
  await using ground = await InProcessGround.start()
  await ground.createTopics(layout)
  const timeouts = { 'request.timeout.ms': 2500, 'delivery.timeout.ms': 2500, 'linger.ms': 0 }
  const sizes = { 'batch.size': 16_384, 'max.request.size': 4 << 20, 'buffer.memory': 16 << 20 }
  const options = { ...timeouts, ...sizes, 'reconnect.backoff.ms': 5, 'retry.backoff.ms': 5 }
  const verdict = await soundTrial(ground, layout, { ...BURSTS, graceMs: 20_000, options }, async stage => {
    const { client } = stage
    await warmUp(stage)
    for (let round = 0; ambiguous(stage) < 1000 * recordsPerBatch; round++) {
      // On a busy machine a round may find its batches timed out before they were sent.
      assert.ok(round < 20, `only ${ambiguous(stage)} records timed out in flight`)
      const before = stage.log.totalSettled - stage.log.totalAcked
      const stall = await stallBehindLateConnection(ground, 800, () => {
        for (let slot = 0; slot < partitions; slot++) client.tell(`burst ${slot} ${recordsPerBatch * 4}`)
      })
      await failedBeyond(stage, before)
      for (let slot = 0; slot < partitions; slot++)
        client.tell(`burst ${partitions + slot} ${recordsPerBatch}`)
      await setTimeout(round % 2 === 0 ? 200 : 1500)
      stall.release()
      await settled(stage)
    }
  })
  assert.ok(verdict.ambiguous >= 1000 * recordsPerBatch)
})

test('with memory exhausted for 20 s sends wait in turn, and memory stays within its bound', {
  timeout: 90_000,
}, async () => {
  await using ground = await InProcessGround.start({ nodes: 3 })
  const result = await exhaust(
    {
      client: 'millrace',
      seed: SEED,
      isSmall: true,
      isSerial: false,
      isService: false,
      records: undefined,
      seconds: undefined,
      faults: undefined,
      recordsPerSecond: undefined,
      say: () => {},
    },
    ground,
  )
  assert.ok(result.ok, describeResult(result))
})

/** What a reply is turned into; null: it never comes. */
type Mutation = (frame: Buffer, version: number, random: Random) => Buffer | null

/** Changes the entries of a Produce reply. */
function changed(
  change: (entries: ProducePartitionResponse[], random: Random) => ProducePartitionResponse[],
): Mutation {
  return (frame, version, random) => {
    const response: ProduceResponse = decodeResponse(Produce, version, frame.subarray(4))
    const responses = response.responses.map(topic => ({
      ...topic,
      partitionResponses: change([...topic.partitionResponses], random),
    }))
    return Buffer.from(encodeResponse(Produce, version, frame.readInt32BE(4), { ...response, responses }))
  }
}

/** Errors that a broker may give to a batch that it has stored. */
const ERRORS_AFTER_APPEND = [-1, 7, 19, 20, 6, 13, 56, 1234, 32767]

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'partition left out': changed(entries => entries.slice(1)),
  'no partition at all': changed(() => []),
  'partition twice': changed(entries => [...entries, ...entries]),
  'partition invented': changed(entries => [
    ...entries,
    { ...(entries[0] as ProducePartitionResponse), index: 4711 },
  ]),
  'partitions in another order': changed(entries => entries.reverse()),
  'negative partition': changed(entries => entries.map(entry => ({ ...entry, index: -1 }))),
  'error after the append': changed((entries, random) =>
    entries.map(entry => ({ ...entry, errorCode: random.pick(ERRORS_AFTER_APPEND), baseOffset: -1n })),
  ),
  'leader hint to nowhere': changed(entries =>
    entries.map(entry => ({
      ...entry,
      errorCode: 6,
      baseOffset: -1n,
      currentLeader: { leaderId: 99, leaderEpoch: 99 },
    })),
  ),
  'wrong correlation id': frame => {
    frame.writeInt32BE(frame.readInt32BE(4) ^ 0x40000000, 4)
    return frame
  },
  'the reply twice': frame => Buffer.concat([frame, frame]),
  truncated: (frame, _, random) => {
    const cut = frame.subarray(0, random.integer(8, frame.length - 1))
    cut.writeInt32BE(cut.length - 4, 0)
    return cut
  },
  'count beyond the frame': frame => {
    frame.fill(0xff, 8, Math.min(frame.length, 14))
    return frame
  },
  'negative length': frame => {
    frame.writeInt32BE(-2, 0)
    return frame
  },
  'absurd length': frame => {
    frame.writeInt32BE(0x7fffffff, 0)
    return frame
  },
}

/** Those that end the connection cost a reconnect each, so they are rarer. */
const MILD = 8

test('a hundred thousand mutated replies settle nothing wrongly', { timeout: 180_000 }, async () => {
  const REPLIES = 100_000
  const nodes = 4
  const layout: Layout = { topics: ['a', 'b'], partitions: 12 }
  await using ground = await InProcessGround.start({ nodes })
  await ground.createTopics(layout)
  const random = new Random(SEED)
  const names = Object.keys(MUTATIONS)
  const counts = new Map<string, number>()
  let mutated = 0
  ground.broker.mutateReply((api, version, frame) => {
    if (api !== 'Produce' || mutated >= REPLIES || random.next() < 0.1) return frame
    const name = random.next() < 0.98 ? random.pick(names.slice(0, MILD)) : random.pick(names)
    mutated++
    counts.set(name, (counts.get(name) ?? 0) + 1)
    return (MUTATIONS[name] as Mutation)(frame, version, random)
  })
  const backoffs = {
    'retry.backoff.ms': 1,
    'retry.backoff.max.ms': 1,
    'reconnect.backoff.ms': 1,
    'reconnect.backoff.max.ms': 1,
  }
  const options = { ...backoffs, 'linger.ms': 0, 'batch.size': 1024, 'request.timeout.ms': 3000 }
  const job = { recordsPerSecond: null, window: 100, options }
  const verdict = await soundTrial(ground, layout, job, async stage => {
    const { client } = stage
    const isOver = () => mutated >= REPLIES || client.isBroken || !client.isAlive
    await waitUntil('enough replies are mutated', 150_000, isOver)
  })
  assert.equal(mutated, REPLIES)
  assert.equal(counts.size, names.length, 'every kind of mutation took place')
  assert.ok(verdict.acked > 0)
})
