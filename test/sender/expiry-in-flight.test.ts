// Batches that expire while a socket writes them: their memory must be nobody else's until it has let go.
// A batch whose slab is used again too early is stored in the wrong topic, with a valid checksum.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import type { TopicState } from '../../dist/accumulator/partition/topic-state.js'
import { startBroker } from '../../dist/testing/index.js'
import { partsOf } from '../helpers/accumulator-parts.js'
import { eventually } from '../helpers/eventually.js'
import { type Outcome, type RigOptions, SenderRig } from './rig.js'

const PARTITIONS = 40
/** Batches of each partition that expire: as many as may be in flight. */
const EXPIRING = 5
/** And that follow: more than the memory holds at once. */
const FOLLOWING = 12
const VALUE_BYTES = 60_000

const OPTIONS: RigOptions = {
  batchBytes: 64 * 1024,
  bufferBytes: 20 * 1024 * 1024,
  // One batch of each partition in a request.
  maxRequestBytes: PARTITIONS * 64 * 1024,
  requestTimeoutMs: 30_000,
}

const partitionsOf = (topic: TopicState) =>
  Array.from({ length: PARTITIONS }, (_, index) => topic.partition(index))

/** Between client and broker; goes deaf for what the client says when told so. */
class DeafProxy {
  private readonly pairs = new Set<{ client: Socket; upstream: Socket }>()
  private readonly server: Server

  constructor(target: () => number) {
    this.server = createServer(client => {
      const upstream = connect(target(), '127.0.0.1')
      const pair = { client, upstream }
      this.pairs.add(pair)
      client.pipe(upstream).pipe(client)
      for (const socket of [client, upstream]) {
        socket.on('error', () => {})
        socket.on('close', () => {
          client.destroy()
          upstream.destroy()
          this.pairs.delete(pair)
        })
      }
    })
  }

  async listen(): Promise<number> {
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve))
    return (this.server.address() as { port: number }).port
  }

  goDeaf(): void {
    for (const { client, upstream } of this.pairs) {
      client.unpipe(upstream)
      client.pause()
    }
  }

  hearAgain(): void {
    for (const { client, upstream } of this.pairs) client.pipe(upstream)
  }

  async close(): Promise<void> {
    for (const { client } of this.pairs) client.destroy()
    await new Promise(resolve => this.server.close(resolve))
  }
}

/** A value that tells where it belongs, and whether it is whole. */
function recordValue(topic: string, partition: number, sequence: number): Buffer {
  const place = `${topic}/${partition}/${sequence}|`
  const body = Buffer.alloc(VALUE_BYTES, place)
  const digest = createHash('md5').update(body).digest()
  return Buffer.concat([digest, body])
}

function check(topic: string, partition: number, value: Uint8Array): number {
  const bytes = Buffer.from(value)
  const body = bytes.subarray(16)
  assert.deepEqual(createHash('md5').update(body).digest(), bytes.subarray(0, 16), 'torn')
  const [place] = body.toString('latin1', 0, 100).split('|') as [string]
  const [recordTopic, recordPartition, sequence] = place.split('/')
  assert.deepEqual([recordTopic, Number(recordPartition)], [topic, partition], 'foreign')
  return Number(sequence)
}

interface Trial {
  /** Records of each partition that expired while their batches were written, and of what followed. */
  expired: number[][]
  followers: number[][]
  usedBytes: number
}

/** Lets 200 batches expire in the middle of a write and 480 others use the memory that comes back. */
async function expireInFlight(idempotent: boolean, sabotage: (rig: SenderRig) => void): Promise<Trial> {
  let port = 0
  const proxy = new DeafProxy(() => port)
  const proxyPort = await proxy.listen()
  await using broker = await startBroker({
    quiet: true,
    partitions: PARTITIONS,
    advertise: () => ({ host: '127.0.0.1', port: proxyPort }),
  })
  port = broker.nodes[0]?.port as number
  const rig = new SenderRig(broker, { ...OPTIONS, idempotent })
  const sendAll = (topic: TopicState, from: number, to: number) => {
    const sends: Promise<Outcome>[] = []
    for (let sequence = from; sequence < to; sequence++) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        sends.push(rig.send(topic, recordValue(topic.name, partition, sequence), partition))
      }
    }
    return Promise.all(sends)
  }
  const read = (topic: string) =>
    Array.from({ length: PARTITIONS }, (_, partition) =>
      Array.from(broker.records(topic, partition), ({ value }) =>
        check(topic, partition, value as Uint8Array),
      ),
    )
  try {
    const first = await rig.topic('first')
    const second = await rig.topic('second')
    for (const { error } of await sendAll(first, 0, 1)) assert.equal(error, null)
    sabotage(rig)
    proxy.goDeaf()
    const doomed = sendAll(first, 1, 1 + EXPIRING)
    await eventually('200 batches in flight', () => {
      const onWire = partitionsOf(first).reduce((sum, partition) => sum + partition.onWire, 0)
      return onWire === PARTITIONS * EXPIRING
    })
    rig.expireAfter(1)
    for (const { error } of await doomed) assert.match(error?.message as string, /in flight/)
    rig.expireAfter(60_000)
    const followers = sendAll(second, 0, FOLLOWING)
    proxy.hearAgain()
    for (const { error } of await followers) assert.equal(error, null)
    await eventually('all requests are answered', () =>
      partitionsOf(first).every(({ onWire }) => onWire === 0),
    )
    return { expired: read('first'), followers: read('second'), usedBytes: rig.usedBytes }
  } finally {
    await rig[Symbol.asyncDispose]()
    await proxy.close()
  }
}

const whole = (records: number) =>
  Array.from({ length: PARTITIONS }, () => Array.from({ length: records }, (_, i) => i))

for (const idempotent of [true, false]) {
  const mode = idempotent ? 'idempotent' : 'not idempotent'
  test(`200 batches that expire while being written arrive whole, as do those behind: ${mode}`, async () => {
    const { expired, followers, usedBytes } = await expireInFlight(idempotent, () => {})
    assert.deepEqual(expired, whole(1 + EXPIRING))
    assert.deepEqual(followers, whole(FOLLOWING))
    assert.equal(usedBytes, 0)
  })
}

test('the test above finds memory that is given back too early', async () => {
  await assert.rejects(async () => {
    const { expired } = await expireInFlight(true, ({ accumulator }) => {
      const { core } = partsOf(accumulator)
      // Nothing but the outcome holds a batch's memory.
      core.pin = () => {}
      core.unpin = () => false
    })
    assert.deepEqual(expired, whole(1 + EXPIRING))
  }, assert.AssertionError)
})
