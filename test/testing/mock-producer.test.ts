import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  ConfigError,
  IllegalStateError,
  type KafkaError,
  type KafkaProducer,
  ProducerClosedError,
  ProducerFencedError,
  RecordMetadata,
  roundRobinPartitioner,
  SendManyError,
  SerializationError,
  serializers,
  TimeoutError,
} from '../../dist/index.js'
import { MockProducer, type MockProducerOptions } from '../../dist/testing/index.js'

const turn = () => new Promise(resolve => setImmediate(resolve))

/** What became of a promise so far. */
function watched<T>(promise: Promise<T>) {
  const seen: { value?: T; error?: unknown; isSettled: boolean } = { isSettled: false }
  promise.then(
    value => Object.assign(seen, { value, isSettled: true }),
    error => Object.assign(seen, { error, isSettled: true }),
  )
  return seen
}

async function initialized(options?: MockProducerOptions): Promise<MockProducer> {
  const mock = new MockProducer(options)
  await mock.initTransactions()
  return mock
}

/** Compiles only while a mock is a producer in all it does. */
const asProducer: KafkaProducer = new MockProducer()

test('sends succeed by themselves; offsets count from 0 by partition', async () => {
  const mock = new MockProducer()
  const first = await mock.send({ topic: 't', key: 'k', value: 'value', timestamp: 5 })
  assert.ok(first instanceof RecordMetadata)
  assert.deepEqual(
    { ...(first.toJSON() as object) },
    { topic: 't', partition: 0, offset: '0', timestamp: 5, serializedKeySize: 1, serializedValueSize: 5 },
  )
  assert.equal((await mock.send({ topic: 't', value: null })).offset, 1n)
  assert.equal((await mock.send({ topic: 't', partition: 3, value: 'v' })).offset, 0n)
  assert.equal((await mock.send({ topic: 'other', value: 'v' })).offset, 0n)
  assert.equal(mock.history().length, 4)
  assert.ok(mock.flushed)
  assert.equal(asProducer.bufferTotalBytes, 33_554_432)
})

test('a record without a timestamp gets the time, as null has a size of -1', async () => {
  const before = Date.now()
  const metadata = await new MockProducer().send({ topic: 't', value: null })
  assert.ok(metadata.timestamp >= before && metadata.timestamp <= Date.now())
  assert.equal(metadata.serializedKeySize, -1)
  assert.equal(metadata.serializedValueSize, -1)
})

test('callbacks are called on a later turn, with metadata in any case', async () => {
  const mock = new MockProducer()
  const calls: [KafkaError | null, RecordMetadata][] = []
  const more = mock.send({ topic: 't', value: 'v' }, (...call) => calls.push(call))
  mock.send({ topic: 'no such topic!', value: 'v' }, (...call) => calls.push(call))
  assert.equal(more, true)
  assert.equal(calls.length, 0)
  await turn()
  assert.deepEqual(
    calls.map(([error, { offset }]) => [error?.code ?? null, offset]),
    [
      [null, 0n],
      ['TOPIC_INVALID', -1n],
    ],
  )
  assert.throws(() => mock.send({ topic: 't', value: 'v' }, 'callback' as never), TypeError)
})

test('without autoComplete sends wait, and are completed or failed one by one', async () => {
  const mock = new MockProducer({ autoComplete: false })
  const boom = new Error('boom')
  const first = watched(mock.send({ topic: 't', value: '1' }))
  const calls: [unknown, bigint][] = []
  mock.send({ topic: 't', value: '2' }, (error, { offset }) => calls.push([error, offset]))
  const third = watched(mock.send({ topic: 't', value: '3' }))
  await turn()
  assert.ok(!first.isSettled && !mock.flushed)
  assert.equal(mock.completeNext(), true)
  assert.equal(mock.errorNext(boom), true)
  assert.deepEqual(calls, [[boom, -1n]])
  await turn()
  assert.equal(first.value?.offset, 0n)
  assert.ok(!third.isSettled)
  await mock.flush()
  assert.equal(third.value?.offset, 2n)
  assert.equal(mock.completeNext(), false)
  assert.equal(mock.errorNext(boom), false)
  assert.deepEqual(
    mock.history().map(({ value }) => value),
    ['1', '2', '3'],
  )
})

