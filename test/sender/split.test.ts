// MESSAGE_TOO_LARGE: the records of a batch go again in smaller ones, and nobody who waits for them notices.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, SendManyError } from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { atProduce, SenderRig, stored } from './rig.js'

const QUIET = { quiet: true, verify: 'strict', partitions: 1 } as const

/** Base sequence, record count and codec of every batch that is asked to be appended. */
function watchBatches(broker: TestBroker) {
  const seen: { sequence: number; records: number; codec: number; epoch: number }[] = []
  broker.onRequest(({ api, body }) => {
    if (api !== 'Produce') return
    const { topicData } = body as { topicData: { partitionData: { records: Uint8Array }[] }[] }
    for (const { partitionData } of topicData) {
      for (const { records } of partitionData) {
        const batch = Buffer.from(records)
        seen.push({
          sequence: batch.readInt32BE(53),
          records: batch.readInt32BE(57),
          codec: batch.readInt16BE(21) & 7,
          epoch: batch.readInt16BE(51),
        })
      }
    }
  })
  return seen
}

const values = (count: number, bytes = 100) =>
  Array.from({ length: count }, (_, i) => `${i}`.padEnd(bytes, String.fromCharCode(97 + (i % 26))))

for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
  for (const idempotent of [true, false]) {
    const mode = `${compression}, ${idempotent ? '' : 'not '}idempotent`
    test(`a batch is split until the broker takes it: ${mode}`, async () => {
      await using broker = await startBroker(QUIET)
      // Compressible by every codec, but not by much, so that the limit bites whatever the codec.
      const random = (i: number) => {
        const word = (j: number) => (Math.imul(i * 7919 + j + 1, 0x9e3779b1) >>> 8).toString(36)
        return Array.from({ length: 100 }, (_, j) => word(j))
          .join('')
          .padEnd(800, '.')
      }
      const sent = Array.from({ length: 100 }, (_, i) => `${i}:${random(i)}`)
      broker.createTopic('t', { config: { 'max.message.bytes': '4000' } })
      // Without idempotence order takes one request in flight.
      const maxInFlight = idempotent ? 5 : 1
      await using rig = new SenderRig(broker, {
        compression,
        idempotent,
        maxInFlight,
        batchBytes: 131_072,
        lingerMs: 50,
      })
      const topic = await rig.topic('t')
      const batches = watchBatches(broker)
      const outcomes = await Promise.all(sent.map(value => rig.send(topic, value)))
      const stores = stored(broker, 't')
      assert.ok(stores.length === sent.length && stores.every((value, i) => value === sent[i]))
      for (const [i, { error, metadata }] of outcomes.entries()) {
        assert.equal(error, null)
        assert.equal(metadata?.offset, BigInt(i))
      }
      assert.ok(batches.length > 10)
      const rejected = broker.counters().rejected
      assert.ok(rejected > 2, 'split more than once')
      assert.equal(rig.usedBytes, 0)
      assert.equal(
        new Set(batches.map(({ codec }) => codec)).size,
        1,
        'the parts are compressed like the whole',
      )
      if (idempotent) {
        let next = 0
        for (const { sequence, records, epoch } of batches) {
          assert.equal(epoch, 0)
          assert.ok(sequence <= next)
          next = Math.max(next, sequence + records)
        }
        assert.equal(next, 100)
      }
    })
  }
}

test('a batch of several slabs is split like others', async () => {
  await using broker = await startBroker(QUIET)
  const word = (i: number, j: number) => (Math.imul(i * 7919 + j + 1, 0x9e3779b1) >>> 8).toString(36)
  const sent = Array.from({ length: 10_000 }, (_, i) => `${i}:${word(i, 1)}`.padEnd(100, '.'))
  // Batches are filled until they have some 1,950 bytes compressed, now a few more and now a few less.
  broker.createTopic('t', { config: { 'max.message.bytes': '1900' } })
  await using rig = new SenderRig(broker, { compression: 'lz4', batchBytes: 2048, lingerMs: 50 })
  const topic = await rig.topic('t')
  const batches = watchBatches(broker)
  for (let first = 0; first < sent.length; first += 200) {
    const outcomes = await Promise.all(sent.slice(first, first + 200).map(value => rig.send(topic, value)))
    assert.ok(
      outcomes.every(({ error, metadata }, i) => error === null && metadata?.offset === BigInt(first + i)),
    )
  }
  assert.deepEqual(stored(broker, 't'), sent)
  assert.ok(broker.counters().rejected > 0)
  assert.ok(
    batches.some(({ records }) => records > 30),
    'two slabs or more',
  )
  assert.equal(rig.usedBytes, 0)
})

