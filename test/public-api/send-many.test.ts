import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RecordMetadata, SendManyError } from '../../dist/index.js'
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

/** A key of the record's number, and a value that names it once more. */
function numbered(i: number, valueBytes = 20) {
  return { topic: 'mixed', key: Buffer.from(`${i}`), value: Buffer.alloc(valueBytes, `${i};`) }
}

for (const [name, oddEvery] of [
  ['few', 150],
  ['many', 3],
] as const) {
  test(`among plain records ${name} others keep their places, their order and their metadata`, () =>
    withProducer({ batchSize: 4096 }, async (producer, broker) => {
      await producer.partitionsFor('mixed')
      const odd = [
        (i: number) => ({ ...numbered(i), headers: { a: 'b' } }),
        (i: number) => ({ ...numbered(i), value: `${i};`.repeat(3) }),
        (i: number) => ({ ...numbered(i), topic: 'other' }),
        (i: number) => numbered(i, 6000),
        (i: number) => ({ ...numbered(i), topic: 'no such topic!' }),
        (i: number) => ({ ...numbered(i), timestamp: 1_700_000_000_000 + i }),
      ]
      const records = Array.from({ length: 2000 }, (_, i) =>
        i % oddEvery === 1 ? (odd[Math.floor(i / oddEvery) % odd.length]?.(i) ?? numbered(i)) : numbered(i),
      )
      const before = producer.sendMany([numbered(-1)])
      const error = await producer.sendMany(records).then(
        () => assert.fail('it resolved'),
        (rejected: unknown) => rejected,
      )
      assert.equal((await before)[0]?.serializedKeySize, 2)
      assert.ok(error instanceof SendManyError)
      const stored = new Map(
        ['mixed', 'other'].flatMap(topic =>
          read(broker, topic).map(({ partition, offset, key }) => [`${topic}-${partition}-${offset}`, key]),
        ),
      )
      for (const [i, record] of records.entries()) {
        const metadata = error.report.at(i)
        assert.equal(metadata?.topic, record.topic)
        assert.equal(error.errors.has(i), record.topic === 'no such topic!')
        if (error.errors.has(i)) continue
        assert.equal(stored.get(`${record.topic}-${metadata?.partition}-${metadata?.offset}`), `${i}`)
        assert.equal(metadata?.serializedKeySize, record.key.length)
        assert.equal(metadata?.serializedValueSize, record.value.length)
        if ('timestamp' in record) assert.equal(metadata?.timestamp, record.timestamp)
      }
      for (let partition = 0; partition < 3; partition++) {
        const numbers = read(broker, 'mixed', partition).map(({ key }) => Number(key))
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
        )
      }
    }))
}

test('records whose getters throw, send and flush leave those around them in place, each stored once', () =>
  withProducer({}, async (producer, broker) => {
    await producer.partitionsFor('mixed')
    const others: Promise<unknown>[] = []
    const inBetween: Record<number, () => unknown> = {
      20: () => producer.send(numbered(1020)),
      40: () => producer.sendMany([numbered(1040), numbered(1041)]),
      60: () => producer.flush(),
      70: () => producer.send({ topic: 'other', key: '1070', value: 'v' }),
    }
    const records = Array.from({ length: 300 }, (_, i) => {
      const record = numbered(i)
      if (i !== 50 && inBetween[i] === undefined) return record
      let isRead = false
      const value = () => {
        if (i === 50) throw new Error('from a getter')
        if (!isRead) others.push(Promise.resolve(inBetween[i]?.()))
        isRead = true
        return record.value
      }
      return {
        topic: record.topic,
        key: record.key,
        get value() {
          return value()
        },
      }
    })
    const error = await producer.sendMany(records).then(
      () => assert.fail('it resolved'),
      (rejected: unknown) => rejected,
    )
    await Promise.all(others)
    assert.ok(error instanceof SendManyError)
    assert.deepEqual([...error.errors.keys()], [50])
    const keys = read(broker, 'mixed').map(({ key }) => Number(key))
    const expected = [...Array(300).keys(), 1020, 1040, 1041].filter(i => i !== 50)
    assert.deepEqual(
      keys.toSorted((one, other) => one - other),
      expected,
    )
    for (let partition = 0; partition < 3; partition++) {
      const numbers = read(broker, 'mixed', partition).map(({ key }) => Number(key))
      const own = numbers.filter(i => i < 1000)
      assert.deepEqual(
        own,
        own.toSorted((one, other) => one - other),
      )
    }
    assert.equal(read(broker, 'other').length, 1)
  }))

interface Keyless {
  topic: string
  key?: Buffer
  value: Buffer
  headers?: Record<string, string>
}

/** Without a key, so that it goes where those around it go; the value begins with its number. */
function keyless(i: number, valueBytes = 20): Keyless {
  return { topic: 'mixed', value: Buffer.alloc(valueBytes, `${i};`) }
}