test('sendMany has one promise, and each record its own outcome', async () => {
  const mock = new MockProducer({ autoComplete: false })
  const all = watched(mock.sendMany(['a', 'b', 'c'].map(value => ({ topic: 't', value }))))
  mock.completeNext()
  mock.completeNext()
  await turn()
  assert.ok(!all.isSettled)
  mock.completeNext()
  await turn()
  assert.equal(all.value?.length, 3)
  assert.equal(all.value?.[2]?.offset, 2n)
  const some = watched(mock.sendMany([{ topic: 't', value: 'd' }, null as never, { topic: 't', value: 'f' }]))
  mock.errorNext(new TimeoutError('late'))
  mock.completeNext()
  await turn()
  assert.ok(some.error instanceof SendManyError)
  assert.deepEqual(
    some.error.outcomes.map(outcome => (outcome.status === 'fulfilled' ? 'ok' : outcome.reason.code)),
    ['TIMED_OUT', 'RECORD_INVALID', 'ok'],
  )
  assert.equal((await mock.sendMany([])).length, 0)
  await assert.rejects(mock.sendMany(7 as never), { code: 'RECORD_INVALID' })
})

test('history has copies: buffers may be reused and records changed', async () => {
  const mock = new MockProducer()
  const value = Buffer.from('before')
  const record = {
    topic: 't',
    key: new Uint8Array([1]),
    value,
    headers: [['h', value]] as [string, Buffer][],
  }
  await mock.send(record)
  value.fill('x')
  record.key[0] = 9
  assert.deepEqual(mock.history(), [
    {
      topic: 't',
      key: new Uint8Array([1]),
      value: Buffer.from('before'),
      headers: [['h', Buffer.from('before')]],
    },
  ])
  const once = (function* (): Generator<[string, string]> {
    yield ['a', '1']
  })()
  await mock.send({ topic: 't', value: 'v', headers: once })
  assert.deepEqual(mock.history()[1]?.headers, [['a', '1']])
  mock.history().pop()
  assert.equal(mock.history().length, 2)
})

test('serializers are used, and what they throw fails the record alone', async () => {
  const mock = new MockProducer<number, unknown>({
    keySerializer: serializers.integer,
    valueSerializer: (topic, data) => JSON.stringify({ topic, data }),
  })
  const metadata = await mock.send({ topic: 't', key: 7, value: { a: 1 } })
  assert.equal(metadata.serializedKeySize, 4)
  assert.equal(metadata.serializedValueSize, '{"topic":"t","data":{"a":1}}'.length)
  assert.deepEqual(mock.history()[0], { topic: 't', key: 7, value: { a: 1 } })
  await assert.rejects(mock.send({ topic: 't', key: 1.5, value: 1 }), SerializationError)
  assert.equal(mock.history().length, 1)
  assert.equal((await mock.send({ topic: 't', value: 1 })).offset, 1n)
})

test('described topics: keys are placed as by a producer, partitions are checked', async () => {
  const mock = new MockProducer({ topics: { t: 6 } })
  // As Java's BuiltInPartitioner has it.
  assert.equal((await mock.send({ topic: 't', key: 'user-42', value: 'v' })).partition, 4)
  assert.equal((await mock.send({ topic: 't', partition: 5, value: 'v' })).partition, 5)
  await assert.rejects(mock.send({ topic: 't', partition: 6, value: 'v' }), { code: 'RECORD_INVALID' })
  const partitions = await mock.partitionsFor('t')
  assert.deepEqual(
    partitions.map(({ topic, partition }) => `${topic}-${partition}`),
    ['t-0', 't-1', 't-2', 't-3', 't-4', 't-5'],
  )
  assert.deepEqual(await mock.partitionsFor('other'), [])
})

test('a partitioner is asked, and its answer checked', async () => {
  const robin = new MockProducer({ topics: { t: 3 }, partitioner: roundRobinPartitioner() })
  const partitions: number[] = []
  for (let i = 0; i < 4; i++) partitions.push((await robin.send({ topic: 't', value: 'v' })).partition)
  assert.deepEqual(partitions, [0, 1, 2, 0])
  const asked: unknown[] = []
  const own = new MockProducer<string, string>({
    keySerializer: (_, key) => `<${key}>`,
    partitioner: (topic, key, value, cluster) => {
      asked.push([
        topic,
        `${key}`,
        `${value}`,
        key instanceof Uint8Array,
        cluster.partitionCountForTopic(topic),
      ])
      return 2
    },
  })
  assert.equal((await own.send({ topic: 't', key: 'k', value: 'v' })).partition, 2)
  assert.deepEqual(asked, [['t', '<k>', 'v', true, 1]])
  const wrong = new MockProducer({ topics: { t: 2 }, partitioner: () => 2 })
  await assert.rejects(wrong.send({ topic: 't', value: 'v' }), { code: 'RECORD_INVALID' })
})