test('a split costs no attempt, and a later batch in flight follows the parts', async () => {
  await using broker = await startBroker(QUIET)
  await using rig = new SenderRig(broker, { batchBytes: 1024, retries: 3 })
  const topic = await rig.topic('t')
  await rig.send(topic, 'warm')
  const batches = watchBatches(broker)
  atProduce(broker, 1, () => broker.fail({ api: 'Produce', error: 'MESSAGE_TOO_LARGE', times: 1 }))
  const sent = values(30)
  const outcomes = await Promise.all(sent.map(value => rig.send(topic, value)))
  assert.ok(outcomes.every(({ error }) => error === null))
  assert.deepEqual(stored(broker, 't'), ['warm', ...sent])
  assert.ok((batches[0]?.records as number) > 4)
  assert.equal(batches[0]?.sequence, 1)
  const whole = batches[0]?.records as number
  const parts = batches.filter(({ sequence, records }) => records < whole && sequence + records <= 1 + whole)
  assert.equal(parts[0]?.sequence, 1)
  assert.equal(parts[1]?.sequence, 1 + (parts[0]?.records as number))
})

test('single records that are too large fail alone, with the others of their batch stored', async () => {
  await using broker = await startBroker(QUIET)
  broker.createTopic('t', { config: { 'max.message.bytes': '600' } })
  for (const idempotent of [true, false]) {
    const name = `t-${idempotent}`
    broker.createTopic(name, { config: { 'max.message.bytes': '600' } })
    await using rig = new SenderRig(broker, { idempotent, lingerMs: 20 })
    const topic = await rig.topic(name)
    const sent = values(20)
    sent[0] = 'x'.repeat(700)
    sent[7] = 'x'.repeat(700)
    sent[19] = 'x'.repeat(700)
    const outcomes = await Promise.all(sent.map(value => rig.send(topic, value)))
    for (const [i, { error }] of outcomes.entries()) {
      assert.equal(error?.code, i === 0 || i === 7 || i === 19 ? 'RECORD_TOO_LARGE' : undefined)
    }
    assert.deepEqual(stored(broker, name).sort(), sent.filter(value => value.length < 600).sort())
    if (idempotent) {
      assert.deepEqual(
        stored(broker, name),
        sent.filter(value => value.length < 600),
      )
    }
    assert.equal(rig.usedBytes, 0)
  }
})

test('a split needs no memory: it succeeds with none left', async () => {
  await using broker = await startBroker(QUIET)
  broker.createTopic('t', { config: { 'max.message.bytes': '300' } })
  await using rig = new SenderRig(broker, { batchBytes: 2048, bufferBytes: 4096 })
  const topic = await rig.topic('t')
  let least = Number.POSITIVE_INFINITY
  const sent = values(400)
  const outcomes = await Promise.all(
    sent.map(value => {
      const outcome = rig.send(topic, value)
      least = Math.min(least, rig.accumulator.availableBytes)
      return outcome
    }),
  )
  assert.equal(least, 0)
  assert.ok(outcomes.every(({ error }) => error === null))
  assert.deepEqual(stored(broker, 't'), sent)
  assert.equal(rig.usedBytes, 0)
})

test('the memory of a batch that was split stays its own until the socket has let go of it', async () => {
  await using broker = await startBroker(QUIET)
  await using rig = new SenderRig(broker, { batchBytes: 1024, lingerMs: 5 })
  const topic = await rig.topic('t')
  broker.fail({ api: 'Produce', error: 'MESSAGE_TOO_LARGE' })
  const written: (() => void)[] = []
  const send = rig.client.send.bind(rig.client)
  rig.client.send = (nodeId, request) => {
    rig.client.send = send
    const onWritten = request.onWritten.bind(request)
    request.onWritten = error => written.push(() => onWritten(error))
    send(nodeId, request)
  }
  const outcomes = await Promise.all(values(6).map(value => rig.send(topic, value)))
  assert.ok(outcomes.every(({ error }) => error === null))
  assert.equal(written.length, 1)
  assert.ok(
    rig.usedBytes > 0,
    'the slab is still read, and what its parts did not take over of its charge is used',
  )
  for (const tell of written) tell()
  assert.equal(rig.usedBytes, 0)
  assert.deepEqual(stored(broker, 't'), values(6))
})

