import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { KafkaError, Producer, type ProducerRecord, SendManyError } from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { detach } from '../native/hostile-values.js'
import { HostileProducer } from './hostile-producer.js'

const SEED = Number(process.env.HOSTILE_SEED ?? 20_261_121)
/** Long enough to send, short enough for a record that waits in vain. */
const MAX_BLOCK_MS = 20_000

let broker: TestBroker
let producer: Producer
before(async () => {
  broker = await startBroker({ quiet: true })
  broker.createTopic('t')
  producer = new Producer({
    bootstrapServers: broker.bootstrapServers,
    maxBlockMs: MAX_BLOCK_MS,
    lingerMs: 0,
  })
  await producer.partitionsFor('t')
})
after(async () => {
  await producer.close()
  await broker.close()
})

class Liar extends Uint8Array {
  lie = 0
  override get length(): number {
    return this.lie
  }
}

function liar(bytes: string, lie: number): Liar {
  const view = new Liar(Buffer.from(bytes))
  view.lie = lie
  return view
}

const lastValue = () => Buffer.from([...broker.records('t')].at(-1)?.value ?? []).toString()

test('40,000 hostile calls of producers settle with coded errors and do no harm to sound records', async () => {
  const hostile = await HostileProducer.start(SEED)
  try {
    await hostile.run(40_000)
    await hostile.finish()
  } finally {
    await hostile.close()
  }
  assert.equal(hostile.settled, hostile.calls)
  assert.ok(hostile.calls >= 40_000)
  for (const code of ['RECORD_INVALID', 'TOPIC_INVALID', 'SERIALIZATION_FAILED', 'PRODUCER_CLOSED']) {
    assert.ok((hostile.refused.get(code) ?? 0) > 50, `${code}: ${hostile.refused.get(code)}`)
  }
})

test('a view that lies about its length is sent as it is, and so is what follows', async () => {
  for (const lie of [-5, 0, 1, 2.5, 4000, 2 ** 31, Number.NaN]) {
    const sent = [
      producer.sendMany([{ topic: 't', value: liar('the truth', lie) }]),
      producer.send({ topic: 't', value: liar('the truth', lie), headers: { h: liar('header', lie) } }),
      producer.send({ topic: 't', value: 'after it' }),
    ]
    await Promise.all(sent)
    const [many, one, next] = [...broker.records('t')].slice(-3)
    assert.equal(Buffer.from(many?.value ?? []).toString(), 'the truth')
    assert.equal(Buffer.from(one?.value ?? []).toString(), 'the truth')
    assert.equal(Buffer.from(one?.headers[0]?.[1] ?? []).toString(), 'header')
    assert.equal(Buffer.from(next?.value ?? []).toString(), 'after it')
  }
})

test('a view that lies about its length waits for its topic as it is', async () => {
  await producer.send({ topic: 'new-topic-1', value: liar('the truth', 2) })
  const [record] = broker.records('new-topic-1')
  assert.equal(Buffer.from(record?.value ?? []).toString(), 'the truth')
})

test('a proxy of a view is refused, whether its topic is known or not', async () => {
  const reenter = new Proxy(Buffer.from('abc'), {
    get: (target, name) => {
      void producer.send({ topic: 't', value: 'from inside' })
      return Reflect.get(target, name, target)
    },
  })
  for (const topic of ['t', 'new-topic-2']) {
    const refused = { code: 'RECORD_INVALID', topic }
    await assert.rejects(producer.send({ topic, value: reenter }), refused)
    await assert.rejects(producer.sendMany([{ topic, value: reenter }]), { code: 'SEND_MANY_FAILED' })
    await assert.rejects(
      new Promise((resolve, reject) => {
        producer.send({ topic, value: reenter }, error => (error === null ? resolve(null) : reject(error)))
      }),
      refused,
    )
  }
  await producer.send({ topic: 't', value: 'sound' })
  assert.equal(lastValue(), 'sound')
})

test('a detached view is refused after it has waited for its topic, too', async () => {
  const view = new Uint8Array(8)
  detach(view.buffer)
  await assert.rejects(producer.send({ topic: 'new-topic-3', value: view }), {
    code: 'RECORD_INVALID',
    message: /detached/,
  })
  await producer.send({ topic: 'new-topic-3', value: new Uint8Array(0) })
})

test('whatever a record throws becomes a coded error', async () => {
  const unshowable = [
    Object.create(null),
    Symbol('s'),
    null,
    undefined,
    {
      toString: () => {
        throw new Error('no text')
      },
    },
    new Proxy(
      {},
      {
        getPrototypeOf: () => {
          throw new Error('no prototype')
        },
      },
    ),
    new (class extends Error {
      override get message(): string {
        throw new Error('no message')
      }
    })(),
  ]
  for (const thrown of unshowable) {
    const record = {
      topic: 't',
      get value(): never {
        throw thrown
      },
    }
    await assert.rejects(producer.send(record), KafkaError)
    await assert.rejects(producer.sendMany([record]), SendManyError)
  }
})

test('an array that changes or throws while it is sent settles as long as it was', async () => {
  for (const length of [0, 1, 5]) {
    const records: ProducerRecord[] = [
      { topic: 't', value: '1' },
      { topic: 't', value: '2' },
    ]
    Object.defineProperty(records[0], 'partition', {
      get: () => {
        records.length = length
        return undefined
      },
    })
    const report = await producer.sendMany(records).catch((error: SendManyError) => error.report)
    assert.equal(report.length, 2)
  }
  const throwing = [
    { topic: 't', value: '1' },
    { topic: 't', value: '2' },
  ]
  Object.defineProperty(throwing, '0', {
    get: () => {
      throw new Error('no element')
    },
  })
  await assert.rejects(producer.sendMany(throwing), (error: SendManyError) => {
    assert.deepEqual([...error.errors.keys()], [0])
    return true
  })
  const { proxy, revoke } = Proxy.revocable(throwing, {})
  revoke()
  await assert.rejects(producer.sendMany(proxy), { code: 'RECORD_INVALID' })
})

test('sizes beyond int32 are refused with a code', async () => {
  // Pages nobody touches take no memory.
  const huge = new Uint8Array(2 ** 31 + 8)
  for (const record of [
    { topic: 't', value: huge },
    { topic: 't', key: huge, value: huge, partition: 0 },
  ]) {
    await assert.rejects(producer.send(record), { code: 'RECORD_TOO_LARGE' })
    await assert.rejects(producer.sendMany([record]), SendManyError)
  }
})
