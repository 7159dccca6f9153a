import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidRecordError, Producer } from '../../dist/index.js'
import { cloudEventRecord, recordOfCloudEventMessage } from '../../dist/schema-registry/index.js'
import { startBroker } from '../../dist/testing/index.js'

const event = {
  id: '42',
  source: '/shop',
  type: 'shop.order.placed',
  subject: 'orders/a',
  time: new Date(0),
  datacontenttype: 'application/json',
  dataschema: 'urn:order',
  partitionkey: 'user-1',
  priority: 5,
  data: { id: 'a' },
}

test('binary: the attributes are headers, the data is the value, the key is the partition key', () => {
  assert.deepEqual(cloudEventRecord(event, { topic: 't' }), {
    topic: 't',
    key: 'user-1',
    value: '{"id":"a"}',
    headers: [
      ['ce_specversion', '1.0'],
      ['ce_id', '42'],
      ['ce_source', '/shop'],
      ['ce_type', 'shop.order.placed'],
      ['ce_subject', 'orders/a'],
      ['ce_time', '1970-01-01T00:00:00.000Z'],
      ['content-type', 'application/json'],
      ['ce_dataschema', 'urn:order'],
      ['ce_partitionkey', 'user-1'],
      ['ce_priority', '5'],
    ],
  })
})

test('binary: bytes and text stay as they are, objects say that they are JSON, nothing is a tombstone', () => {
  const of = (data: unknown, more = {}) => {
    return cloudEventRecord({ id: '1', source: 's', type: 't', data, ...more }, { topic: 't' })
  }
  const bytes = Uint8Array.of(1, 2)
  assert.equal(of(bytes).value, bytes)
  assert.equal(of('text').value, 'text')
  assert.deepEqual(Array.from(of({ a: 1 }).headers as [string, string][]).at(-1), [
    'content-type',
    'application/json',
  ])
  assert.equal(of(undefined).value, null)
  assert.equal(of(null).key, null)
  assert.deepEqual(of(undefined, { data_base64: 'AQI=' }).value, Buffer.from(bytes))
})

test('binary: data may be left to the value serializer', () => {
  const data = { id: 'a' }
  const record = cloudEventRecord<object>({ ...event, data }, { topic: 't', data: 'keep', key: null })
  assert.equal(record.value, data)
  assert.equal(record.key, null)
})

test('structured: the event as JSON', () => {
  const record = cloudEventRecord(event, { topic: 't', mode: 'structured', key: 'other' })
  assert.equal(record.key, 'other')
  assert.deepEqual(record.headers, [['content-type', 'application/cloudevents+json; charset=utf-8']])
  const { time, ...rest } = event
  assert.deepEqual(JSON.parse(record.value as string), {
    specversion: '1.0',
    ...rest,
    time: time.toISOString(),
  })
  const bytes = cloudEventRecord({ ...event, data: Uint8Array.of(1) }, { topic: 't', mode: 'structured' })
  const parsed = JSON.parse(bytes.value as string)
  assert.equal(parsed.data_base64, 'AQ==')
  assert.ok(!('data' in parsed))
})

const wrong: [string, object | null][] = [
  ['no event', null],
  ['no id', { source: 's', type: 't' }],
  ['an empty source', { id: '1', source: '', type: 't' }],
  ['no type', { id: '1', source: 's' }],
  ['another version', { id: '1', source: 's', type: 't', specversion: '0.3' }],
  ['a name that the binding cannot have', { id: '1', source: 's', type: 't', traceParent: 'x' }],
  ['an attribute that is an object', { id: '1', source: 's', type: 't', extra: {} }],
]
for (const [name, given] of wrong) {
  test(`${name} is refused`, () => {
    assert.throws(() => cloudEventRecord(given as never, { topic: 't' }), InvalidRecordError)
  })
}

test('messages of the package cloudevents: an object value, a timestamp as text', () => {
  const message = {
    key: 'k',
    value: { id: 'a' },
    headers: { ce_id: '1', 'content-type': 'application/json', ce_subject: undefined },
    timestamp: '1700000000000',
    body: { id: 'a' },
  }
  assert.deepEqual(recordOfCloudEventMessage('t', message), {
    topic: 't',
    key: 'k',
    value: '{"id":"a"}',
    headers: [
      ['ce_id', '1'],
      ['content-type', 'application/json'],
    ],
    timestamp: 1_700_000_000_000,
  })
  assert.throws(() => recordOfCloudEventMessage('t', { timestamp: 'soon' }), InvalidRecordError)
})

test('both modes arrive as a consumer expects them', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 0 })
  await producer.send(cloudEventRecord(event, { topic: 't' }))
  await producer.send(cloudEventRecord(event, { topic: 't', mode: 'structured' }))
  const [binary, structured] = Array.from(broker.records('t'))
  assert.equal(Buffer.from(binary?.value as Uint8Array).toString(), '{"id":"a"}')
  assert.equal(binary?.headers.length, 10)
  assert.equal(Buffer.from(structured?.key as Uint8Array).toString(), 'user-1')
})
