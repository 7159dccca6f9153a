// A signal gives records up while they wait for metadata or memory, and has no effect later.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, Producer, type ProducerOptions, SendManyError } from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'

const REASON = new Error('enough')

function newProducer(broker: TestBroker, options: Partial<ProducerOptions> = {}): Producer {
  return new Producer({
    bootstrapServers: broker.bootstrapServers,
    lingerMs: 0,
    retryBackoffMs: 5,
    ...options,
  })
}

test('a record that waits for its topic is given up, and the others around it are stored in order', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true, autoCreateTopics: false })
  await using producer = newProducer(broker)
  const controller = new AbortController()
  const before = producer.send({ topic: 't', value: 'a' })
  const given = producer.send({ topic: 't', value: 'b' }, { signal: controller.signal })
  const after = producer.send({ topic: 't', value: 'c' })
  controller.abort(REASON)
  await assert.rejects(given, REASON)
  broker.createTopic('t')
  assert.equal((await before).offset, 0n)
  assert.equal((await after).offset, 1n)
  assert.deepEqual(
    broker.records('t').map(({ value }) => String(value)),
    ['a', 'c'],
  )
})

test('a record that waits for memory is given up, alone or in an array, and a flush does not wait for it', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  await using producer = newProducer(broker, { bufferMemory: 32_768, batchSize: 16_384 })
  await producer.partitionsFor('t')
  const { release } = broker.hold({ api: 'Produce' })
  const value = 'x'.repeat(10_000)
  const sent = [1, 2, 3].map(() => producer.send({ topic: 't', value }))
  assert.ok(producer.waitingBytes > 0)
  const controller = new AbortController()
  const { signal } = controller
  const given = producer.send({ topic: 't', value }, { signal })
  const many = producer.sendMany(
    [
      { topic: 't', value },
      { topic: 't', value },
    ],
    { signal },
  )
  const flushed = producer.flush()
  controller.abort(REASON)
  await assert.rejects(given, REASON)
  await assert.rejects(many, (error: SendManyError) => {
    assert.ok(error instanceof SendManyError)
    assert.deepEqual(
      [...error.errors.values()].map(({ code, cause }) => [code, cause]),
      [
        ['ABORTED', REASON],
        ['ABORTED', REASON],
      ],
    )
    return true
  })
  release()
  await Promise.all(sent)
  await flushed
  assert.equal(broker.records('t').length, 3)
  assert.equal(producer.waitingBytes, 0)
})

test('a record in a batch goes its way, whatever the signal says', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  await using producer = newProducer(broker)
  await producer.partitionsFor('t')
  const { release } = broker.hold({ api: 'Produce' })
  const controller = new AbortController()
  const sent = producer.send({ topic: 't', value: 'a' }, { signal: controller.signal })
  await eventually('it is in a batch', () => producer.waitingBytes === 0)
  controller.abort(REASON)
  release()
  assert.equal((await sent).offset, 0n)
})

test('a signal that is aborted sends nothing, and unknown options are refused by name', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  await using producer = newProducer(broker)
  const signal = AbortSignal.abort(REASON)
  await assert.rejects(producer.send({ topic: 't', value: 'a' }, { signal }), REASON)
  await assert.rejects(producer.sendMany([{ topic: 't', value: 'a' }], { signal }), REASON)
  await assert.rejects(producer.send({ topic: 't', value: 'a' }, { sginal: signal } as object), ConfigError)
  await assert.rejects(producer.sendMany([], { sginal: signal } as never), ConfigError)
  await producer.send({ topic: 't', value: 'b' }, {})
  assert.equal(broker.records('t').length, 1)
})