test('the parts expire when the whole would have', async () => {
  await using broker = await startBroker(QUIET)
  const clock = new FakeClock({ realImmediates: true })
  await using rig = new SenderRig(broker, {
    clock,
    deliveryTimeoutMs: 1000,
    lingerMs: 1,
    requestTimeoutMs: 5000,
  })
  const topic = await rig.topic('t')
  const held = broker.hold({ api: 'Produce' })
  broker.fail({ api: 'Produce', error: 'MESSAGE_TOO_LARGE' })
  const sends = values(6).map(value => rig.send(topic, value))
  await clock.advanceAsync(600)
  const later = rig.send(topic, 'later')
  held.release()
  broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: Number.POSITIVE_INFINITY })
  await eventually('a part was sent', () => broker.counters().rejected > 1)
  await clock.advanceAsync(399)
  assert.equal(rig.settled.length, 0)
  await clock.advanceAsync(5)
  await eventually('the parts are settled', () => rig.settled.length === 6)
  for (const { error } of await Promise.all(sends)) assert.equal(error?.code, 'TIMED_OUT')
  broker.clearFaults()
  await eventually('the record after them', () => {
    clock.advance(5)
    return rig.settled.length === 7
  })
  assert.equal((await later).error, null)
  assert.equal(rig.usedBytes, 0)
})

test('promises, callbacks, sendMany and flush follow their records through a split', async () => {
  await using broker = await startBroker(QUIET)
  broker.createTopic('t', { config: { 'max.message.bytes': '700' } })
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 20 })
  await producer.partitionsFor('t')
  const huge = 'x'.repeat(800)
  const called: string[] = []
  const promises: Promise<unknown>[] = []
  const many: Promise<unknown>[] = []
  const sent: string[] = []
  for (let i = 0; i < 12; i++) {
    const value = values(12)[i] as string
    sent.push(value, `${value}c`, `${value}m`, `${value}n`)
    promises.push(producer.send({ topic: 't', partition: 0, value }))
    producer.send({ topic: 't', partition: 0, value: `${value}c` }, (error, { offset }) =>
      called.push(`${error?.code ?? ''}${offset}`),
    )
    const records = [`${value}m`, ...(i === 5 ? [huge] : []), `${value}n`]
    many.push(producer.sendMany(records.map(each => ({ topic: 't', partition: 0, value: each }))))
  }
  let flushed = false
  const flush = producer.flush().then(() => {
    flushed = true
  })
  const settled = await Promise.allSettled(many)
  await flush
  assert.ok(flushed)
  assert.deepEqual(stored(broker, 't'), sent)
  for (const [i, promise] of promises.entries()) {
    const { offset } = (await promise) as { offset: bigint }
    assert.equal(offset, BigInt(i * 4))
  }
  assert.deepEqual(
    called,
    Array.from({ length: 12 }, (_, i) => `${i * 4 + 1}`),
  )
  for (const [i, result] of settled.entries()) {
    if (i !== 5) assert.equal(result.status, 'fulfilled')
    else {
      const error = (result as PromiseRejectedResult).reason as SendManyError
      assert.ok(error instanceof SendManyError)
      assert.deepEqual([...error.errors.keys()], [1])
      assert.equal(error.errors.get(1)?.code, 'RECORD_TOO_LARGE')
      assert.deepEqual(
        error.outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      )
      assert.equal(error.report.at(2)?.offset, BigInt(5 * 4 + 3))
      assert.equal(error.report.at(1)?.offset, -1n)
    }
  }
})

test('the broker’s append time follows the records through a split', async () => {
  await using broker = await startBroker(QUIET)
  broker.createTopic('t', {
    config: { 'max.message.bytes': '300', 'message.timestamp.type': 'LogAppendTime' },
  })
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 20 })
  const before = Date.now()
  const sends = values(9).map(value => producer.send({ topic: 't', partition: 0, value, timestamp: 5 }))
  for (const { timestamp } of await Promise.all(sends)) assert.ok(timestamp >= before)
})

test('a close that comes amid a split settles every record', async () => {
  await using broker = await startBroker(QUIET)
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 20 })
  await producer.partitionsFor('t')
  broker.fail({ api: 'Produce', error: 'MESSAGE_TOO_LARGE' })
  broker.swallow({ api: 'Produce', times: 1, processed: false })
  atProduce(broker, 1, () => broker.clearFaults())
  atProduce(broker, 1, () => broker.fail({ api: 'Produce', error: 'MESSAGE_TOO_LARGE' }))
  atProduce(broker, 2, () => broker.swallow({ api: 'Produce', times: 1000, processed: false }))
  const sends = values(9).map(value => producer.send({ topic: 't', partition: 0, value }))
  const settled = Promise.allSettled(sends)
  await eventually('a part was sent', () => (broker.counters().requests.Produce ?? 0) >= 2)
  await producer.close({ timeoutMs: 1 })
  for (const result of await settled) {
    assert.equal(result.status, 'rejected')
    assert.equal((result as PromiseRejectedResult).reason.code, 'PRODUCER_CLOSED')
  }
})
