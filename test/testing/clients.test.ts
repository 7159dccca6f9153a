import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { kafkaSkip } from '../kafka/java.js'
import { findKcat, JavaClient } from '../kafka/java-client.js'
import { encodeBatch, numbered, quietBroker, RawClient, valuesOf } from './support.js'

const kcat = findKcat()
const noKcat = kcat === undefined && 'kcat is not installed'
const run = promisify(execFile)

/** Runs kcat to its end and gives its standard output; `input` is what it produces. */
async function runKcat(args: readonly string[], input?: string): Promise<string> {
  const started = run(kcat as string, args, { timeout: 20_000 })
  if (input !== undefined) started.child.stdin?.end(input)
  return (await started).stdout
}

test('kcat lists nodes, topics and leaders', { skip: noKcat }, async () => {
  await using broker = await quietBroker({ nodes: 2 })
  broker.createTopic('listed', { partitions: 2 })
  const listing = await runKcat(['-b', broker.bootstrapServers, '-L'])
  assert.match(listing, /2 brokers:/)
  assert.match(listing, /topic "listed" with 2 partitions:/)
  assert.match(listing, /partition 1, leader 2, replicas: 1,2, isrs: 1,2/)
})

test('kcat consumes what is there, with keys, headers and timestamps', { skip: noKcat }, async () => {
  await using broker = await quietBroker()
  broker.createTopic('t')
  using client = await RawClient.connect(broker)
  const headers: [string, string][] = [['h', 'x']]
  await client.produce(
    't',
    0,
    encodeBatch([
      { key: 'k', value: 'v', headers },
      { value: 'w', timestampDelta: 5 },
    ]),
  )
  const format = ['-f', '%o %T %k %s %h\n']
  const out = await runKcat(['-b', broker.bootstrapServers, '-C', '-t', 't', '-e', '-q', ...format])
  assert.equal(out, '0 1700000000000 k v h=x\n1 1700000000005  w \n')
})

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  test(`kcat produces with idempotence and compression ${codec}`, { skip: noKcat }, async () => {
    await using broker = await quietBroker()
    const to = ['-b', broker.bootstrapServers, '-P', '-t', 'made', '-z', codec]
    const lines = Array.from({ length: 50 }, (_, i) => `line ${i}`)
    await runKcat([...to, '-X', 'enable.idempotence=true'], `${lines.join('\n')}\n`)
    assert.deepEqual(valuesOf(broker, 'made'), lines)
    assert.equal(broker.counters().rejected, 0)
  })
}

test("Kafka's own Java clients create a topic, produce and consume", { skip: kafkaSkip() }, async () => {
  await using broker = await quietBroker({ nodes: 2 })
  await using java = new JavaClient()
  const { bootstrapServers } = broker
  const configs = { 'message.timestamp.type': 'LogAppendTime' }
  await java.createTopic(bootstrapServers, 't', { partitions: 3, replicationFactor: 2, configs })
  assert.equal(broker.partitions('t').length, 3)
  const headers: [string, Buffer | null][] = [
    ['h', Buffer.from('x')],
    ['n', null],
  ]
  await java.produce(bootstrapServers, 't', { key: Buffer.from('k'), value: Buffer.from('v'), headers })
  await java.produce(bootstrapServers, 't', { key: null, value: null, headers: [] })
  assert.equal(broker.counters().rejected, 0)
  const read = await java.read(bootstrapServers, 't')
  const stored = Array.from(broker.records('t'))
  const sorted = read.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
  assert.deepEqual(
    sorted.map(({ partition, offset, timestamp, key, value }) => ({
      partition,
      offset,
      timestamp,
      key,
      value,
    })),
    stored.map(({ partition, offset, timestamp, key, value }) => ({
      partition,
      offset: Number(offset),
      timestamp,
      key: key && Buffer.from(key),
      value: value && Buffer.from(value),
    })),
  )
  assert.deepEqual(sorted.find(({ key }) => key !== null)?.headers, headers)
  assert.ok(sorted.every(({ timestampType }) => timestampType === 'LogAppendTime'))
})

test("Kafka's own Java consumer reads many batches of several partitions in order", {
  skip: kafkaSkip(),
}, async () => {
  await using broker = await quietBroker({ nodes: 2 })
  broker.createTopic('t', { leaders: [1, 2] })
  await using java = new JavaClient()
  for (const partition of [0, 1]) {
    using client = await RawClient.connect(broker, partition + 1)
    for (let first = 0; first < 3000; first += 100) {
      await client.produce('t', partition, encodeBatch(numbered(100, first)))
    }
  }
  const read = await java.read(broker.bootstrapServers, 't')
  for (const partition of [0, 1]) {
    const own = read.filter(record => record.partition === partition)
    assert.deepEqual(
      own.map(({ offset, value }) => `${offset} ${value}`),
      Array.from({ length: 3000 }, (_, i) => `${i} ${i}`),
    )
  }
})