for (const [what, record] of Object.entries({
  null: null,
  'a topic with a blank': { topic: 'a b', value: 'v' },
  'no value': { topic: 't', key: 'k' },
  'a number as value': { topic: 't', value: 7 },
  'a header that is a number': { topic: 't', value: 'v', headers: { h: 7 } },
  'a timestamp that is a text': { topic: 't', value: 'v', timestamp: '5' },
  'a partition below 0': { topic: 't', value: 'v', partition: -1 },
})) {
  test(`what a producer refuses a mock refuses: ${what}`, async () => {
    const mock = new MockProducer()
    await assert.rejects(mock.send(record as never), (error: KafkaError) =>
      ['RECORD_INVALID', 'TOPIC_INVALID'].includes(error.code),
    )
    assert.equal(mock.history().length, 0)
  })
}

test("a transaction's records and offsets are seen once it is committed", async () => {
  const mock = await initialized()
  mock.beginTransaction()
  await mock.send({ topic: 't', value: 'a' })
  assert.deepEqual([mock.history().length, mock.uncommittedRecords().length], [0, 1])
  const group = { groupId: 'g' }
  await mock.sendOffsetsToTransaction([], group)
  assert.equal(mock.sentOffsets(), false)
  await mock.sendOffsetsToTransaction([{ topic: 'in', partition: 0, offset: 1 }], group)
  await mock.sendOffsetsToTransaction(
    [
      { topic: 'in', partition: 0, offset: 5n },
      { topic: 'in', partition: 1, offset: 2n },
    ],
    group,
  )
  assert.equal(mock.sentOffsets(), true)
  const offsets = (of: ReadonlyMap<string, readonly { partition: number; offset: unknown }[]> | undefined) =>
    of?.get('g')?.map(({ partition, offset }) => [partition, offset])
  const expected = [
    [0, 5n],
    [1, 2n],
  ]
  assert.deepEqual(offsets(mock.uncommittedOffsets()), expected)
  assert.deepEqual(mock.consumerGroupOffsetsHistory(), [])
  await mock.commitTransaction()
  assert.deepEqual([mock.history().length, mock.uncommittedRecords().length], [1, 0])
  assert.deepEqual(offsets(mock.consumerGroupOffsetsHistory()[0]), expected)
  assert.equal(mock.uncommittedOffsets().size, 0)
  assert.deepEqual([mock.transactionCommitted, mock.transactionAborted, mock.commitCount], [true, false, 1])
  mock.beginTransaction()
  assert.deepEqual(
    [mock.transactionInFlight, mock.transactionCommitted, mock.sentOffsets()],
    [true, false, false],
  )
})

test("an aborted transaction's records and offsets are forgotten, and what is pending is completed", async () => {
  const mock = await initialized({ autoComplete: false })
  mock.beginTransaction()
  const sent = watched(mock.send({ topic: 't', value: 'a' }))
  await mock.sendOffsetsToTransaction([{ topic: 'in', partition: 0, offset: 1 }], { groupId: 'g' })
  await mock.abortTransaction()
  assert.equal(sent.value?.offset, 0n)
  assert.deepEqual([mock.history(), mock.uncommittedRecords()], [[], []])
  assert.deepEqual(mock.consumerGroupOffsetsHistory(), [])
  assert.deepEqual([mock.transactionAborted, mock.transactionInFlight, mock.commitCount], [true, false, 0])
})

test('transaction commits what its work does, or aborts and rejects', async () => {
  const mock = await initialized()
  const result = await mock.transaction(async tx => {
    await tx.send({ topic: 't', value: 'a' })
    return 'done'
  })
  assert.equal(result, 'done')
  const own = new Error('own')
  const failing = mock.transaction(async tx => {
    await tx.send({ topic: 't', value: 'b' })
    throw own
  })
  await assert.rejects(failing, error => error === own)
  assert.ok(mock.transactionAborted)
  mock.commitTransactionException = new Error('no commit')
  await assert.rejects(
    mock.transaction(() => mock.send({ topic: 't', value: 'c' })),
    error => error === mock.commitTransactionException,
  )
  assert.deepEqual([mock.history().length, mock.commitCount, mock.transactionInFlight], [1, 1, false])
})

