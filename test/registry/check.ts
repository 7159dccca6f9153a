import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Producer, type ProducerOptions, SerializationError, type Serializer } from '../../dist/index.js'
import {
  avroSerializer,
  cloudEventRecord,
  confluentRegistry,
  jsonSchemaSerializer,
  kafkajsRegistrySerializer,
  protobufSerializer,
  recordOfCloudEventMessage,
  SchemaRegistryClient,
  type SchemaRegistryErrorName,
  withAsyncSerializers,
} from '../../dist/schema-registry/index.js'
import { startKafka } from '../kafka/broker.js'
import { JavaClient } from '../kafka/java-client.js'
import { Apicurio, RegistryReader, ROOT } from './apicurio.js'
import { GuidFront } from './guid-front.js'
import {
  cloudEvents,
  cloudEventsVersion,
  confluentPeer,
  confluentReader,
  confluentVersion,
  type Format,
  kafkajsPeer,
  kafkajsReader,
  kafkajsVersion,
  plain,
  type Strategy,
} from './readers.js'

const RECORDS = 50
const FORMATS: readonly Format[] = ['AVRO', 'JSON', 'PROTOBUF']
const WIRE_FORMATS = ['v0', 'v1', 'header'] as const
const STRATEGIES: readonly Strategy[] = ['topic', 'record', 'topic-record', 'associated']

const avroSchema = (name: string) => ({
  type: 'record',
  name,
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'cents', type: 'long' },
    { name: 'tags', type: { type: 'array', items: 'string' } },
  ],
})
const jsonSchema = (name: string) => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: `shop.${name}`,
  type: 'object',
  properties: {
    id: { type: 'string' },
    cents: { type: 'integer' },
    tags: { type: 'array', items: { type: 'string' } },
  },
  required: ['id', 'cents'],
})
const protoSchema = (name: string) =>
  `syntax = "proto3";\npackage shop;\nmessage ${name} {\n  string id = 1;\n  int32 cents = 2;\n` +
  `  repeated string tags = 3;\n}\n`

const data = (i: number) => ({ id: `order-${i}`, cents: i * 995 - 1, tags: ['a', `ä${i}`] })
const rows = Array.from({ length: RECORDS }, (_, i) => data(i))

function serializerOf(format: Format, name: string, options: object): Serializer<unknown> {
  if (format === 'AVRO') return avroSerializer({ schema: avroSchema(name), ...options } as never)
  if (format === 'JSON') return jsonSchemaSerializer({ schema: jsonSchema(name), ...options } as never)
  return protobufSerializer({ schema: protoSchema(name), ...options } as never)
}

const table: string[] = []
let failures = 0

async function row(cells: readonly string[], work: () => Promise<string>): Promise<void> {
  let outcome: string
  try {
    outcome = await work()
  } catch (error) {
    failures++
    outcome = `FAILED: ${error instanceof Error ? error.message.split('\n').slice(0, 3).join(' ') : String(error)}`
    console.error(error)
  }
  const line = `| ${[...cells, outcome].join(' | ')} |`
  table.push(line)
  console.log(line)
}

const startedMs = performance.now()
await using kafka = await startKafka({ properties: { 'num.partitions': 1 } })
await using apicurio = await Apicurio.reserve()
await using consumer = new JavaClient()
const servers = kafka.bootstrapServers

async function withProducer<T>(
  valueSerializer: Serializer<unknown> | undefined,
  work: (producer: Producer<unknown, unknown>) => Promise<T>,
): Promise<T> {
  await using producer = new Producer<unknown, unknown>({
    bootstrapServers: servers,
    ...(valueSerializer === undefined ? {} : { valueSerializer }),
  } as ProducerOptions<unknown, unknown>)
  return await work(producer)
}

