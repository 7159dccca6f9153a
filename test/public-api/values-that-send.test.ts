import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Producer, ProducerRecord } from '../../dist/index.js'
import { read, withProducer } from './support.js'

test('a value whose prototype sends when it is asked for takes no other record’s place', async () => {
  type Send = (producer: Producer, record: ProducerRecord) => Promise<unknown>
  const ways: Record<string, Send> = {
    'a promise': (producer, record) => producer.send(record),
    'a callback': (producer, record) => new Promise(resolve => producer.send(record, resolve)),
    'an array': (producer, record) => producer.sendMany([record]),
  }
  for (const [way, send] of Object.entries(ways)) {
    for (const isKnown of [true, false]) {
      await withProducer({}, async (producer, broker) => {
        if (isKnown) await producer.send({ topic: 'orders', partition: 0, value: 'first' })
        const inner: Promise<unknown>[] = []
        const value = new Uint8Array(Buffer.from('outer'))
        const sendsWhenAsked: ProxyHandler<object> = {
          getPrototypeOf(prototype) {
            const record = {
              topic: 'orders',
              partition: 1,
              value: `inner ${'x'.repeat(99)}`,
              headers: { a: 'b' },
            }
            const sent =
              inner.length < 3 ? send(producer, { ...record, value: Buffer.from(record.value) }) : null
            if (sent !== null) inner.push(sent)
            return prototype
          },
        }
        Object.setPrototypeOf(value, new Proxy(Uint8Array.prototype, sendsWhenAsked))
        await send(producer, { topic: 'orders', partition: 0, value, timestamp: 5, headers: { outer: '' } })
        await Promise.all(inner)
        const stored = read(broker, 'orders').filter(record => record.value !== 'first')
        assert.deepEqual(
          stored.map(record => record.value).sort(),
          [...inner.map(() => `inner ${'x'.repeat(99)}`), 'outer'],
          `${way}, the topic ${isKnown ? 'is known' : 'is not known yet'}`,
        )
      })
    }
  }
})

test('a value that sends when it is looked at is refused, and takes no other record’s place', () =>
  withProducer({}, async (producer, broker) => {
    await producer.send({ topic: 'orders', partition: 0, value: 'first' })
    const inner: Promise<unknown>[] = []
    const sends = () => {
      if (inner.length === 0) inner.push(producer.send({ topic: 'orders', partition: 1, value: 'inner' }))
    }
    const value = {
      get 0() {
        sends()
        return 0
      },
    } as unknown as Uint8Array
    const records = [{ topic: 'orders', partition: 0, headers: { a: 'b' }, value }]
    await assert.rejects(producer.sendMany(records), { code: 'SEND_MANY_FAILED' })
    await Promise.all(inner)
    assert.deepEqual(
      read(broker, 'orders').map(record => record.value),
      ['first', ...inner.map(() => 'inner')],
    )
  }))

test('a value of an array that sends to another topic leaves the records behind it in their own', () =>
  withProducer({}, async (producer, broker) => {
    await producer.send({ topic: 'orders', value: 'first' })
    await producer.send({ topic: 'clicks', value: 'first' })
    for (const way of ['a promise', 'a callback', 'an array']) {
      const inner: Promise<unknown>[] = []
      const sendsElsewhere = {
        topic: 'orders',
        get value() {
          const record = { topic: 'clicks', value: Buffer.from('inner') }
          if (way === 'a promise') inner.push(producer.send(record))
          else if (way === 'an array') inner.push(producer.sendMany([record]))
          else inner.push(new Promise(resolve => producer.send(record, resolve)))
          return Buffer.from('outer')
        },
      }
      const to = (topic: string) => ({ topic, value: Buffer.from(topic) })
      const report = await producer.sendMany([
        to('orders'),
        sendsElsewhere,
        to('clicks'),
        to('clicks'),
        to('orders'),
      ])
      await Promise.all(inner)
      assert.deepEqual(
        Array.from(report, ({ topic }) => topic),
        ['orders', 'orders', 'clicks', 'clicks', 'orders'],
        way,
      )
    }
    const values = (topic: string) => new Set(read(broker, topic).map(record => record.value))
    assert.deepEqual(values('orders'), new Set(['first', 'orders', 'outer']))
    assert.deepEqual(values('clicks'), new Set(['first', 'clicks', 'inner']))
  }))

type Way = (producer: Producer, record: ProducerRecord) => Promise<unknown>
const ways: Record<string, Way> = {
  'a promise': (producer, record) => producer.send(record),
  'a callback': (producer, record) =>
    new Promise((resolve, reject) => {
      producer.send(record, (error, metadata) => (error === null ? resolve(metadata) : reject(error)))
    }),
  'an array': (producer, record) => producer.sendMany([record]),
}

