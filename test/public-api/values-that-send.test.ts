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