test('calls out of place are refused as by a producer', async () => {
  const illegal = (error: unknown) => error instanceof IllegalStateError
  const mock = new MockProducer()
  const group = { groupId: 'g' }
  assert.throws(() => mock.beginTransaction(), illegal)
  assert.throws(() => mock.fenceProducer(), illegal)
  for (const call of [
    () => mock.commitTransaction(),
    () => mock.abortTransaction(),
    () => mock.sendOffsetsToTransaction([], group),
  ]) {
    await assert.rejects(call(), illegal)
  }
  await mock.initTransactions()
  await assert.rejects(mock.initTransactions(), illegal)
  await assert.rejects(mock.commitTransaction(), illegal)
  await assert.rejects(mock.abortTransaction(), illegal)
  await assert.rejects(mock.sendOffsetsToTransaction([], null as never), { code: 'RECORD_INVALID' })
  mock.beginTransaction()
  assert.throws(() => mock.beginTransaction(), illegal)
  assert.equal(mock.transactionInitialized, true)
})

test('with a transactionalId records outside a transaction are refused, without one they are taken', async () => {
  const strict = await initialized({ transactionalId: 'tx' })
  await assert.rejects(strict.send({ topic: 't', value: 'v' }), IllegalStateError)
  const lenient = await initialized()
  assert.equal((await lenient.send({ topic: 't', value: 'v' })).offset, 0n)
})

test('a fenced producer fails everything but flush and close, for good', async () => {
  const mock = await initialized()
  mock.beginTransaction()
  mock.fenceProducer()
  const fenced = (error: unknown) => error instanceof ProducerFencedError && error.fatal
  await assert.rejects(mock.send({ topic: 't', value: 'v' }), fenced)
  await assert.rejects(mock.commitTransaction(), fenced)
  await assert.rejects(mock.abortTransaction(), fenced)
  await assert.rejects(mock.initTransactions(), fenced)
  assert.throws(() => mock.beginTransaction(), fenced)
  assert.throws(() => mock.fenceProducer(), fenced)
  await mock.flush()
  await mock.close()
  assert.ok(mock.closed)
})

test('a closed producer takes nothing; what is pending can still be completed', async () => {
  const mock = await initialized({ autoComplete: false })
  const pending = watched(mock.send({ topic: 't', value: 'v' }))
  await mock.close()
  await mock.close()
  const closed = (error: unknown) => error instanceof ProducerClosedError
  await assert.rejects(mock.send({ topic: 't', value: 'v' }), closed)
  await assert.rejects(mock.flush(), closed)
  await assert.rejects(mock.commitTransaction(), closed)
  assert.throws(() => mock.beginTransaction(), closed)
  assert.ok(!pending.isSettled)
  assert.ok(mock.completeNext())
  await turn()
  assert.ok(pending.isSettled)
  await assert.rejects(mock.close({ timeoutMs: -1 }), ConfigError)
})

test('await using closes it', async () => {
  let used: MockProducer
  {
    await using mock = new MockProducer()
    used = mock
  }
  assert.ok(used.closed)
})

test('faults: each call fails with what the test has set, and changes nothing', async () => {
  const mock = await initialized()
  const own = new Error('own')
  const isOwn = (error: unknown) => error === own
  mock.beginTransactionException = own
  assert.throws(() => mock.beginTransaction(), isOwn)
  mock.beginTransactionException = null
  mock.beginTransaction()
  Object.assign(mock, { sendException: own, flushException: own, closeException: own })
  Object.assign(mock, { partitionsForException: own, sendOffsetsToTransactionException: own })
  Object.assign(mock, { commitTransactionException: own, abortTransactionException: own })
  await assert.rejects(mock.send({ topic: 't', value: 'v' }), isOwn)
  const told = new Promise(resolve => {
    mock.send({ topic: 't', value: 'v' }, resolve)
  })
  assert.equal(await told, own)
  await assert.rejects(mock.flush(), isOwn)
  await assert.rejects(mock.close(), isOwn)
  await assert.rejects(mock.partitionsFor('t'), isOwn)
  await assert.rejects(mock.sendOffsetsToTransaction([], { groupId: 'g' }), isOwn)
  await assert.rejects(mock.commitTransaction(), isOwn)
  await assert.rejects(mock.abortTransaction(), isOwn)
  assert.ok(mock.transactionInFlight && !mock.closed)
  assert.deepEqual(mock.uncommittedRecords(), [])
  const other = new MockProducer()
  other.initTransactionException = own
  await assert.rejects(other.initTransactions(), isOwn)
  assert.equal(other.transactionInitialized, false)
})

