import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { ClusterClient } from '../../dist/cluster/cluster-client.js'
import { systemClock } from '../../dist/common/clock.js'
import { Producer } from '../../dist/index.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { Writer } from '../../dist/protocol/writer.js'
import { clusterOptions, RecordingLogger } from '../helpers/cluster-options.js'
import { eventually } from '../helpers/eventually.js'
import { metadataResponse, requestedTopics, ScriptedBroker } from '../helpers/scripted-broker.js'
import { FrameTimes } from './frame-times.js'

const VERSION = 13
/** For one frame. */
const LOOP_BLOCKED_MS_MAX = 50
const ROUNDS = 7
const MEMORY_BYTES_MAX = 200 * 1024 * 1024

interface Poison {
  brokers?: number
  topics?: number
  partitions?: number
  replicas?: number
  nameBytes?: number
}

/** A whole Metadata frame that advertises that much, made without an object for each; names topic `t` first. */
function poisoned(port: number, poison: Poison): Buffer {
  const { brokers = 1, topics = 1, partitions = 1, replicas = 1, nameBytes = 1 } = poison
  const w = new Writer()
  w.int32(0)
  w.int32(0)
  w.noTags()
  w.int32(0)
  w.uvarint(brokers + 1)
  for (let id = 1; id <= brokers; id++) {
    w.int32(id)
    w.string('127.0.0.1', true)
    w.int32(port)
    w.nullableString(null, true)
    w.noTags()
  }
  w.nullableString('cluster', true)
  w.int32(1)
  w.uvarint(topics + 1)
  for (let topic = 0; topic < topics; topic++) {
    w.int16(0)
    w.string(topic === 0 ? 't' : `${topic}`.padStart(nameBytes, 'x'), true)
    w.uuid(new Uint8Array(16).fill(1))
    w.bool(false)
    w.uvarint(partitions + 1)
    for (let partition = 0; partition < partitions; partition++) {
      w.int16(0)
      w.int32(partition)
      w.int32(1)
      w.int32(1)
      for (let list = 0; list < 2; list++) {
        w.uvarint(replicas + 1)
        for (let i = 0; i < replicas; i++) w.int32(1)
      }
      w.uvarint(1)
      w.noTags()
    }
    w.int32(0)
    w.noTags()
  }
  w.int16(0)
  w.noTags()
  const frame = Buffer.from(w.finish())
  frame.writeInt32BE(frame.length - 4, 0)
  return frame
}

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Serves the frame to every Metadata request; counts them. */
async function serving(poison: Poison): Promise<{ broker: ScriptedBroker; served: () => number }> {
  let served = 0
  const broker = await ScriptedBroker.start(request => {
    if (request.apiKey !== Metadata.key) return false
    assert.equal(request.version, VERSION)
    frame.writeInt32BE(request.correlationId, 4)
    request.socket.write(Buffer.from(frame))
    served++
    return true
  })
  const frame = poisoned(broker.port, poison)
  cleanups.push(() => broker.close())
  return { broker, served: () => served }
}

const refused: [what: string, poison: Poison, reason: RegExp][] = [
  ['100,000 brokers', { brokers: 100_000 }, /more elements than this client takes/],
  ['1,000,000 partitions', { partitions: 1_000_000, replicas: 0 }, /announces \d+ bytes|more elements/],
  ['400,000 partitions', { partitions: 400_000, replicas: 1 }, /more elements/],
  ['200,000 topics', { topics: 200_000 }, /more elements/],
  ['3,000,000 replicas', { partitions: 3, replicas: 500_000 }, /more elements/],
  ['a name of 100 KB', { topics: 2, nameBytes: 100_000 }, /a string of 100000 bytes/],
]

for (const [what, poison, reason] of refused) {
  test(`metadata with ${what} are refused, in little time and memory`, async () => {
    const { broker, served } = await serving(poison)
    const times = new FrameTimes()
    cleanups.push(() => times.restore())
    const client = new ClusterClient(clusterOptions([broker.address]))
    cleanups.push(() => client.close())
    const before = process.memoryUsage().rss
    client.trackTopic('t')
    await eventually('several refusals', () => served() > 4, 20_000)
    assert.equal(client.metadata.topic('t'), undefined)
    await eventually('the reason', () => reason.test(client.lastError?.message ?? ''))
    const used = process.memoryUsage().rss - before
    assert.ok(used < MEMORY_BYTES_MAX, `${used} bytes`)
    // One of them may have been in the way of a full garbage collection, or the first of its kind.
    assert.ok(times.over(LOOP_BLOCKED_MS_MAX) <= 1, `${times.longestMs} ms`)
  })
}