for (const [way, send] of Object.entries(ways)) {
  test(`a DataView that sends when it is looked at is refused, sent by ${way}, and nothing is stored twice`, () =>
    withProducer({}, async (producer, broker) => {
      await producer.send({ topic: 'orders', partition: 0, value: 'first' })
      const all: Promise<unknown>[] = []
      for (const field of ['key', 'value']) {
        const inner: Promise<unknown>[] = []
        const view = new DataView(new ArrayBuffer(5))
        Object.defineProperty(view, 0, {
          get() {
            const record = { topic: 'orders', partition: 1, value: Buffer.from('inner'), headers: { a: 'b' } }
            if (inner.length === 0) inner.push(producer.send(record))
            return 1
          },
        })
        const record = { topic: 'orders', partition: 0, value: 'outer', headers: { a: 'b' }, [field]: view }
        await assert.rejects(send(producer, record as unknown as ProducerRecord))
        await Promise.all(inner)
        all.push(...inner)
        const stored = read(broker, 'orders').map(record => record.value)
        assert.deepEqual(stored, ['first', ...all.map(() => 'inner')])
      }
    }))

  for (const transactionVersion of [1, 2]) {
    test(`a record whose getter ends its transaction is refused, sent by ${way}, version ${transactionVersion}`, () =>
      withProducer(
        { transactionalId: 'x', lingerMs: 30 },
        async (producer, broker) => {
          await producer.initTransactions()
          producer.beginTransaction()
          await send(producer, { topic: 'orders', value: Buffer.from('first') })
          let commit: Promise<void> | null = null
          const outer = {
            topic: 'orders',
            get value() {
              commit ??= producer.commitTransaction()
              return Buffer.from('outer')
            },
          }
          await assert.rejects(send(producer, outer))
          await commit
          producer.beginTransaction()
          await send(producer, { topic: 'orders', value: Buffer.from('second') })
          await producer.commitTransaction()
          const stored = [...broker.records('orders', undefined, { isolation: 'read_committed' })]
          assert.deepEqual(
            stored.map(({ value }) => String(value && Buffer.from(value))),
            ['first', 'second'],
          )
        },
        { partitions: 1, transactionVersion },
      ))
  }
}

test('an array that is a proxy with no number for its length is refused, and harms nobody', () =>
  withProducer({}, async (producer, broker) => {
    await producer.send({ topic: 'orders', value: 'first' })
    const sends = {
      valueOf() {
        void producer.send({ topic: 'orders', value: 'inner' })
        return 2
      },
    }
    for (const length of [
      1.5,
      Number.NaN,
      -1,
      2n,
      '2',
      sends,
      2 ** 60,
      undefined,
      Number.POSITIVE_INFINITY,
    ]) {
      const records = [1, 2].map(() => ({ topic: 'orders', value: Buffer.from('of an array') }))
      const get = (target: object, name: string | symbol) =>
        name === 'length' ? length : Reflect.get(target, name)
      const before = producer.send({ topic: 'orders', value: Buffer.from('other') })
      const proxy = new Proxy(records, { get }) as ProducerRecord[]
      await assert.rejects(producer.sendMany(proxy), { code: 'RECORD_INVALID' })
      await before
    }
    const stored = read(broker, 'orders').map(record => record.value)
    assert.deepEqual(new Set(stored), new Set(['first', 'other']))
  }))

test('what a partitioner sends goes behind the records that it is asked for, of any topic', async () => {
  const inner: Promise<unknown>[] = []
  let current: Producer | null = null
  const partitioner = {
    partition: () => {
      const isFirst = inner.length === 0
      for (const topic of isFirst ? ['a', 'b'] : []) {
        inner.push((current as Producer).send({ topic, partition: 0, value: `inner ${topic}` }))
      }
      return 0
    },
  }
  await withProducer(
    { partitioner },
    async (producer, broker) => {
      current = producer
      const sent = ['a', 'b'].flatMap(topic =>
        [1, 2, 3].map(number => producer.send({ topic, value: `${topic}${number}` })),
      )
      await producer.flush()
      await Promise.all([...sent, ...inner])
      for (const topic of ['a', 'b']) {
        const stored = read(broker, topic).map(record => record.value)
        assert.deepEqual(stored, [`${topic}1`, `${topic}2`, `${topic}3`, `inner ${topic}`])
      }
    },
    { partitions: 1 },
  )
})