/** Sends the rows in all three ways, without waiting for anything. */
async function sendRows(producer: Producer<unknown, unknown>, topic: string): Promise<void> {
  const third = Math.floor(RECORDS / 3)
  const sent: Promise<unknown>[] = rows.slice(0, third).map(value => producer.send({ topic, value }))
  for (const value of rows.slice(third, 2 * third)) {
    sent.push(
      new Promise((resolve, reject) => {
        producer.send({ topic, value }, error => (error === null ? resolve(null) : reject(error)))
      }),
    )
  }
  sent.push(producer.sendMany(rows.slice(2 * third).map(value => ({ topic, value }))))
  await Promise.all(sent)
}

async function expectRows(topic: string, read: Promise<unknown[]>): Promise<void> {
  assert.deepEqual((await read).map(plain), rows, `the values of ${topic}`)
}

function refusedAs(name: SchemaRegistryErrorName, errorCode: number) {
  return (error: unknown) => {
    assert.ok(error instanceof SerializationError, String(error))
    const cause = error.cause as { errorName?: string; errorCode?: number }
    assert.equal(cause.errorName, name)
    assert.equal(cause.errorCode, errorCode)
    return true
  }
}

const heads = (...names: string[]) => [
  '',
  `| ${names.join(' | ')} |`,
  `|${names.map(() => '---').join('|')}|`,
]

// ---- The registry is not there when the first records are sent.

table.push(...heads('fault', 'outcome'))
await row(['down at the start: records wait, then are stored in order'], async () => {
  using client = new SchemaRegistryClient({ urls: apicurio.url, retries: 10_000, retryBackoffMaxMs: 200 })
  await withProducer(serializerOf('AVRO', 'Late', { client, autoRegister: true }), async producer => {
    const sent = sendRows(producer, 'late')
    await sleep(2_000)
    await apicurio.start()
    await sent
  })
  await using reader = new RegistryReader(servers, apicurio.nativeUrl)
  await expectRows('late', reader.read('AVRO', 'late', RECORDS))
  return `${RECORDS} records, in order`
})
await row(['slow (stopped for 3 s, time-out 500 ms): retried, then stored in order'], async () => {
  using client = new SchemaRegistryClient({
    urls: apicurio.url,
    requestTimeoutMs: 500,
    retries: 10_000,
    retryBackoffMaxMs: 200,
  })
  await withProducer(serializerOf('JSON', 'Slow', { client, autoRegister: true }), async producer => {
    apicurio.pause(true)
    const sent = sendRows(producer, 'slow')
    await sleep(3_000)
    apicurio.pause(false)
    await sent
  })
  const records = await consumer.read(servers, 'slow')
  await expectRows('slow', kafkajsReader(apicurio.url)('slow', records))
  return `${RECORDS} records, in order`
})
await row(['slow without retries: TIMED_OUT, and the next send is stored'], async () => {
  using client = new SchemaRegistryClient({ urls: apicurio.url, requestTimeoutMs: 500, retries: 0 })
  await withProducer(serializerOf('AVRO', 'Slow2', { client, autoRegister: true }), async producer => {
    apicurio.pause(true)
    await assert.rejects(producer.send({ topic: 'slow2', value: data(0) }), refusedAs('TIMED_OUT', 0))
    apicurio.pause(false)
    await sendRows(producer, 'slow2')
  })
  await using reader = new RegistryReader(servers, apicurio.nativeUrl)
  await expectRows('slow2', reader.read('AVRO', 'slow2', RECORDS))
  return 'SerializationError, cause TIMED_OUT'
})
await row(['a subject, then a schema, that is not there: 40401, 40403; stored once registered'], async () => {
  using client = new SchemaRegistryClient({ urls: apicurio.url, notFoundTtlMs: 0 })
  await withProducer(serializerOf('AVRO', 'Unknown', { client }), async producer => {
    const send = () => producer.send({ topic: 'unknown', value: data(0) })
    await assert.rejects(send(), refusedAs('SUBJECT_NOT_FOUND', 40401))
    await client.register('unknown-value', { schema: '"string"', schemaType: 'AVRO' })
    await assert.rejects(send(), refusedAs('SCHEMA_NOT_FOUND', 40403))
    const schema = JSON.stringify(avroSchema('Unknown'))
    await client.register('unknown-value', { schema, schemaType: 'AVRO' })
    await sendRows(producer, 'unknown')
  })
  await using reader = new RegistryReader(servers, apicurio.nativeUrl)
  await expectRows('unknown', reader.read('AVRO', 'unknown', RECORDS))
  return 'SerializationError, causes SUBJECT_NOT_FOUND and SCHEMA_NOT_FOUND'
})
await row(['an incompatible schema: 409'], async () => {
  using client = new SchemaRegistryClient({ urls: apicurio.url })
  const narrow = { ...avroSchema('Narrow'), fields: [{ name: 'id', type: 'string' }] }
  await client.register('narrow-value', { schema: JSON.stringify(narrow), schemaType: 'AVRO' })
  const answer = await fetch(`${apicurio.url}/config/narrow-value`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{"compatibility":"BACKWARD"}',
  })
  assert.ok(answer.ok)
  await withProducer(serializerOf('AVRO', 'Narrow', { client, autoRegister: true }), async producer => {
    const sent = producer.send({ topic: 'narrow', value: data(0) })
    await assert.rejects(sent, refusedAs('INCOMPATIBLE_SCHEMA', 409))
  })
  return 'SerializationError, cause INCOMPATIBLE_SCHEMA'
})
await row(['a JSON schema that the registry takes for none: 42201'], async () => {
  using client = new SchemaRegistryClient({ urls: apicurio.url })
  const serializer = jsonSchemaSerializer({ client, schema: { type: 'object' }, autoRegister: true })
  await withProducer(serializer as Serializer<unknown>, async producer => {
    const sent = producer.send({ topic: 'no-draft', value: data(0) })
    await assert.rejects(sent, refusedAs('INVALID_SCHEMA', 42201))
  })
  return 'SerializationError, cause INVALID_SCHEMA'
})

