// A batch in which the broker names bad records loses those, and the others are stored in their order.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  BrokerError,
  Producer,
  type ProducerOptions,
  type RecordMetadata,
  SendManyError,
} from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'

const TOPIC = 't'

/** Refuses batches with these values, as a compacted topic does records without a key. */
function refuseValues(broker: TestBroker, bad: ReadonlySet<string>): { refusals: number } {
  const seen = { refusals: 0 }
  broker.onRequest(({ api, body }) => {
    if (api !== 'Produce') return
    const { topicData } = body as { topicData: { partitionData: { records: Uint8Array }[] }[] }
    for (const { partitionData } of topicData) {
      for (const { records } of partitionData) {
        const errors = valuesOf(records).flatMap((value, batchIndex) =>
          bad.has(value) ? [{ batchIndex, batchIndexErrorMessage: `bad ${value}` }] : [],
        )
        if (errors.length === 0) continue
        seen.refusals++
        broker.fail({ api: 'Produce', error: 'INVALID_RECORD', topic: TOPIC, recordErrors: errors, times: 1 })
      }
    }
  })
  return seen
}

/** Values of an uncompressed batch, each 8 bytes long, without key and headers. */
function valuesOf(records: Uint8Array): string[] {
  const text = Buffer.from(records).toString('latin1')
  return [...text.matchAll(/v\d{7}/g)].map(([value]) => value)
}

const numbered = (number: number) => `v${String(number).padStart(7, '0')}`

function newProducer(broker: TestBroker, options: Partial<ProducerOptions>): Producer {
  const { bootstrapServers } = broker
  return new Producer({ bootstrapServers, lingerMs: 5, retryBackoffMs: 5, ...options })
}

const modes: [what: string, options: Partial<ProducerOptions>][] = [
  ['idempotent, five in flight', {}],
  ['plain, one in flight', { enableIdempotence: false, maxInFlightRequestsPerConnection: 1 }],
]

for (const [what, options] of modes) {
  describe(what, () => {
    for (const batchSize of [16_384, 200]) {
      test(`10 of 1000 records are refused, the rest is stored in order, batches of ${batchSize}`, async () => {
        await using broker = await startBroker({ partitions: 1, quiet: true })
        await using producer = newProducer(broker, { ...options, batchSize })
        await producer.partitionsFor(TOPIC)
        const bad = new Set([0, 1, 77, 199, 200, 500, 501, 502, 998, 999].map(numbered))
        const seen = refuseValues(broker, bad)
        const outcomes: Promise<RecordMetadata>[] = []
        for (let i = 0; i < 1000; i++) {
          const record = { topic: TOPIC, value: Buffer.from(numbered(i)) }
          if (i % 3 === 0) outcomes.push(producer.send(record))
          else if (i % 3 === 1)
            outcomes.push(
              new Promise((resolve, reject) => {
                producer.send(record, (error, metadata) =>
                  error === null ? resolve(metadata) : reject(error),
                )
              }),
            )
          else outcomes.push(producer.sendMany([record]).then(report => report[0] as RecordMetadata))
        }
        const settled = await Promise.allSettled(outcomes)
        assert.ok(seen.refusals > 0)
        const stored = [...broker.records(TOPIC)]
        const good = Array.from({ length: 1000 }, (_, i) => numbered(i)).filter(value => !bad.has(value))
        assert.deepEqual(
          stored.map(({ value }) => String(value)),
          good,
        )
        settled.forEach((outcome, i) => {
          const value = numbered(i)
          if (outcome.status === 'fulfilled') {
            assert.ok(!bad.has(value))
            assert.equal(String(stored[Number(outcome.value.offset)]?.value), value)
            return
          }
          const error =
            outcome.reason instanceof SendManyError ? outcome.reason.errors.get(0) : outcome.reason
          assert.ok(error instanceof BrokerError)
          assert.match(error.message, new RegExp(`bad ${value}`))
        })
      })
    }
  })
}

test('the headline of a SendManyError is the reason of the record that was refused', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  await using producer = newProducer(broker, {})
  refuseValues(broker, new Set([numbered(3)]))
  const records = Array.from({ length: 10 }, (_, i) => ({ topic: TOPIC, value: Buffer.from(numbered(i)) }))
  await assert.rejects(producer.sendMany(records), (error: SendManyError) => {
    assert.match(error.message, /1 of 10 .* bad v0000003/)
    assert.equal(error.report.at(2)?.offset, 2n)
    assert.equal(error.report.at(4)?.offset, 3n)
    assert.equal(error.report.at(3)?.offset, -1n)
    return true
  })
})

test('in a transaction a refused record fails the transaction, and the next one works', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  await using producer = newProducer(broker, { transactionalId: 'x' })
  await producer.initTransactions()
  refuseValues(broker, new Set([numbered(1)]))
  producer.beginTransaction()
  const sent = [0, 1, 2].map(i => producer.send({ topic: TOPIC, value: Buffer.from(numbered(i)) }))
  assert.deepEqual(
    (await Promise.allSettled(sent)).map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  )
  await assert.rejects(producer.commitTransaction())
  await producer.abortTransaction()
  await producer.transaction(() => producer.send({ topic: TOPIC, value: Buffer.from(numbered(9)) }))
})

test('after a split, records are told at once, whatever becomes of the others', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  await using producer = newProducer(broker, {})
  await producer.partitionsFor(TOPIC)
  broker.fail({ api: 'Produce', error: 'MESSAGE_TOO_LARGE', topic: TOPIC, times: 1 })
  let produces = 0
  let release = () => {}
  broker.onRequest(({ api }) => {
    // The whole, then the first half; the second half is held.
    if (api === 'Produce' && ++produces === 3) release = broker.hold({ api: 'Produce' }).release
  })
  const sent = Array.from({ length: 8 }, (_, i) =>
    producer.send({ topic: TOPIC, value: Buffer.from(numbered(i)) }),
  )
  const called = new Promise<bigint>(resolve => {
    producer.send({ topic: TOPIC, value: Buffer.from(numbered(8)) }, (_, { offset }) => resolve(offset))
  })
  assert.equal((await (sent[0] as Promise<RecordMetadata>)).offset, 0n)
  await eventually('the second half is held', () => produces === 3)
  release()
  assert.deepEqual(
    (await Promise.all(sent)).map(({ offset }) => offset),
    [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n],
  )
  assert.equal(await called, 8n)
})
