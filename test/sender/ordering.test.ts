// The rules that keep a partition's records in order and exactly once, each against the fault it is for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { atProduce, type RigOptions, SenderRig, stored } from './rig.js'

const QUIET = { quiet: true, verify: 'strict', partitions: 1 } as const

/** One record per batch: the smallest slab holds one record of this size only. */
const LONE: RigOptions = { batchBytes: 1 }

test('a batch of unknown fate is resolved under its old sequence before the epoch is bumped', async () => {
  await using broker = await startBroker(QUIET)
  const clock = new FakeClock({ realImmediates: true })
  await using rig = new SenderRig(broker, { ...LONE, clock, deliveryTimeoutMs: 1000, retryBackoffMs: 10 })
  const topic = await rig.topic('t')
  const warm = rig.send(topic, 'warm')
  await eventually('the first record', () => stored(broker, 't').length === 1)
  await warm

  // The broker stores both, but the answers are lost: a expires, while b lives on.
  broker.swallow({ api: 'Produce', times: Number.POSITIVE_INFINITY })
  const a = rig.send(topic, 'a')
  await eventually('a is stored', () => stored(broker, 't').length === 2)
  clock.advance(500)
  const b = rig.send(topic, 'b')
  await eventually('b is stored', () => stored(broker, 't').length === 3)
  broker.clearFaults()
  await clock.advanceAsync(499)
  broker.disconnect()
  await eventually('the connection has ended', () => !rig.client.isReady(1))
  await clock.advanceAsync(2)
  assert.equal((await a).error?.code, 'TIMED_OUT')
  const c = rig.send(topic, 'c')
  await eventually('b and c are settled', () => {
    clock.advance(5)
    return rig.settled.length === 4
  })
  assert.equal((await b).error, null)
  assert.equal((await c).error, null)
  assert.deepEqual(stored(broker, 't'), ['warm', 'a', 'b', 'c'])
})

test('what follows a batch that expired unstored is stored once, under the next epoch', async () => {
  await using broker = await startBroker(QUIET)
  const clock = new FakeClock({ realImmediates: true })
  await using rig = new SenderRig(broker, { ...LONE, clock, deliveryTimeoutMs: 1000, retryBackoffMs: 10 })
  const topic = await rig.topic('t')
  await rig.send(topic, 'warm')
  const before = rig.identity?.epoch as number
  broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: Number.POSITIVE_INFINITY })
  const a = rig.send(topic, 'a')
  await clock.advanceAsync(500)
  const rest = ['b', 'c', 'd'].map(value => rig.send(topic, value))
  await clock.advanceAsync(499)
  broker.clearFaults()
  broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: 2 })
  await eventually('all are settled', () => {
    clock.advance(1)
    return rig.settled.length === 5
  })
  assert.equal((await a).error?.code, 'TIMED_OUT')
  for (const outcome of await Promise.all(rest)) assert.equal(outcome.error, null)
  assert.deepEqual(stored(broker, 't'), ['warm', 'b', 'c', 'd'])
  assert.equal(rig.identity?.epoch, before + 1)
})

