// What rows of Java's SenderTest, TransactionManagerTest and RecordAccumulatorTest ask for, where no other test does.
import assert from 'node:assert/strict'
import { totalmem } from 'node:os'
import { describe, test } from 'node:test'
import { type KafkaError, Producer, type ProducerOptions } from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import { eventually } from '../helpers/eventually.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { SenderRig, stored } from './rig.js'

const QUIET = { quiet: true, verify: 'strict', partitions: 1 } as const
const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i}`)

/** The most Produce requests that were open at once. */
function watchOpen(broker: TestBroker): { most: number; all: number } {
  const seen = { most: 0, all: 0 }
  let open = 0
  broker.onRequest(({ api }) => {
    if (api !== 'Produce') return
    seen.all++
    seen.most = Math.max(seen.most, ++open)
    // The reply follows in this turn or, held, is let go of by the test.
    setImmediate(() => open--)
  })
  return seen
}

describe('order with one request in flight and without idempotence', () => {
  const plain = { idempotent: false, maxInFlight: 1, batchBytes: 1 } as const
  const errors = ['NOT_ENOUGH_REPLICAS', 'NOT_LEADER_OR_FOLLOWER', 'REQUEST_TIMED_OUT'] as const

  for (const error of errors) {
    test(`holds while requests are refused with ${error}`, async () => {
      await using broker = await startBroker(QUIET)
      await using rig = new SenderRig(broker, plain)
      const topic = await rig.topic('t')
      const open = watchOpen(broker)
      const sends = numbers(30).map(value => {
        if (Number(value) % 7 === 0) broker.fail({ api: 'Produce', error })
        return rig.send(topic, value)
      })
      for (const outcome of await Promise.all(sends)) assert.equal(outcome.error, null)
      assert.deepEqual(stored(broker, 't'), numbers(30))
      assert.deepEqual(rig.settled, numbers(30))
      assert.ok(open.all > 30, 'none was refused')
    })
  }

  test('holds while the leader moves', async () => {
    await using broker = await startBroker({ ...QUIET, nodes: 2 })
    broker.createTopic('t', { leaders: [1] })
    await using rig = new SenderRig(broker, plain)
    const topic = await rig.topic('t')
    let seen = 0
    broker.onRequest(({ api }) => {
      if (api === 'Produce' && ++seen % 5 === 0) broker.moveLeader('t', 0, 1 + ((seen / 5) % 2))
    })
    const sends = numbers(30).map(value => rig.send(topic, value))
    for (const outcome of await Promise.all(sends)) assert.equal(outcome.error, null)
    assert.ok(seen > 30, 'the leader did not move')
    assert.deepEqual(stored(broker, 't'), numbers(30))
  })

  test('has the next batch wait for the answer to one that has expired', async () => {
    await using broker = await startBroker(QUIET)
    const clock = new FakeClock({ realImmediates: true })
    await using rig = new SenderRig(broker, { ...plain, clock, deliveryTimeoutMs: 1000 })
    const topic = await rig.topic('t')
    const held = broker.hold({ api: 'Produce' })
    const first = rig.send(topic, 'first')
    await eventually('a request', () => broker.counters().requests.Produce === 1)
    await clock.advanceAsync(1001)
    assert.equal((await first).error?.code, 'TIMED_OUT')
    const second = rig.send(topic, 'second')
    await clock.settle()
    assert.equal(broker.counters().requests.Produce, 1, 'the second has passed the first')
    held.release()
    assert.equal((await second).error, null)
    assert.equal(stored(broker, 't').at(-1), 'second')
  })
})

describe('an answer that comes when its batch has expired', () => {
  // Java: testExpiredBatchDoesNotRetry, testExpiredBatchDoesNotSplitOnMessageTooLargeError.
  for (const error of ['MESSAGE_TOO_LARGE', 'NOT_LEADER_OR_FOLLOWER', 'INVALID_RECORD'] as const) {
    for (const idempotent of [true, false]) {
      test(`neither splits it nor sends it again: ${error}, ${idempotent ? '' : 'not '}idempotent`, async () => {
        await using broker = await startBroker(QUIET)
        const clock = new FakeClock({ realImmediates: true })
        const maxInFlight = idempotent ? 5 : 1
        await using rig = new SenderRig(broker, { clock, idempotent, maxInFlight, deliveryTimeoutMs: 1000 })
        const topic = await rig.topic('t')
        await rig.send(topic, 'warm')
        const { connections } = broker.counters()
        let requests = 0
        broker.onRequest(({ api }) => {
          if (api === 'Produce') requests++
        })
        const held = broker.hold({ api: 'Produce' })
        broker.fail({ api: 'Produce', error })
        const late = ['a', 'b', 'c'].map(value => rig.send(topic, value))
        await eventually('a request', () => requests > 0)
        await clock.advanceAsync(1001)
        for (const { error: outcome } of await Promise.all(late)) assert.equal(outcome?.code, 'TIMED_OUT')
        held.release()
        // What comes next waits for the late answer, and for its backoff if it had one.
        const next = rig.send(topic, 'next')
        while (!rig.settled.includes('next')) await clock.advanceAsync(50)
        assert.equal((await next).error, null)
        assert.deepEqual(stored(broker, 't'), ['warm', 'next'])
        assert.equal(broker.counters().rejected, 1, 'the answer that came late')
        assert.equal(requests, 2, 'something was sent again')
        assert.equal(broker.counters().connections, connections, 'the answer has cost the connection')
        assert.equal(rig.usedBytes, 0)
      })
    }
  }
})

describe('a close amid a reset of the producer id', () => {
  // Java: testForceCloseWithProducerIdReset, testCloseWithProducerIdReset.
  async function amid(act: (producer: Producer, release: () => void) => Promise<void>) {
    await using broker = await startBroker(QUIET)
    await using producer = new Producer({
      bootstrapServers: broker.bootstrapServers,
      lingerMs: 0,
      batchSize: 1,
      logger: new RecordingLogger(),
    })
    await producer.send({ topic: 't', partition: 0, value: 'warm' })
    // The first attempt of a batch cannot be a duplicate of its own: another producer has the id.
    broker.fail({ api: 'Produce', error: 'DUPLICATE_SEQUENCE_NUMBER' })
    const asked = broker.counters().requests.InitProducerId ?? 0
    const held = broker.hold({ api: 'InitProducerId' })
    const sends = numbers(10).map(value => producer.send({ topic: 't', partition: 0, value }))
    const settled = Promise.allSettled(sends)
    await eventually('the reset', () => (broker.counters().requests.InitProducerId ?? 0) > asked)
    await act(producer, () => held.release())
    return { outcomes: await settled, values: stored(broker, 't') }
  }

  test('waits for the new id and for all records', async () => {
    const { outcomes, values } = await amid(async (producer, release) => {
      const closed = producer.close()
      await new Promise(resolve => setTimeout(resolve, 20))
      release()
      await closed
    })
    assert.deepEqual([...new Set(outcomes.map(({ status }) => status))], ['fulfilled'])
    assert.deepEqual(values, ['warm', ...numbers(10)])
  })

  test('that may take no time rejects all records, and ends', async () => {
    const { outcomes, values } = await amid(producer => producer.close({ timeoutMs: 0 }))
    const codes = outcomes.map(each => (each as PromiseRejectedResult).reason?.code)
    assert.deepEqual([...new Set(codes)], ['PRODUCER_CLOSED'])
    assert.deepEqual(values, ['warm'])
  })
})

describe('zstd and brokers before Kafka 2.1', () => {
  const old = { Produce: [0, 6] } as const
  const needs = { code: 'UNSUPPORTED_VERSION', message: /does not take zstd \(Kafka 2\.1\)/ }
  const options = (broker: TestBroker, more: Partial<ProducerOptions> = {}): ProducerOptions => ({
    bootstrapServers: broker.bootstrapServers,
    compressionType: 'zstd',
    lingerMs: 0,
    logger: new RecordingLogger(),
    ...more,
  })

  for (const enableIdempotence of [true, false]) {
    test(`records are refused, nothing is sent, and memory comes back: idempotence ${enableIdempotence}`, async () => {
      await using broker = await startBroker({ ...QUIET, apiVersions: old })
      const small = { bufferMemory: 65_536, batchSize: 1024, enableIdempotence }
      await using producer = new Producer(options(broker, small))
      // Four times what the memory holds: what is refused frees it.
      for (let i = 0; i < 256; i++) {
        await assert.rejects(producer.send({ topic: 't', value: 'x'.repeat(1000) }), needs)
      }
      await producer.flush()
      assert.equal(broker.counters().requests.Produce ?? 0, 0)
      await using other = new Producer(options(broker, { compressionType: 'lz4' }))
      assert.equal((await other.send({ topic: 't', value: 'taken' })).offset, 0n)
    })
  }

  test('a transaction fails with it and can be aborted', async () => {
    await using broker = await startBroker({ ...QUIET, apiVersions: old })
    await using producer = new Producer(options(broker, { transactionalId: 'tx' }))
    await producer.initTransactions()
    producer.beginTransaction()
    await assert.rejects(producer.send({ topic: 't', value: 'v' }), needs)
    await assert.rejects(producer.commitTransaction(), (error: KafkaError) => {
      assert.match(String((error.cause as Error | undefined)?.message ?? error.message), /zstd/)
      return true
    })
    await producer.abortTransaction()
    assert.deepEqual(stored(broker, 't'), [])
  })
})

const GIB = 2 ** 30

test('a buffer above 4 GiB is used beyond the fourth, and costs only what is touched', {
  skip: totalmem() < 8 * GIB || process.arch === 'ia32' || process.arch === 'arm',
}, async () => {
  const slabBytes = GIB / 2
  const partitions = 10
  for (const compressionType of ['none', 'lz4', 'zstd'] as const) {
    await using broker = await startBroker({ ...QUIET, partitions })
    const before = process.memoryUsage().rss
    await using producer = new Producer({
      bootstrapServers: broker.bootstrapServers,
      bufferMemory: 5 * GIB,
      batchSize: slabBytes,
      lingerMs: 60_000,
      deliveryTimeoutMs: 120_000,
      compressionType,
    })
    await producer.partitionsFor('t')
    // A slab for each partition: the last two lie beyond 4 GiB, from whichever end they are taken.
    const of = (partition: number) =>
      Array.from({ length: 50 }, (_, i) => `${partition}: ${i}`.padEnd(99, '.'))
    const sends = numbers(partitions).flatMap(partition =>
      of(Number(partition)).map(value => producer.send({ topic: 't', partition: Number(partition), value })),
    )
    await Promise.all([producer.flush(), ...sends])
    for (let partition = 0; partition < partitions; partition++) {
      assert.deepEqual(stored(broker, 't', partition), of(partition), compressionType)
    }
    const grownMib = Math.round((process.memoryUsage().rss - before) / 2 ** 20)
    assert.ok(grownMib < 1024, `${grownMib} MiB more`)
  }
})
