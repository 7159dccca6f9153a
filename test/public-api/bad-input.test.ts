import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, type ProducerRecord } from '../../dist/index.js'
import { read, withProducer } from './support.js'

const detached = new Uint8Array(4)
structuredClone(detached.buffer, { transfer: [detached.buffer] })

class Unreadable {
  get topic(): string {
    throw new RangeError('no topic today')
  }
}

const badRecords: [string, unknown, code: string, names: RegExp][] = [
  ['a missing topic', { value: 'v' }, 'TOPIC_INVALID', /topic/],
  ['a null topic', { topic: null, value: 'v' }, 'TOPIC_INVALID', /null/],
  ['an empty topic', { topic: '', value: 'v' }, 'TOPIC_INVALID', /empty/],
  ['an over-long topic', { topic: 't'.repeat(250), value: 'v' }, 'TOPIC_INVALID', /250/],
  ['a topic of wrong characters', { topic: 'a b', value: 'v' }, 'TOPIC_INVALID', /a b/],
  ['the topic ..', { topic: '..', value: 'v' }, 'TOPIC_INVALID', /\.\./],
  ['a negative partition', { topic: 'bad', partition: -1, value: 'v' }, 'RECORD_INVALID', /partition.*-1/],
  [
    'a fractional partition',
    { topic: 'bad', partition: 0.5, value: 'v' },
    'RECORD_INVALID',
    /partition.*0\.5/,
  ],
  [
    'a partition of a wrong type',
    { topic: 'bad', partition: '1', value: 'v' },
    'RECORD_INVALID',
    /partition/,
  ],
  ['a partition that is not there', { topic: 'bad', partition: 3, value: 'v' }, 'TIMED_OUT', /3 partition/],
  [
    'a partition beyond int32',
    { topic: 'bad', partition: 2 ** 31, value: 'v' },
    'RECORD_INVALID',
    /partition/,
  ],
  ['a negative timestamp', { topic: 'bad', timestamp: -1, value: 'v' }, 'RECORD_INVALID', /timestamp.*-1/],
  [
    'a timestamp NaN',
    { topic: 'bad', timestamp: Number.NaN, value: 'v' },
    'RECORD_INVALID',
    /timestamp.*NaN/,
  ],
  [
    'a timestamp beyond int64',
    { topic: 'bad', timestamp: 2 ** 63, value: 'v' },
    'RECORD_INVALID',
    /timestamp/,
  ],
  [
    'a timestamp of a wrong type',
    { topic: 'bad', timestamp: 'now', value: 'v' },
    'RECORD_INVALID',
    /timestamp/,
  ],
  [
    'a value over max.request.size',
    { topic: 'bad', value: 'x'.repeat(60_000) },
    'RECORD_TOO_LARGE',
    /max\.request\.size/,
  ],
  [
    'a value over buffer.memory',
    { topic: 'bad', value: Buffer.alloc(45_000) },
    'RECORD_TOO_LARGE',
    /buffer\.memory/,
  ],
  ['a number for a value', { topic: 'bad', value: 1 }, 'RECORD_INVALID', /string, a Uint8Array or null/],
  ['an object for a key', { topic: 'bad', key: {}, value: 'v' }, 'RECORD_INVALID', /Key and value/],
  ['a plain array for a value', { topic: 'bad', value: [1, 2] }, 'RECORD_INVALID', /Uint8Array/],
  [
    'a Float64Array for a value',
    { topic: 'bad', value: new Float64Array(2) },
    'RECORD_INVALID',
    /Uint8Array/,
  ],
  ['a detached value', { topic: 'bad', value: detached }, 'RECORD_INVALID', /detached/],
  ['a detached key', { topic: 'bad', key: detached, value: 'v' }, 'RECORD_INVALID', /detached/],
  [
    'a header value of a wrong type',
    { topic: 'bad', headers: { size: 5 } },
    'RECORD_INVALID',
    /"size".*number/,
  ],
  ['a header value undefined', { topic: 'bad', headers: { size: undefined } }, 'RECORD_INVALID', /"size"/],
  ['a header name of a wrong type', { topic: 'bad', headers: [[1, 'x']] }, 'RECORD_INVALID', /header name/],
  ['headers that are no pairs', { topic: 'bad', headers: ['x'] }, 'RECORD_INVALID', /pair/],
  ['headers that are no object', { topic: 'bad', headers: 'x' }, 'RECORD_INVALID', /headers/],
  ['a record that is null', null, 'RECORD_INVALID', /object/],
  ['a record that is a string', 'record', 'RECORD_INVALID', /object/],
  ['a getter that throws', new Unreadable(), 'RECORD_INVALID', /no topic today/],
]