test('no second request goes to a leader before it has stored one, in each of its epochs', async () => {
  await using broker = await startBroker({ quiet: true, partitions: 1, nodes: 2 })
  broker.createTopic('t', { leaders: [1] })
  await using rig = new SenderRig(broker, LONE)
  const topic = await rig.topic('t')
  const inFlight: number[] = []
  let open = 0
  broker.onRequest(request => {
    if (request.api === 'Produce') inFlight.push(++open)
  })
  const hold = () => {
    inFlight.length = 0
    open = 0
    return broker.hold({ api: 'Produce' })
  }
  const sendFive = (name: string) => [0, 1, 2, 3, 4].map(i => rig.send(topic, `${name}${i}`))
  const settle = async (held: { release(): void }, sends: Promise<unknown>[]) => {
    held.release()
    await Promise.all(sends)
  }

  let held = hold()
  let sends = sendFive('first')
  await eventually('a request', () => open > 0)
  await new Promise(resolve => setTimeout(resolve, 20))
  assert.equal(open, 1, 'before the first success')
  await settle(held, sends)

  held = hold()
  sends = sendFive('second')
  await eventually('five requests', () => open === 5)
  await settle(held, sends)

  for (const [node, name] of [
    [2, 'moved'],
    [2, 'same node, next epoch'],
  ] as const) {
    const epoch = broker.partitions('t')[0]?.leaderEpoch as number
    broker.moveLeader('t', 0, node)
    rig.client.requestUpdate()
    await eventually('the news', () => rig.partition(topic).leaderEpoch === epoch + 1)
    held = hold()
    sends = sendFive(name)
    await eventually('a request', () => open > 0)
    await new Promise(resolve => setTimeout(resolve, 20))
    assert.equal(open, 1, name)
    await settle(held, sends)
  }
  assert.equal(new Set(stored(broker, 't')).size, 20)
})

test('batches of a connection that was cut are sent again in their order, idempotent or not', async () => {
  await using broker = await startBroker(QUIET)
  for (const idempotent of [true, false]) {
    const name = `cut-${idempotent}`
    broker.createTopic(name)
    await using rig = new SenderRig(broker, { ...LONE, idempotent })
    const topic = await rig.topic(name)
    await rig.send(topic, 'warm')
    broker.swallow({ api: 'Produce', times: 5, processed: false })
    const sends = [1, 2, 3, 4, 5, 6].map(i => rig.send(topic, `${i}`))
    let requests = 0
    broker.onRequest(request => {
      if (request.api === 'Produce' && ++requests === 5) setImmediate(() => broker.disconnect())
    })
    await Promise.all(sends)
    assert.deepEqual(stored(broker, name), ['warm', '1', '2', '3', '4', '5', '6'])
  }
})

test('an epoch bump that waited for a socket to let go of the batch goes on when it has', async () => {
  await using broker = await startBroker(QUIET)
  await using rig = new SenderRig(broker, LONE)
  const topic = await rig.topic('t')
  await rig.send(topic, 'warm')
  // The answer overtakes the news that the request is written.
  const written: (() => void)[] = []
  const send = rig.client.send.bind(rig.client)
  rig.client.send = (nodeId, request) => {
    const onWritten = request.onWritten.bind(request)
    request.onWritten = error => written.push(() => onWritten(error))
    send(nodeId, request)
  }
  atProduce(broker, 1, () => broker.fail({ api: 'Produce', error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }))
  const a = rig.send(topic, 'a')
  await eventually('a is to be bumped', () => rig.partition(topic).sequences.needsEpochBump)
  await new Promise(resolve => setTimeout(resolve, 50))
  assert.deepEqual(stored(broker, 't'), ['warm'], 'a socket still reads the header that is to be rewritten')
  rig.client.send = send
  for (const tell of written.splice(0)) tell()
  const guard = AbortSignal.timeout(5000)
  await Promise.race([
    a,
    new Promise((_, reject) => {
      guard.onabort = () => reject(new Error('the bump never came'))
    }),
  ])
  assert.deepEqual(stored(broker, 't'), ['warm', 'a'])
  assert.equal(rig.identity?.epoch, 1)
  assert.equal(rig.usedBytes, 0)
})

