// What makes records wait in a mock, as in a producer: serializers that get ready. And signals, health.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ConfigError,
  type KafkaError,
  type KafkaProducer,
  ProducerClosedError,
  ProducerFencedError,
  SendManyError,
  SerializationError,
  TransactionError,
} from '../../dist/index.js'
import { MockProducer } from '../../dist/testing/index.js'

const turn = () => new Promise(resolve => setImmediate(resolve))

/** Gets ready when the test says so. */
class Prepared {
  readonly asked: string[] = []
  private readonly ready = new Set<string>()
  private settle = new Map<string, { resolve: () => void; reject: (error: unknown) => void }>()

  prepare(topic: string): Promise<void> {
    this.asked.push(topic)
    return new Promise((resolve, reject) => this.settle.set(topic, { resolve, reject }))
  }

  finish(topic = 't'): void {
    this.ready.add(topic)
    this.settle.get(topic)?.resolve()
  }

  refuse(error: unknown, topic = 't'): void {
    this.settle.get(topic)?.reject(error)
  }

  serialize(topic: string, data: unknown): string {
    assert.ok(this.ready.has(topic), 'serialized before it was ready')
    return `<${data}>`
  }
}

function prepared(options: { autoComplete?: boolean; transactionalId?: string } = {}) {
  const serializer = new Prepared()
  return { serializer, mock: new MockProducer<unknown, unknown>({ ...options, valueSerializer: serializer }) }
}

/** What became of a promise so far. */
function watched<T>(promise: Promise<T>) {
  const seen: { value?: T; error?: unknown; isSettled: boolean } = { isSettled: false }
  promise.then(
    value => Object.assign(seen, { value, isSettled: true }),
    error => Object.assign(seen, { error, isSettled: true }),
  )
  return seen
}

const values = (mock: MockProducer<unknown, unknown>) => mock.history().map(({ value }) => value)

test('records wait for prepare in the order of their sends, by topic, on all ways to send', async () => {
  const { mock, serializer } = prepared()
  const bytes = Buffer.from('key')
  const first = watched(mock.send({ topic: 't', key: bytes, value: 1 }))
  const called: bigint[] = []
  mock.send({ topic: 't', value: 2 }, (_error, { offset }) => called.push(offset))
  const many = watched(mock.sendMany([3, 4].map(value => ({ topic: 't', value }))))
  bytes.fill(0)
  const other = watched(mock.send({ topic: 'u', value: 5 }))
  await turn()
  assert.deepEqual(serializer.asked, ['t', 'u'])
  assert.ok(!first.isSettled && !mock.flushed && mock.history().length === 0)
  serializer.finish('u')
  await turn()
  assert.equal(other.value?.offset, 0n)
  serializer.finish('t')
  await turn()
  assert.deepEqual([first.value?.offset, called, many.value?.at(1)?.offset], [0n, [1n], 3n])
  assert.deepEqual(values(mock), [5, 1, 2, 3, 4])
  assert.deepEqual(mock.history()[1]?.key, Buffer.from('key'))
  assert.equal(first.value?.serializedValueSize, 3)
  assert.equal((await mock.send({ topic: 't', value: 6 })).offset, 4n)
  assert.deepEqual(serializer.asked, ['t', 'u'])
  assert.ok(mock.flushed)
})

test('what prepare rejects with fails what waits, and the next record asks again', async () => {
  const { mock, serializer } = prepared()
  const cause = new Error('no registry')
  const first = watched(mock.send({ topic: 't', value: 1 }))
  const second = watched(mock.send({ topic: 't', value: 2 }))
  serializer.refuse(cause)
  await turn()
  for (const { error } of [first, second]) {
    assert.ok(error instanceof SerializationError)
    assert.equal(error.cause, cause)
  }
  assert.equal(mock.history().length, 0)
  const third = watched(mock.send({ topic: 't', value: 3 }))
  serializer.finish()
  await turn()
  assert.equal(third.value?.offset, 0n)
  assert.deepEqual(serializer.asked, ['t', 't'])
})

test('flush waits for serializers, then completes everything; completeNext does not see what waits', async () => {
  const { mock, serializer } = prepared({ autoComplete: false })
  const sent = watched(mock.send({ topic: 't', value: 1 }))
  assert.equal(mock.completeNext(), false)
  const flushed = watched(mock.flush())
  await turn()
  assert.ok(!flushed.isSettled)
  serializer.finish()
  await turn()
  assert.ok(flushed.isSettled && flushed.error === undefined)
  assert.equal(sent.value?.offset, 0n)
})

test('a commit waits for what waits, an abort fails it', async () => {
  const { mock, serializer } = prepared({ transactionalId: 'tx' })
  await mock.initTransactions()
  mock.beginTransaction()
  const aborted = watched(mock.send({ topic: 't', value: 1 }))
  await mock.abortTransaction()
  await turn()
  assert.ok(aborted.error instanceof TransactionError)
  mock.beginTransaction()
  const committed = watched(mock.send({ topic: 't', value: 2 }))
  const commit = watched(mock.commitTransaction())
  await turn()
  assert.ok(!commit.isSettled)
  serializer.finish()
  await turn()
  assert.ok(commit.isSettled && committed.value?.offset === 0n)
  assert.deepEqual(values(mock), [2])
})

