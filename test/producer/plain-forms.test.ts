// What logs, consoles and copies show of metadata, reports and errors.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { type DeliveryReport, type KafkaError, Producer, type SendManyError } from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { silent } from '../transactions/support.js'

async function withProducer(work: (producer: Producer, broker: TestBroker) => Promise<void>, options = {}) {
  await using broker = await startBroker({ quiet: true })
  const { bootstrapServers } = broker
  await using producer = new Producer({ bootstrapServers, lingerMs: 0, logger: silent, ...options })
  await work(producer, broker)
}

const json = (value: unknown) => JSON.parse(JSON.stringify(value))

function rejectionOf<E extends Error = KafkaError>(promise: Promise<unknown>): Promise<E> {
  return promise.then(
    () => assert.fail('it was resolved'),
    (error: E) => error,
  )
}

const records = (count: number) => Array.from({ length: count }, (_, i) => ({ topic: 't', value: `${i}` }))

function checkReport(report: DeliveryReport, count: number): void {
  const listed = json(report) as { offset: string; topic: string }[]
  assert.deepEqual(
    listed.map(({ topic, offset }) => `${topic} ${offset}`),
    Array.from({ length: count }, (_, i) => `t ${i}`),
  )
  for (const copy of [structuredClone(report), { ...report }]) {
    assert.equal(copy.length, count)
    assert.deepEqual(
      copy.records.map(({ topic, partition, offset }) => [topic, partition, offset]),
      Array.from({ length: count }, (_, i) => ['t', 0, BigInt(i)]),
    )
  }
}

test('a report of sendMany', () =>
  withProducer(async producer => {
    const report = await producer.sendMany(records(3))
    checkReport(report, 3)
    const shown = inspect(report)
    assert.match(shown, /^DeliveryReport\(3\) \[/)
    assert.equal(shown.match(/topic: 't'/g)?.length, 3)
    assert.doesNotMatch(shown, /source|collector|Promise/i)
    assert.equal(inspect(await producer.sendMany([])), 'DeliveryReport(0) []')
  }))

test('a report of many records is shown in part, and copied whole', () =>
  withProducer(async producer => {
    const report = await producer.sendMany(records(250))
    checkReport(report, 250)
    assert.match(inspect(report), /150 more items/)
    assert.equal(inspect(report).match(/topic: 't'/g)?.length, 100)
    assert.match(inspect(report, { maxArrayLength: 2 }), /248 more items/)
    assert.equal(inspect(report, { maxArrayLength: null }).match(/topic: 't'/g)?.length, 250)
    assert.ok(inspect({ nested: { deep: { deeper: report } } }).length < 1000)
  }))

test('metadata', () =>
  withProducer(async producer => {
    const metadata = await producer.send({ topic: 't', value: 'v', key: 'key' })
    const { timestamp } = metadata
    const sizes = { serializedKeySize: 3, serializedValueSize: 1 }
    assert.deepEqual(json(metadata), { topic: 't', partition: 0, offset: '0', timestamp, ...sizes })
    assert.deepEqual(structuredClone(metadata.toJSON()), json(metadata))
    assert.match(inspect(metadata), /offset: 0n/)
    assert.doesNotMatch(inspect(metadata), /outcome/)
  }))

test('an error of sendMany says which records have failed, and why', () =>
  withProducer(async (producer, broker) => {
    const error = await rejectionOf<SendManyError>(
      producer.sendMany([records(1)[0], { topic: 't' }, { topic: '' }, records(1)[0]] as never),
    )
    const plain = json(error)
    assert.deepEqual([plain.code, plain.records, plain.failed], ['SEND_MANY_FAILED', 4, 2])
    const failed = plain.errors.map((each: { index: number; code: string }) => [each.index, each.code])
    assert.deepEqual(failed, [
      [1, 'RECORD_INVALID'],
      [2, 'TOPIC_INVALID'],
    ])
    assert.equal(plain.cause.code, 'RECORD_INVALID')
    assert.deepEqual(structuredClone(error.toJSON()), plain)
    assert.match(inspect(error), /report: DeliveryReport\(4\)/)
    broker.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED' })
    const all = json(await rejectionOf(producer.sendMany(records(300))))
    assert.deepEqual([all.records, all.failed, all.errors.length], [300, 300, 100])
    assert.equal(all.errors[99].errorName, 'TOPIC_AUTHORIZATION_FAILED')
  }))

test('an error of a broker has its number, its name and where it came from', () =>
  withProducer(async (producer, broker) => {
    broker.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED' })
    const plain = json(await rejectionOf(producer.send({ topic: 't', value: 'v' })))
    const { code, errorCode, errorName, topic, partition, retriable } = plain
    assert.deepEqual([code, errorCode, errorName], ['AUTHORIZATION_FAILED', 29, 'TOPIC_AUTHORIZATION_FAILED'])
    assert.deepEqual([topic, partition, retriable], ['t', 0, false])
    assert.match(plain.broker, /\(id 1\)$/)
    assert.equal(plain.fatal, undefined)
  }))

test('an error of the configuration has its key', () => {
  const made = () => new Producer({ bootstrapServers: 'a:1', lingerMs: -1 })
  assert.throws(made, (error: Error) => json(error).key === 'linger.ms')
})

test('an error of a transaction says whether it is fatal or can be aborted, and its cause', () =>
  withProducer(
    async (producer, broker) => {
      await producer.initTransactions()
      producer.beginTransaction()
      broker.fail({ api: 'Produce', error: 'INVALID_TXN_STATE' })
      await assert.rejects(producer.send({ topic: 't', value: 'v' }))
      const abortable = json(await rejectionOf(producer.commitTransaction()))
      assert.deepEqual([abortable.fatal, abortable.abortable], [false, true])
      assert.equal(abortable.cause.errorName, 'INVALID_TXN_STATE')
      await producer.abortTransaction()
      producer.beginTransaction()
      broker.fail({ api: 'Produce', error: 'PRODUCER_FENCED' })
      await assert.rejects(producer.send({ topic: 't', value: 'v' }))
      const fenced = json(await rejectionOf(producer.commitTransaction()))
      assert.deepEqual([fenced.name, fenced.fatal, fenced.abortable], ['ProducerFencedError', true, false])
    },
    { transactionalId: 'tx' },
  ))

test('causes that are an application’s own are shown by name, message and code', () =>
  withProducer(
    async producer => {
      const error = await rejectionOf(producer.send({ topic: 't', value: 'v' }))
      const secret = Object.assign(new RangeError('no schema\nfor it'), { code: 'E_SCHEMA', token: 'hush' })
      thrown = secret
      const plain = json(await rejectionOf(producer.send({ topic: 't', value: 'v' })))
      assert.deepEqual(plain.cause, { name: 'RangeError', message: 'no schema\\nfor it', code: 'E_SCHEMA' })
      assert.deepEqual(json(error).cause, 'just text')
      thrown = new Proxy(new Error('trap'), {
        get() {
          throw new Error('do not look')
        },
      })
      assert.equal(
        typeof JSON.stringify(await rejectionOf(producer.send({ topic: 't', value: 'v' }))),
        'string',
      )
    },
    {
      valueSerializer: () => {
        throw thrown
      },
    },
  ))

let thrown: unknown = 'just text'