test('when epochs are used up no batch leaves without a producer id, and order holds', async () => {
  await using broker = await startBroker({ quiet: true, partitions: 3 })
  await using rig = new SenderRig(broker, LONE)
  const topic = await rig.topic('t')
  await Promise.all([0, 1, 2].map(partition => rig.send(topic, `warm${partition}`, partition)))
  const ids = new Set<bigint>()
  broker.onRequest(({ api, body }) => {
    if (api !== 'Produce') return
    const { topicData } = body as { topicData: { partitionData: { records: Uint8Array }[] }[] }
    for (const { partitionData } of topicData)
      for (const { records } of partitionData) ids.add(Buffer.from(records).readBigInt64BE(43))
  })
  const { producerId } = rig.identity as { producerId: bigint }
  rig.sender.identity.set(producerId, 32767)
  await Promise.all([0, 1, 2].map(partition => rig.send(topic, `last${partition}`, partition)))
  assert.equal(rig.identity?.epoch, 32767)
  atProduce(broker, 1, () =>
    broker.fail({ api: 'Produce', error: 'OUT_OF_ORDER_SEQUENCE_NUMBER', partition: 0 }),
  )
  const sends: Promise<unknown>[] = []
  for (let i = 0; i < 150; i++) sends.push(rig.send(topic, `${i}`, i % 3))
  await Promise.all(sends)
  assert.ok(!ids.has(-1n), 'a batch left without a producer id')
  assert.equal(rig.identity?.epoch, 0)
  assert.notEqual(rig.identity?.producerId, producerId)
  for (const partition of [0, 1, 2]) {
    const expected = Array.from({ length: 50 }, (_, i) => `${i * 3 + partition}`)
    assert.deepEqual(stored(broker, 't', partition), [`warm${partition}`, `last${partition}`, ...expected])
  }
})

test('partitions that need a new epoch at the same time share one bump', async () => {
  await using broker = await startBroker({ quiet: true, partitions: 4 })
  await using rig = new SenderRig(broker, LONE)
  const topic = await rig.topic('t')
  await Promise.all([0, 1, 2, 3].map(partition => rig.send(topic, 'warm', partition)))
  broker.fail({ api: 'Produce', error: 'OUT_OF_ORDER_SEQUENCE_NUMBER', times: 1 })
  await Promise.all([0, 1, 2, 3].map(partition => rig.send(topic, 'a', partition)))
  assert.equal(rig.identity?.epoch, 1)
  for (const partition of [0, 1, 2, 3]) assert.deepEqual(stored(broker, 't', partition), ['warm', 'a'])
})

test('a batch that expired in flight and turns out to be stored costs no epoch', async () => {
  await using broker = await startBroker(QUIET)
  const clock = new FakeClock({ realImmediates: true })
  await using rig = new SenderRig(broker, { ...LONE, clock, deliveryTimeoutMs: 1000 })
  const topic = await rig.topic('t')
  await rig.send(topic, 'warm')
  const held = broker.hold({ api: 'Produce' })
  const a = rig.send(topic, 'a')
  await eventually('a is stored', () => stored(broker, 't').length === 2)
  await clock.advanceAsync(1001)
  assert.equal((await a).error?.code, 'TIMED_OUT')
  const b = rig.send(topic, 'b')
  await clock.settle()
  assert.deepEqual(stored(broker, 't'), ['warm', 'a'], 'b waits for the answer to a')
  held.release()
  assert.equal((await b).error, null)
  assert.deepEqual(stored(broker, 't'), ['warm', 'a', 'b'])
  assert.equal(rig.identity?.epoch, 0)
  assert.equal(rig.usedBytes, 0)
})

test('a topic made anew gets one request at a time until its log knows the producer', async () => {
  await using broker = await startBroker(QUIET)
  broker.createTopic('t')
  await using rig = new SenderRig(broker, LONE)
  const topic = await rig.topic('t')
  await rig.send(topic, 'old')
  const id = topic.metadata?.id
  broker.deleteTopic('t')
  broker.createTopic('t')
  rig.client.requestUpdate()
  await eventually(
    'the new id',
    () => topic.metadata?.id !== id && topic.metadata?.partitions[0]?.leaderId === 1,
  )
  assert.equal(rig.partition(topic).leaderEpoch, 0)
  atProduce(broker, 1, () => broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS' }))
  await Promise.all([1, 2, 3].map(i => rig.send(topic, `${i}`)))
  assert.deepEqual(stored(broker, 't'), ['1', '2', '3'])
})