// ---- Every format, wire form and strategy.

await using front = await GuidFront.start(apicurio.url)
await using java = new RegistryReader(servers, apicurio.nativeUrl)
table.push(
  ...heads('format', 'wire form', 'subjects', 'registered by', 'readers: records that they read the same'),
)
const kafkajs = kafkajsReader(apicurio.url)
for (const format of FORMATS) {
  for (const wireFormat of WIRE_FORMATS) {
    for (const strategy of STRATEGIES) {
      const topic = `${format}-${wireFormat}-${strategy}`.toLowerCase()
      const name = topic.replace(/(?:^|-)(\w)/g, (_, letter) => letter.toUpperCase())
      // Half of the rows register, half find what is registered.
      const isRegistered = STRATEGIES.indexOf(strategy) % 2 === 0
      await row(
        [format, wireFormat, strategy, isRegistered ? 'the serializer' : 'REST, looked up'],
        async () => {
          using client = new SchemaRegistryClient({ urls: wireFormat === 'v0' ? apicurio.url : front.url })
          const options = { client, wireFormat, subjectNameStrategy: strategy, autoRegister: isRegistered }
          if (!isRegistered) {
            const subject = {
              topic: '',
              record: `shop.${name}`,
              'topic-record': '',
              associated: `${topic}-value`,
            }[strategy]
            const text = {
              AVRO: JSON.stringify(avroSchema(name)),
              JSON: JSON.stringify(jsonSchema(name)),
              PROTOBUF: protoSchema(name),
            }[format]
            await client.register(subject, { schema: text, schemaType: format })
          }
          await withProducer(serializerOf(format, name, options), producer => sendRows(producer, topic))
          const records = await consumer.read(servers, topic)
          assert.equal(records.length, RECORDS)
          const isHeader = wireFormat === 'header'
          for (const record of records) assert.equal(record.headers.length, isHeader ? 1 : 0)
          await expectRows(topic, confluentReader(front.url, format, strategy)(topic, records))
          if (wireFormat !== 'v0') return `@confluentinc/schemaregistry ${RECORDS}`
          await expectRows(topic, kafkajs(topic, records))
          await expectRows(topic, java.read(format, topic, RECORDS))
          return `Java ${RECORDS}, @kafkajs ${RECORDS}, @confluentinc ${RECORDS}`
        },
      )
    }
  }
}