/** A count that is refused leaves the connection as it is; a frame that is too long ends it. */
const stormy: [brokers: number, partitions: number][] = [
  [1, 400_000],
  [3, 1_000_000],
]

for (const [brokers, partitions] of stormy) {
  test(`${brokers} broker(s) of ${partitions} partitions are asked at most twice a second`, async () => {
    const all = await Promise.all(Array.from({ length: brokers }, () => serving({ partitions, replicas: 1 })))
    const served = () => all.reduce((sum, each) => sum + each.served(), 0)
    const producer = new Producer({
      bootstrapServers: all.map(({ broker }) => `127.0.0.1:${broker.port}`),
      logger: new RecordingLogger(),
    })
    cleanups.push(() => producer.close({ timeoutMs: 0 }))
    const startedMs = performance.now()
    const sent = Array.from({ length: 20 }, (_, i) => producer.send({ topic: 't', value: `${i}` }))
    for (const promise of sent) promise.catch(() => {})
    await eventually('a first refusal', () => served() > 0)
    while (performance.now() - startedMs < 4000) {
      producer.send({ topic: 't', value: 'more' }).catch(() => {})
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    // The backoff begins with 100 ms and doubles up to a second.
    assert.ok(served() <= 10, `${served()} requests in 4 s`)
    const sockets = all.reduce((sum, { broker }) => sum + broker.sockets.length, 0)
    assert.ok(sockets <= 10 + brokers, `${sockets} connections in 4 s`)
  })
}

test('the largest metadata that are taken block the loop of a producer for at most 50 ms', async () => {
  const partitions = 14_000
  const times = new FrameTimes()
  cleanups.push(() => times.restore())
  const longestMs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    times.cpuMs.length = 0
    const { broker } = await serving({ partitions, replicas: 3 })
    const producer = new Producer({ bootstrapServers: `127.0.0.1:${broker.port}` })
    cleanups.push(() => producer.close({ timeoutMs: 0 }))
    assert.equal((await producer.partitionsFor('t')).length, partitions)
    longestMs.push(times.longestMs)
  }
  // The first rounds run code that is not compiled yet, on a slow machine twice as long as the others.
  const median = longestMs.sort((a, b) => a - b)[ROUNDS >> 1] as number
  assert.ok(median <= LOOP_BLOCKED_MS_MAX, `${longestMs} ms`)
})

test('topics too many for one response are asked for in several requests, and all become known', async () => {
  const names = Array.from({ length: 700 }, (_, i) => `topic-${i}`)
  const leaders = Array.from({ length: 100 }, () => 1)
  const asked: number[] = []
  const logger = new RecordingLogger()
  const broker = await ScriptedBroker.start(request => {
    if (request.apiKey !== Metadata.key) return false
    const wanted = (requestedTopics(request) ?? []) as string[]
    asked.push(wanted.length)
    const topics = Object.fromEntries(wanted.map(name => [name, { leaders }]))
    request.reply(Metadata, metadataResponse({ brokers: [{ id: 1, ...broker.address }], topics }))
    return true
  })
  cleanups.push(() => broker.close())
  const client = new ClusterClient({ ...clusterOptions([broker.address]), logger, clock: systemClock })
  cleanups.push(() => client.close())
  for (const name of names) client.trackTopic(name)
  await eventually('all topics', () => names.every(name => client.metadata.topic(name) !== undefined))
  // 500 have too many partitions, 250 still, and then it is 125 at a time.
  assert.deepEqual(asked, [500, 250, 125, 125, 125, 125, 125, 75])

  client.requestUpdate()
  await eventually('another full update', () => asked.length >= 14)
  assert.deepEqual(asked.slice(8), [125, 125, 125, 125, 125, 75])
  assert.ok(names.every(name => client.metadata.topic(name)?.partitions.length === 100))
})

test('topics that come up later are asked for in several requests, too', async () => {
  const asked: number[] = []
  const broker = await ScriptedBroker.start(request => {
    if (request.apiKey !== Metadata.key) return false
    const wanted = (requestedTopics(request) ?? []) as string[]
    asked.push(wanted.length)
    const topics = Object.fromEntries(wanted.map(name => [name, { leaders: [1] }]))
    request.reply(Metadata, metadataResponse({ brokers: [{ id: 1, ...broker.address }], topics }))
    return true
  })
  cleanups.push(() => broker.close())
  const client = new ClusterClient(clusterOptions([broker.address]))
  cleanups.push(() => client.close())
  client.trackTopic('first')
  await eventually('the first', () => client.metadata.topic('first') !== undefined)
  for (let i = 0; i < 1_200; i++) client.trackTopic(`later-${i}`)
  await eventually('all', () => client.metadata.topic('later-1199') !== undefined)
  assert.deepEqual(asked, [1, 500, 500, 200])
})