/** What stands between records of one size, and is not told of together with them. */
const cuts: Record<string, (i: number) => Keyless | null> = {
  nothing: keyless,
  'other sizes': i => keyless(i, 20 + (i % 3)),
  'a key': i => numbered(i),
  headers: i => ({ ...keyless(i), headers: { a: 'b' } }),
  'a record that is refused': () => null,
  'a large record': i => keyless(i, 5000),
}

for (const [name, cut] of Object.entries(cuts)) {
  for (const batchSize of [400, 16_384]) {
    test(`an array without keys has each record's metadata: ${name} between, batches of ${batchSize}`, () =>
      withProducer({ batchSize, maxRequestSize: 100_000 }, async (producer, broker) => {
        await producer.partitionsFor('mixed')
        const records = Array.from({ length: 1500 }, (_, i) => (i % 111 === 5 ? cut(i) : keyless(i)))
        const report = await producer.sendMany(records as Keyless[]).catch(error => {
          assert.ok(error instanceof SendManyError)
          for (const [i, record] of records.entries()) assert.equal(error.errors.has(i), record === null)
          return error.report
        })
        const stored = new Map(
          read(broker, 'mixed').map(
            record => [`${record.partition}-${record.offset}`, record.value] as const,
          ),
        )
        for (const [i, record] of records.entries()) {
          const { partition, offset, serializedKeySize, serializedValueSize } = report.at(i) as RecordMetadata
          assert.equal(stored.get(`${partition}-${offset}`), record?.value.toString(), `record ${i}`)
          if (record === null) continue
          assert.equal(serializedKeySize, record.key?.length ?? -1)
          assert.equal(serializedValueSize, record.value.length)
        }
      }))
  }
}

test('of an array without keys the records of a batch that fails fail, and no others', () =>
  withProducer({ batchSize: 400 }, async (producer, broker) => {
    await producer.partitionsFor('mixed')
    broker.fail({ api: 'Produce', error: 'INVALID_RECORD', times: 1 })
    const records = Array.from({ length: 300 }, (_, i) => keyless(i))
    const error = await producer.sendMany(records).catch((rejected: unknown) => rejected)
    assert.ok(error instanceof SendManyError)
    const { errors, report } = error
    assert.ok(errors.size > 0 && errors.size < records.length, `${errors.size} failed`)
    const values = new Set(read(broker, 'mixed').map(({ value }) => value))
    assert.equal(values.size, records.length - errors.size)
    for (const [i, { value }] of records.entries()) {
      assert.equal(values.has(value.toString()), !errors.has(i), `record ${i}`)
      assert.equal((report.at(i)?.offset ?? -1n) < 0n, errors.has(i), `record ${i}`)
    }
  }))

test('without memory the rest of an array waits, and goes in order with the bytes it had', () =>
  withProducer({ batchSize: 1024, bufferMemory: 4096 }, async (producer, broker) => {
    await producer.partitionsFor('mixed')
    const records = Array.from({ length: 500 }, (_, i) => {
      const { value } = numbered(i, 20 + (i % 70))
      return i % 3 === 0 ? { topic: 'mixed', value } : { ...numbered(i), value }
    })
    const report = await producer.sendMany(records)
    const stored = new Map(
      read(broker, 'mixed').map(record => [`${record.partition}-${record.offset}`, record] as const),
    )
    for (const [i, { key, value }] of records.map(record => ({ key: null, ...record })).entries()) {
      const { partition, offset } = report.at(i) as RecordMetadata
      const record = stored.get(`${partition}-${offset}`)
      assert.equal(record?.key, key === null ? null : `${i}`)
      assert.equal(record?.value, value.toString())
    }
    for (let partition = 0; partition < 3; partition++) {
      const numbers = read(broker, 'mixed', partition).map(({ value }) => Number.parseInt(value ?? '', 10))
      assert.deepEqual(
        numbers,
        numbers.toSorted((one, other) => one - other),
      )
    }
    assert.equal(producer.bufferAvailableBytes, 4096)
  }))

test('a record too large for the memory fails alone, those around it keep their bytes', () =>
  withProducer({ batchSize: 1024, bufferMemory: 2048 }, async (producer, broker) => {
    await producer.partitionsFor('mixed')
    await producer.send(numbered(0))
    const records = [numbered(1), numbered(2, 3000), numbered(3), numbered(4, 1500), numbered(5)]
    const error = await producer.sendMany(records).then(
      () => assert.fail('it resolved'),
      (rejected: unknown) => rejected,
    )
    assert.ok(error instanceof SendManyError)
    assert.deepEqual(
      [...error.errors].map(([at, { code }]) => [at, code]),
      [[1, 'RECORD_TOO_LARGE']],
    )
    const stored = new Map(read(broker, 'mixed').map(({ key, value }) => [key, value]))
    assert.deepEqual([...stored.keys()].sort(), ['0', '1', '3', '4', '5'])
    for (const { key, value } of records) {
      if (value.length < 3000) assert.equal(stored.get(key.toString()), value.toString())
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