// ---- Several kinds, nested messages, adapters, CloudEvents.

table.push(...heads('also', 'outcome'))
const nested = `syntax = "proto3";
package shop;
message First { string x = 1; }
message Outer { message Skipped { string y = 1; } message Inner { string id = 1; int64 cents = 2; } }
`
for (const wireFormat of WIRE_FORMATS) {
  await row([`a nested Protobuf message, ${wireFormat}`], async () => {
    using client = new SchemaRegistryClient({ urls: front.url })
    const topic = `nested-${wireFormat}`
    const type = 'shop.Outer.Inner'
    const serializer = protobufSerializer({ client, schema: nested, type, wireFormat, autoRegister: true })
    const value = { id: 'a', cents: -5 }
    await withProducer(serializer as Serializer<unknown>, producer => producer.send({ topic, value }))
    const records = await consumer.read(servers, topic)
    assert.deepEqual(await confluentReader(front.url, 'PROTOBUF', 'topic')(topic, records), [value])
    if (wireFormat !== 'v0') return '@confluentinc/schemaregistry reads it'
    const [read] = (await java.read('PROTOBUF', topic, 1)) as { id: string; cents: string }[]
    // JSON of Protobuf has 64-bit numbers as text.
    assert.deepEqual({ ...read, cents: Number(read?.cents) }, value)
    return '@confluentinc/schemaregistry and Java read it'
  })
}
await row(['two kinds of Avro records in one topic, the latest versions'], async () => {
  using client = new SchemaRegistryClient({ urls: apicurio.url })
  for (const name of ['One', 'Two']) {
    const schema = JSON.stringify({ ...avroSchema(name), fields: [{ name, type: 'string' }] })
    await client.register(`shop.${name}`, { schema, schemaType: 'AVRO' })
  }
  const serializer = avroSerializer<object>({
    client,
    recordName: ['shop.One', 'shop.Two'],
    recordNameOf: value => ('One' in value ? 'shop.One' : 'shop.Two'),
    subjectNameStrategy: 'record',
  })
  const values = [{ One: 'a' }, { Two: 'b' }, { One: 'c' }]
  await withProducer(serializer as Serializer<unknown>, producer =>
    producer.sendMany(values.map(value => ({ topic: 'kinds', value }))),
  )
  assert.deepEqual((await java.read('AVRO', 'kinds', 3)).map(plain), values)
  return 'Java reads them'
})
await row(['kafkajsRegistrySerializer over the registry'], async () => {
  const registry = new (kafkajsPeer().SchemaRegistry)({ host: apicurio.url })
  using client = new SchemaRegistryClient({ urls: apicurio.url })
  const schema = JSON.stringify(avroSchema('Adapted'))
  await client.register('adapted-value', { schema, schemaType: 'AVRO' })
  await withProducer(kafkajsRegistrySerializer(registry) as Serializer<unknown>, producer =>
    sendRows(producer, 'adapted'),
  )
  await expectRows('adapted', java.read('AVRO', 'adapted', RECORDS))
  const [first] = await consumer.read(servers, 'adapted')
  const id = await registry.getLatestSchemaId('adapted-value')
  assert.deepEqual(first?.value, await registry.encode(id, data(0)))
  return `the bytes of its encode; Java reads ${RECORDS}`
})
await row(['confluentRegistry over its client of the registry, and over mock://'], async () => {
  const peer = confluentPeer()
  for (const [topic, url] of [
    ['confluent-client', front.url],
    ['confluent-mock', 'mock://check'],
  ]) {
    const theirs = peer.SchemaRegistryClient.newClient({ baseURLs: [url] })
    const client = confluentRegistry(theirs)
    const serializer = serializerOf('AVRO', 'Theirs', { client, autoRegister: true, wireFormat: 'v1' })
    await withProducer(serializer, producer => sendRows(producer, topic as string))
    const records = await consumer.read(servers, topic as string)
    const deserializer = new peer.AvroDeserializer(theirs, peer.SerdeType.VALUE, {})
    const read = Promise.all(records.map(({ value }) => deserializer.deserialize(topic, value, {})))
    await expectRows(topic as string, read)
  }
  return `its own deserializer reads ${RECORDS} of each`
})
await row(['withAsyncSerializers over its AvroSerializer, in the header'], async () => {
  const peer = confluentPeer()
  const theirs = peer.SchemaRegistryClient.newClient({ baseURLs: [front.url] })
  await theirs.register(
    'async-value',
    { schema: JSON.stringify(avroSchema('Async')), schemaType: 'AVRO' },
    false,
  )
  const value = new peer.AvroSerializer(theirs, peer.SerdeType.VALUE, {
    useLatestVersion: true,
    schemaIdSerializer: peer.HeaderSchemaIdSerializer,
  })
  await withProducer(undefined, async producer => {
    const sender = withAsyncSerializers(producer as Producer, { value })
    await Promise.all(rows.map(each => sender.send({ topic: 'async', value: each })))
  })
  const records = await consumer.read(servers, 'async')
  await expectRows('async', confluentReader(front.url, 'AVRO', 'topic')('async', records))
  return `its own deserializer reads ${RECORDS}, in order`
})
for (const mode of ['binary', 'structured'] as const) {
  await row([`CloudEvents, ${mode}`], async () => {
    const { CloudEvent, Kafka } = cloudEvents()
    const topic = `events-${mode}`
    const event = new CloudEvent({
      source: '/shop',
      type: 'shop.order',
      subject: 'a',
      partitionkey: 'user',
      datacontenttype: 'application/json',
      data: data(1),
    })
    await withProducer(undefined, async producer => {
      await producer.send(cloudEventRecord(event as never, { topic, mode }))
      await producer.send(recordOfCloudEventMessage(topic, Kafka[mode](event)))
    })
    for (const { key, value, headers, timestamp } of await consumer.read(servers, topic)) {
      const texts = headers.map(([name, bytes]) => [name, String(bytes)])
      const message = {
        key: String(key),
        value: String(value),
        headers: Object.fromEntries(texts),
        timestamp,
      }
      const read = Kafka.toEvent(message)
      for (const name of ['id', 'source', 'type', 'subject', 'partitionkey'])
        assert.equal(read[name], event[name])
      assert.deepEqual(plain(read.data), data(1))
      assert.equal(String(key), 'user')
    }
    return 'cloudevents reads ours and its own alike'
  })
}

