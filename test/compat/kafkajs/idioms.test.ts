// Fifteen ways of using KafkaJS that public code has, each a program that imports only millrace/kafkajs.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type BrokerRecord, startBroker, type TestBroker } from '../../../dist/testing/index.js'

const FOLDER = join(import.meta.dirname, 'idioms')
const SOURCES = join(import.meta.dirname, '../../../test/compat/kafkajs/idioms')
const PROGRAM_MS_MAX = 60_000

let broker: TestBroker
before(async () => {
  broker = await startBroker({ partitions: 1 })
})
after(() => broker.close())

interface Program {
  readonly process: ChildProcess
  readonly topic: string
  output: string
}

function start(name: string, partitions = 1): Program {
  const topic = name.slice(0, 2)
  broker.createTopic(topic, { partitions })
  const child = spawn(process.execPath, [join(FOLDER, `${name}.js`)], {
    env: { ...process.env, KAFKA_BROKERS: broker.bootstrapServers, KAFKA_TOPIC: topic },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: PROGRAM_MS_MAX,
  })
  const program: Program = { process: child, topic, output: '' }
  child.stdout.on('data', chunk => {
    program.output += chunk
  })
  return program
}

/** Runs a program until it ends by itself. */
async function run(name: string, partitions?: number): Promise<{ output: string; records: BrokerRecord[] }> {
  const program = start(name, partitions)
  const [code] = await once(program.process, 'close')
  assert.equal(code, 0, `${name} ended with ${code}: ${program.output}`)
  return { output: program.output.trim(), records: [...broker.records(program.topic)] }
}

const values = (records: readonly BrokerRecord[]) =>
  records.map(({ value }) => Buffer.from(value ?? []).toString())

test('every idiom is there and imports nothing but millrace/kafkajs', () => {
  const files = readdirSync(SOURCES)
  assert.equal(files.length, 15)
  for (const file of files) {
    const specifiers = [...readFileSync(join(SOURCES, file), 'utf8').matchAll(/from '([^']+)'/g)].map(
      ([, each]) => each,
    )
    assert.deepEqual(specifiers, ['millrace/kafkajs'], file)
  }
})

test('1: connect, send, disconnect, and the process ends', async () => {
  const { records } = await run('01-connect-send-disconnect')
  assert.deepEqual(values(records), ['Hello KafkaJS user!'])
})

test('2: without disconnect the process stays alive', async () => {
  const program = start('02-module-level-producer')
  while (!program.output.includes('ready'))
    await once(program.process.stdout as NodeJS.ReadableStream, 'data')
  const stayed = await Promise.race([
    once(program.process, 'exit').then(() => false),
    new Promise(resolve => setTimeout(() => resolve(true), 1_000)),
  ])
  program.process.kill()
  assert.equal(stayed, true)
  assert.deepEqual(values([...broker.records(program.topic)]), ['started'])
})

test('3: JSON values, and keys that are none or empty', async () => {
  const { records } = await run('03-json-values')
  assert.deepEqual(values(records), ['{"n":1}', '{"n":2}', '{"n":3}'])
  assert.deepEqual(
    records.map(({ key }) => key?.length ?? null),
    [null, null, 0],
  )
})

test("4: keys go where Java's producer puts them", async () => {
  // From Java's Utils.toPositive(Utils.murmur2(key)) % 12.
  const { output } = await run('04-keys-as-java', 12)
  const { murmur2 } = await import('../../../dist/index.js')
  const expected = ['1', '2', '3', '21', '42'].map(
    key => (murmur2(Buffer.from(key), 0, key.length) & 0x7fffffff) % 12,
  )
  assert.deepEqual(JSON.parse(output), expected)
})

test('5: the legacy partitioner, by the known hashes of its keys', async () => {
  const { records } = await run('05-legacy-partitioner', 12)
  const hashes: Record<string, number> = {
    21: 1551671162,
    foobar: 1838350373,
    abc: 1545667907,
    a: 1337597815,
  }
  assert.equal(records.length, 4)
  for (const { key, partition } of records) {
    assert.equal(partition, (hashes[Buffer.from(key as Uint8Array).toString()] as number) % 12)
  }
})

test('6: idempotent with one request in flight, in order', async () => {
  const { output, records } = await run('06-idempotent-one-in-flight')
  assert.equal(output, 'true')
  assert.deepEqual(values(records), [...Array.from({ length: 50 }, (_, i) => `${i}`), 'last'])
  assert.ok(records.every(({ producerId }) => producerId >= 0n))
})

test('7: gzip', async () => {
  const before = broker.counters().bytes
  const { records } = await run('07-gzip')
  assert.equal(records.length, 100)
  assert.ok(broker.counters().bytes - before < 6_000, 'compressed')
})

test('8: codecs registered in three shapes do no harm', async () => {
  const { records } = await run('08-registered-codecs')
  assert.deepEqual(
    values(records),
    Array.from({ length: 3 }, () => 'x'.repeat(1_000)),
  )
})

test('9: acks 0', async () => {
  const { output, records } = await run('09-fire-and-forget')
  assert.equal(output, '[]')
  assert.deepEqual(values(records), ['metrics'])
})

test('10: DISCONNECT, and connect again', async () => {
  const { output, records } = await run('10-lazy-reconnect')
  assert.equal(output, 'false\nfalse\nfalse')
  assert.deepEqual(values(records), ['0', '1', '2'])
})

test('11: metrics of requests', async () => {
  const { output } = await run('11-metrics-of-requests')
  assert.deepEqual(JSON.parse(output), { produced: 1, timeouts: 0 })
})

test('12: send is replaced', async () => {
  const { output, records } = await run('12-wrapped-send')
  assert.equal(output, '1')
  assert.deepEqual(
    records.map(({ headers }) => headers.map(([name]) => name)),
    [['traceparent']],
  )
})

test('13: errors by class, name, type, code and cause', async () => {
  const { output } = await run('13-errors')
  assert.deepEqual(JSON.parse(output), ['INVALID_TOPIC_EXCEPTION 17', 'UNKNOWN_TOPIC_OR_PARTITION'])
})

test('14: transactions with offsets', async () => {
  await run('14-transactions')
  const committed = [...broker.records('14', undefined, { isolation: 'read_committed' })]
  assert.deepEqual(values(committed), ['0', '1', '3', '4'])
  assert.deepEqual(
    broker.committedOffsets('group-14').map(({ topic, offset }) => [topic, Number(offset)]),
    [['source', 5]],
  )
})

test('15: batches, and thousands of sends at once', async () => {
  const { output, records } = await run('15-batches-and-many-sends')
  assert.deepEqual(JSON.parse(output), { topics: 2, sends: 5_000 })
  assert.equal(records.length, 5_002)
  assert.deepEqual(
    records[0]?.headers.map(([name, value]) => [name, Buffer.from(value ?? []).toString('hex')]),
    [
      ['id', '0102'],
      ['tags', '61'],
      ['tags', '62'],
    ],
  )
})