test('each bad record gets a coded error that names the thing; nothing leaks and others are unharmed', () =>
  withProducer(
    { maxRequestSize: 50_000, bufferMemory: 40_000, batchSize: 4000, maxBlockMs: 500 },
    async (producer, broker) => {
      await producer.partitionsFor('bad')
      for (const [what, record, code, names] of badRecords) {
        const good = producer.send({ topic: 'good', partition: 0, value: what })
        await assert.rejects(
          producer.send(record as ProducerRecord),
          (error: Error & { code?: string }) => {
            assert.equal(error.code, code, `${what}: ${error.message}`)
            assert.match(error.message, names, what)
            return true
          },
          what,
        )
        await good
      }
      await producer.flush()
      assert.equal(producer.bufferAvailableBytes, producer.bufferTotalBytes)
      assert.deepEqual(
        read(broker, 'good').map(record => record.value),
        badRecords.map(([what]) => what),
      )
      assert.equal(Array.from(broker.records('bad')).length, 0)
    },
  ))

test('the constructor refuses bad options by name', () => {
  const bootstrapServers = '127.0.0.1:1'
  const bad: [object, RegExp][] = [
    [{}, /bootstrap\.servers/],
    [{ bootstrapServers: '' }, /bootstrap\.servers/],
    [{ bootstrapServers: 'no-port' }, /bootstrap\.servers/],
    [{ bootstrapServers, lingerMS: 5 }, /lingerMS/],
    [{ bootstrapServers, 'linger.ms': -1 }, /linger\.ms/],
    [{ bootstrapServers, acks: 2 }, /acks/],
    [{ bootstrapServers, compressionType: 'brotli' }, /compression\.type/],
    [{ bootstrapServers, deliveryTimeoutMs: 10, requestTimeoutMs: 20 }, /delivery\.timeout\.ms/],
    [{ bootstrapServers, configProviders: 'env' }, /config\.providers/],
    [{ bootstrapServers, compressionLz4Level: 18 }, /compression\.lz4\.level/],
  ]
  for (const [options, names] of bad) {
    assert.throws(
      () => new Producer(options as never),
      (error: Error) => names.test(error.message) && error.name === 'ConfigError',
    )
  }
})

test('a value over max.request.size is refused without waiting for its topic to be known', async () => {
  const producer = new Producer({ bootstrapServers: '127.0.0.1:1', maxRequestSize: 50_000, logger: quiet })
  try {
    const sent = producer.send({ topic: 'unknown', value: Buffer.alloc(60_000) })
    await assert.rejects(sent, { code: 'RECORD_TOO_LARGE' })
  } finally {
    await producer.close({ timeoutMs: 0 })
  }
})

test('an unreachable bootstrap server ends sends after max.block.ms with the reason', async () => {
  await using producer = new Producer({ bootstrapServers: '127.0.0.1:1', maxBlockMs: 400, logger: quiet })
  const startedMs = performance.now()
  await assert.rejects(producer.send({ topic: 't', value: 'v' }), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'TIMED_OUT')
    assert.match(error.message, /t is not in the cluster's metadata.*127\.0\.0\.1:1/)
    return true
  })
  assert.ok(performance.now() - startedMs < 5000)
  await assert.rejects(producer.partitionsFor('t'), { code: 'TIMED_OUT' })
})

test('sends that find no memory are refused after max.block.ms', () =>
  withProducer({ bufferMemory: 20_000, batchSize: 10_000, maxBlockMs: 300 }, async (producer, broker) => {
    await producer.partitionsFor('full')
    const held = broker.hold({ api: 'Produce' })
    const sends = Array.from({ length: 10 }, () =>
      producer.send({ topic: 'full', value: Buffer.alloc(8000) }),
    )
    const late = await Promise.allSettled(sends.slice(2))
    for (const outcome of late) {
      assert.equal(outcome.status, 'rejected')
      assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'BUFFER_EXHAUSTED')
    }
    held.release()
    await Promise.all(sends.slice(0, 2))
    assert.equal(read(broker, 'full').length, 2)
  }))

const silent = () => {}
const quiet = { debug: silent, info: silent, warn: silent, error: silent }