const took = Math.round((performance.now() - startedMs) / 1000)
const text = `# The schema registry check

\`npm run registry-check\` writes this: ${RECORDS} records a row, sent in all ways without waiting for the registry,
through Apache Kafka 4.3.0 and Apicurio Registry 2.6.13.Final, and read back by others. ${took} s in all, Node
${process.versions.node}, ${new Date().toISOString().slice(0, 10)}; ${failures} failures.

Readers: Kafka's Java consumer with Apicurio's deserializers (for Protobuf with Google's parser, as Apicurio's
deserializer has another place for the message's name); \`@kafkajs/confluent-schema-registry\` ${kafkajsVersion};
\`@confluentinc/schemaregistry\` ${confluentVersion}; \`cloudevents\` ${cloudEventsVersion}. The first two know wire form v0
only. Apicurio 2.6 has no GUIDs, no associations and no \`format=serialized\`: for v1, \`header\` and Confluent's reader, a
front of the test's own adds GUIDs and serialized descriptors to Apicurio's answers (\`test/registry/guid-front.ts\`);
\`associated\` falls back to the topic's subject.
${table.join('\n')}
`
writeFileSync(join(ROOT, 'test/registry/results.md'), text)
console.log(`${failures} failures, ${took} s`)
if (failures > 0) process.exitCode = 1