test('clear forgets records and pending sends; offsets go on', async () => {
  const mock = await initialized({ autoComplete: false })
  mock.beginTransaction()
  const forgotten = watched(mock.send({ topic: 't', value: 'v' }))
  await mock.sendOffsetsToTransaction([{ topic: 'in', partition: 0, offset: 1 }], { groupId: 'g' })
  mock.clear()
  assert.deepEqual([mock.flushed, mock.sentOffsets(), mock.uncommittedOffsets().size], [true, false, 0])
  assert.deepEqual(mock.uncommittedRecords(), [])
  assert.ok(mock.transactionInFlight && !forgotten.isSettled)
  const next = mock.send({ topic: 't', value: 'v' })
  await mock.flush()
  assert.equal((await next).offset, 1n)
})

test('a full buffer is what the test says: send answers false, and ready waits', async () => {
  const mock = new MockProducer({ bufferMemory: 100 })
  await mock.ready()
  mock.bufferAvailableBytes = 0
  assert.equal(
    mock.send({ topic: 't', value: 'v' }, () => {}),
    false,
  )
  const ready = watched(mock.ready())
  const controller = new AbortController()
  const aborted = watched(mock.ready({ signal: controller.signal }))
  controller.abort(new Error('own'))
  await turn()
  assert.ok(!ready.isSettled)
  assert.equal((aborted.error as Error).message, 'own')
  mock.bufferAvailableBytes = 50
  await turn()
  assert.ok(ready.isSettled)
  assert.equal(mock.bufferTotalBytes, 100)
})

test('metrics and the client instance id are what the test sets', async () => {
  const mock = new MockProducer()
  const metric = { name: 'record-send-total', group: 'producer-metrics', description: '', tags: {}, value: 1 }
  mock.setMockMetrics(metric)
  mock.setMockMetrics({ ...metric, value: 2 })
  mock.setMockMetrics({ ...metric, tags: { topic: 't' } })
  assert.deepEqual(
    mock.metrics().map(({ value }) => value),
    [2, 1],
  )
  mock.registerMetricForSubscription(metric)
  assert.deepEqual(mock.addedMetrics(), [metric])
  mock.unregisterMetricFromSubscription(metric)
  assert.deepEqual(mock.addedMetrics(), [])
  await assert.rejects(mock.clientInstanceId(), IllegalStateError)
  mock.setClientInstanceId('id')
  mock.injectTimeoutException(1)
  await assert.rejects(mock.clientInstanceId(), TimeoutError)
  assert.equal(await mock.clientInstanceId(), 'id')
  mock.disableTelemetry()
  await assert.rejects(mock.clientInstanceId(), IllegalStateError)
})

for (const [key, options] of Object.entries({
  keySerializer: { keySerializer: 'String' },
  valueSerializer: { valueSerializer: {} },
  partitioner: { partitioner: 'RoundRobin' },
  topics: { topics: { t: 0 } },
  bootstrapServers: { bootstrapServers: 'localhost:9092' },
})) {
  test(`an option that makes no sense is refused by name: ${key}`, () => {
    assert.throws(() => new MockProducer(options as never), { code: 'CONFIG_INVALID', key })
  })
}

/** Runs a module in a process of its own; answers what it wrote. */
function runModule(code: string, env: Record<string, string> = {}): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  })
  assert.equal(status, 0, stderr)
  return stdout.trim()
}

const entry = (name: string) => JSON.stringify(new URL(`../../dist/${name}`, import.meta.url).href)

test('a mock and the streams work where there is no native addon', () => {
  const missing = fileURLToPath(new URL('no-such-addon.node', import.meta.url))
  const code = `
    import { MockProducer } from ${entry('testing/index.js')}
    import { sendAll } from ${entry('streams/index.js')}
    import { Producer } from ${entry('index.js')}
    const mock = new MockProducer()
    const { records } = await sendAll(mock, ['a', 'b'], { topic: 't' })
    let code
    try { new Producer({ bootstrapServers: 'localhost:1' }) } catch (error) { code = error.code }
    console.log(records, mock.history().length, code)`
  assert.equal(runModule(code, { MILLRACE_ADDON: missing }), '2 2 NATIVE_ADDON')
})

test('importing millrace/testing loads no native addon', { skip: process.platform !== 'linux' }, () => {
  const mapped = `(await import('node:fs')).readFileSync('/proc/self/maps', 'utf8').includes('millrace.node')`
  const code = `
    await import(${entry('testing/index.js')})
    const before = ${mapped}
    const { Producer } = await import(${entry('index.js')})
    const producer = new Producer({ bootstrapServers: 'localhost:1' })
    console.log(before, ${mapped})
    await producer.close({ timeoutMs: 0 })`
  // That it is found once a producer is made shows that it would be.
  assert.equal(runModule(code), 'false true')
})
