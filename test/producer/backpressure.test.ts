// Sends beyond buffer.memory wait as copies that are counted and bounded; the caller can tell and wait.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BufferExhaustedError,
  ConfigError,
  InvalidRecordError,
  Producer,
  type ProducerOptions,
} from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'

const MiB = 1024 * 1024
const VALUE = Buffer.alloc(10_000, 'v')

function newProducer(broker: TestBroker, options: Partial<ProducerOptions> = {}): Producer {
  const { bootstrapServers } = broker
  return new Producer({ bootstrapServers, bufferMemory: MiB, batchSize: 64 * 1024, lingerMs: 0, ...options })
}

test('send with a callback answers false when the memory is used up, and ready waits until there is room', async () => {
  await using broker = await startBroker({ partitions: 2, quiet: true, retain: 'none' })
  await using producer = newProducer(broker)
  await producer.partitionsFor('t')
  const { release } = broker.hold({ api: 'Produce' })
  let failed = 0
  let sent = 0
  const send = () => {
    sent++
    return producer.send({ topic: 't', value: VALUE }, error => {
      if (error !== null) failed++
    })
  }
  while (send()) assert.ok(sent < 1000, 'it never said that there is no room')
  assert.ok(producer.waitingBytes > 0)
  let isReady = false
  const ready = producer.ready().then(() => {
    isReady = true
  })
  await new Promise(resolve => setTimeout(resolve, 30))
  assert.equal(isReady, false)
  release()
  await ready
  assert.equal(producer.waitingBytes, 0)
  await producer.flush()
  assert.equal(failed, 0)
})

test('a loop that respects ready keeps its copies small, and nothing is refused', async () => {
  await using broker = await startBroker({ partitions: 2, quiet: true, retain: 'none' })
  await using producer = newProducer(broker)
  let failed = 0
  let most = 0
  for (let i = 0; i < 4000; i++) {
    const more = producer.send({ topic: 't', value: VALUE }, error => {
      if (error !== null) failed++
    })
    most = Math.max(most, producer.waitingBytes)
    if (!more) await producer.ready()
  }
  await producer.flush()
  assert.equal(failed, 0)
  assert.ok(most < 2 * MiB, `${most} bytes waited`)
})

for (const what of ['memory', 'metadata'] as const) {
  test(`records that wait for ${what} take at most maxBlockBytes; those beyond are refused at once`, async () => {
    await using broker = await startBroker({ partitions: 1, quiet: true, autoCreateTopics: false })
    await using producer = newProducer(broker, { maxBlockBytes: 3 * MiB })
    if (what === 'memory') {
      broker.createTopic('t')
      await producer.partitionsFor('t')
      broker.hold({ api: 'Produce' })
    }
    const refused: unknown[] = []
    for (let i = 0; i < 1000; i++)
      producer.send({ topic: 't', value: VALUE }).catch(error => refused.push(error))
    await new Promise(resolve => setTimeout(resolve, 20))
    assert.ok(producer.waitingBytes <= 3 * MiB)
    assert.ok(producer.waitingBytes > 2 * MiB)
    assert.ok(refused.length > 500, `${refused.length} were refused`)
    assert.ok(refused.every(error => error instanceof BufferExhaustedError))
    await producer.close({ timeoutMs: 0 })
    assert.equal(producer.waitingBytes, 0)
  })
}

test('strings that wait are counted, too', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true, autoCreateTopics: false })
  await using producer = newProducer(broker)
  producer.send({ topic: 't', value: 'x'.repeat(100_000) }).catch(() => {})
  assert.ok(producer.waitingBytes >= 100_000)
  await producer.close({ timeoutMs: 0 })
})

test('ready gives up by its signal, with the reason of that', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  await using producer = newProducer(broker)
  await producer.partitionsFor('t')
  broker.hold({ api: 'Produce' })
  while (producer.send({ topic: 't', value: VALUE }, () => {}));
  const reason = new Error('enough')
  await assert.rejects(producer.ready({ signal: AbortSignal.abort(reason) }), reason)
  const controller = new AbortController()
  const ready = producer.ready({ signal: controller.signal })
  controller.abort(reason)
  await assert.rejects(ready, reason)
  await producer.close({ timeoutMs: 0 })
})

const shapes: [what: string, record: object, named: RegExp][] = [
  ['no value', { topic: 't' }, /has no value/],
  ['an undefined value', { topic: 't', value: undefined }, /has no value/],
  ['a misspelt value', { topic: 't', vlaue: 'x' }, /"vlaue"/],
  ["kafkajs' messages", { topic: 't', messages: [{ value: 'x' }] }, /"messages"/],
]
for (const [what, record, named] of shapes) {
  test(`a record with ${what} is refused by name in every way to send, and null is a tombstone`, async () => {
    await using broker = await startBroker({ partitions: 1, quiet: true })
    await using producer = newProducer(broker)
    for (let round = 0; round < 2; round++) {
      const wrong = record as never
      const isNamed = (error: unknown) => error instanceof InvalidRecordError && named.test(error.message)
      await assert.rejects(producer.send(wrong), isNamed)
      const called = await new Promise(resolve => producer.send(wrong, resolve))
      assert.ok(isNamed(called))
      const good = { topic: 't', value: null }
      await assert.rejects(
        producer.sendMany([good, wrong, good]),
        ({ errors }: { errors: Map<number, unknown> }) => {
          assert.deepEqual([...errors.keys()], [1])
          return isNamed(errors.get(1))
        },
      )
    }
    assert.ok([...broker.records('t')].every(({ value }) => value === null))
  })
}

test('sendMany takes any iterable, and a timestamp may be a Date', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  await using producer = newProducer(broker)
  const at = new Date(1_700_000_000_123)
  function* records() {
    for (let i = 0; i < 500; i++) yield { topic: 't', value: `${i}`, timestamp: at }
  }
  const report = await producer.sendMany(records())
  assert.equal(report.length, 500)
  assert.equal(report.at(7)?.timestamp, at.getTime())
  assert.equal((await producer.sendMany(new Set([{ topic: 't', value: 'a' }]))).length, 1)
  for (const wrong of ['text', 5, null, {}, (async function* () {})()])
    await assert.rejects(producer.sendMany(wrong as never), InvalidRecordError)
  await assert.rejects(
    producer.send({ topic: 't', value: 'a', timestamp: new Date(Number.NaN) }),
    InvalidRecordError,
  )
})

test('unknown members of the options of a call are refused by name', async () => {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  await using producer = newProducer(broker)
  const refusal = (name: string) => (error: unknown) =>
    error instanceof ConfigError && error.message.includes(name)
  await assert.rejects(producer.close({ timeout: 5 } as never), refusal('"timeout"'))
  await assert.rejects(producer.flush({ sginal: 1 } as never), refusal('"sginal"'))
  await assert.rejects(producer.ready({ sginal: 1 } as never), refusal('"sginal"'))
})