test('what waits when the mock is closed or cleared is not sent later', async () => {
  const closing = prepared()
  const sent = watched(closing.mock.send({ topic: 't', value: 1 }))
  await closing.mock.close()
  closing.serializer.finish()
  await turn()
  assert.ok(sent.error instanceof ProducerClosedError)
  const clearing = prepared()
  const forgotten = watched(clearing.mock.send({ topic: 't', value: 1 }))
  clearing.mock.clear()
  clearing.serializer.finish()
  await turn()
  assert.ok(!forgotten.isSettled && clearing.mock.flushed)
  assert.deepEqual(values(clearing.mock), [])
})

test('a serializer that adds headers gets an array of its own, and the record has what it added', async () => {
  const mock = new MockProducer<unknown, unknown>({
    valueSerializer: {
      addsHeaders: true,
      serialize: (_topic, data, headers) => {
        ;(headers as [string, string][]).push(['schema', '7'])
        return String(data)
      },
    },
  })
  const headers: [string, string][] = [['a', 'b']]
  await mock.send({ topic: 't', value: 1, headers })
  await mock.send({ topic: 't', value: 2 })
  assert.deepEqual(headers, [['a', 'b']])
  assert.deepEqual(
    mock.history().map(record => record.headers),
    [
      [
        ['a', 'b'],
        ['schema', '7'],
      ],
      [['schema', '7']],
    ],
  )
})

test('a signal gives records up while they wait for a serializer, and has no effect later', async () => {
  const { mock, serializer } = prepared({ autoComplete: false })
  const reason = new Error('enough')
  const one = new AbortController()
  const given = watched(mock.send({ topic: 't', value: 1 }, { signal: one.signal }))
  const kept = watched(mock.send({ topic: 't', value: 2 }))
  const many = new AbortController()
  const some = watched(
    mock.sendMany(
      [3, 4].map(value => ({ topic: 't', value })),
      { signal: many.signal },
    ),
  )
  one.abort(reason)
  many.abort(reason)
  await turn()
  assert.equal(given.error, reason)
  assert.ok(some.error instanceof SendManyError)
  assert.deepEqual(
    some.error.outcomes.map(outcome => outcome.status === 'rejected' && outcome.reason.code),
    ['ABORTED', 'ABORTED'],
  )
  assert.equal((some.error.outcomes[0] as { reason: KafkaError }).reason.cause, reason)
  serializer.finish()
  await turn()
  const late = new AbortController()
  const accepted = watched(mock.send({ topic: 't', value: 5 }, { signal: late.signal }))
  late.abort(reason)
  await mock.flush()
  await turn()
  assert.deepEqual([kept.value?.offset, accepted.value?.offset], [0n, 1n])
  assert.deepEqual(values(mock), [2, 5])
})

test('a signal that is aborted already sends nothing; other options are refused', async () => {
  const mock: KafkaProducer = new MockProducer()
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  const record = { topic: 't', value: 'v' }
  const isReason = (error: unknown) => error === reason
  await assert.rejects(mock.send(record, { signal }), isReason)
  await assert.rejects(mock.sendMany([record], { signal }), isReason)
  await assert.rejects(mock.flush({ signal }), isReason)
  await assert.rejects(mock.ready({ signal }), isReason)
  assert.equal((mock as MockProducer).history().length, 0)
  for (const wrong of [{ sginal: signal }, { timeoutMs: 5 }]) {
    await assert.rejects(mock.send(record, wrong as never), ConfigError)
    await assert.rejects(mock.sendMany([record], wrong as never), ConfigError)
    await assert.rejects(mock.flush(wrong as never), ConfigError)
    await assert.rejects(mock.ready(wrong as never), ConfigError)
  }
  await assert.rejects(mock.close({ timeout: 5 } as never), ConfigError)
})

test('health is that of the pending sends, and what the test says of the connection', async () => {
  const mock = new MockProducer({ autoComplete: false })
  const nothing = { lastAcknowledgedMs: null, oldestUnacknowledgedMs: null, fatal: null }
  assert.deepEqual(mock.health(), { connected: true, ...nothing })
  mock.connected = false
  assert.equal(mock.health().connected, false)
  const sent = mock.send({ topic: 't', value: 'v' })
  assert.ok((mock.health().oldestUnacknowledgedMs ?? -1) >= 0)
  mock.completeNext()
  await sent
  const { lastAcknowledgedMs, oldestUnacknowledgedMs } = mock.health()
  assert.ok(lastAcknowledgedMs !== null && lastAcknowledgedMs >= 0)
  assert.equal(oldestUnacknowledgedMs, null)
  const waiting = prepared()
  waiting.mock.send({ topic: 't', value: 1 }, () => {})
  assert.ok((waiting.mock.health().oldestUnacknowledgedMs ?? -1) >= 0)
  await mock.initTransactions()
  mock.fenceProducer()
  assert.ok(mock.health().fatal instanceof ProducerFencedError)
  await mock.close()
  assert.ok(mock.health().fatal instanceof ProducerClosedError)
})
