import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SendManyError } from '../../dist/index.js'
import { read, withProducer } from './support.js'

test('sendMany resolves to an array-like of metadata in input order', () =>
  withProducer({}, async (producer, broker) => {
    const records = Array.from({ length: 1000 }, (_, i) => ({
      topic: i % 5 === 0 ? 'even' : 'odd',
      key: `key-${i}`,
      value: i % 2 ? `${i}` : Buffer.from(`${i}`),
      timestamp: 1_700_000_000_000 + i,
    }))
    const report = await producer.sendMany(records)
    assert.equal(report.length, 1000)
    assert.equal(Array.from(report).length, 1000)
    assert.equal(report.at(-1)?.timestamp, 1_700_000_000_999)
    assert.equal(report.at(1000), undefined)
    assert.equal(report[1000], undefined)
    for (const [i, metadata] of Array.from(report).entries()) {
      assert.equal(metadata.topic, records[i]?.topic)
      assert.equal(metadata.serializedValueSize, `${i}`.length)
      assert.equal(metadata.timestamp, 1_700_000_000_000 + i)
      assert.equal(report[i]?.offset, metadata.offset)
    }
    // Each place that the report names holds the record it names.
    const stored = new Map(
      ['even', 'odd'].flatMap(topic =>
        read(broker, topic).map(
          record => [`${topic}-${record.partition}-${record.offset}`, record.value] as const,
        ),
      ),
    )
    for (const [i, { topic, partition, offset }] of Array.from(report).entries()) {
      assert.equal(stored.get(`${topic}-${partition}-${offset}`), `${i}`)
    }
  }))

test('sendMany of nothing resolves at once', () =>
  withProducer({}, async producer => {
    assert.equal((await producer.sendMany([])).length, 0)
  }))

test('sendMany rejects with the outcome of each record, and the good ones are stored', () =>
  withProducer({ maxRequestSize: 10_000 }, async (producer, broker) => {
    const records = [
      { topic: 'mixed', value: 'good' },
      { topic: 'mixed', value: 'x'.repeat(20_000) },
      { topic: 'no such topic!', value: 'bad' },
      null as never,
      { topic: 'mixed', value: 7 as never },
      { topic: 'mixed', value: 'good too' },
    ]
    const error = await producer.sendMany(records).then(
      () => assert.fail('it resolved'),
      (rejected: unknown) => rejected,
    )
    assert.ok(error instanceof SendManyError)
    assert.equal(error.code, 'SEND_MANY_FAILED')
    assert.deepEqual(
      error.outcomes.map(outcome => (outcome.status === 'fulfilled' ? 'stored' : outcome.reason.code)),
      ['stored', 'RECORD_TOO_LARGE', 'TOPIC_INVALID', 'RECORD_INVALID', 'RECORD_INVALID', 'stored'],
    )
    assert.deepEqual([...error.errors.keys()], [1, 2, 3, 4])
    assert.equal(error.report[2]?.topic, 'no such topic!')
    assert.equal(error.report[2]?.offset, -1n)
    assert.ok((error.report[5]?.offset ?? -1n) >= 0n)
    assert.deepEqual(
      read(broker, 'mixed')
        .map(record => record.value)
        .sort(),
      ['good', 'good too'],
    )
  }))

test('sendMany rejects what is not an array', () =>
  withProducer({}, async producer => {
    await assert.rejects(producer.sendMany({ length: 1 } as never), { code: 'RECORD_INVALID' })
  }))

test('metadata can be printed and turned into JSON', () =>
  withProducer({}, async producer => {
    const metadata = await producer.send({ topic: 'shown', partition: 0, value: 'v', timestamp: 5 })
    assert.equal(
      JSON.stringify(metadata),
      '{"topic":"shown","partition":0,"offset":"0","timestamp":5,"serializedKeySize":-1,"serializedValueSize":1}',
    )
  }))
