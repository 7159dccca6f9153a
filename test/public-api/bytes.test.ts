import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { InvalidRecordError, type ProducerRecord } from '../../dist/index.js'
import { read, withProducer } from './support.js'

interface ResizableBuffer extends ArrayBuffer {
  resize(bytes: number): void
}

/** A view that its buffer has been shrunk below. */
function leftOutside(): Uint8Array {
  const Resizable = ArrayBuffer as unknown as new (
    bytes: number,
    options: { maxByteLength: number },
  ) => ResizableBuffer
  const buffer = new Resizable(64, { maxByteLength: 64 })
  const view = new Uint8Array(buffer, 16, 32)
  buffer.resize(8)
  return view
}

const WITH_BYTES: readonly [part: string, record: (bytes: Uint8Array) => ProducerRecord][] = [
  ['value', value => ({ topic: 't', value })],
  ['key', key => ({ topic: 't', key, value: 'v' })],
  ['header', header => ({ topic: 't', value: 'v', headers: { h: header } })],
]

for (const [part, record] of WITH_BYTES) {
  test(`a ${part} whose buffer was shrunk is refused in every way to send, and an empty one is not`, () =>
    withProducer({}, async (producer, broker) => {
      const refused = (error: unknown) => error instanceof InvalidRecordError
      for (let round = 0; round < 2; round++) {
        await assert.rejects(producer.send(record(leftOutside())), refused)
        assert.ok(refused(await new Promise(resolve => producer.send(record(leftOutside()), resolve))))
        await assert.rejects(
          producer.sendMany([record(leftOutside())]),
          ({ errors }: { errors: Map<number, unknown> }) => refused(errors.get(0)),
        )
        await producer.send(record(new Uint8Array(0)))
      }
      assert.equal(broker.records('t').length, 2)
    }))
}

const NO_BYTES: readonly [what: string, make: () => unknown, advice: RegExp][] = [
  ['a Blob', () => new Blob(['x']), /await file\.bytes\(\)/],
  ['an ArrayBuffer', () => new ArrayBuffer(3), /new Uint8Array\(buffer\)/],
  ['a SharedArrayBuffer', () => new SharedArrayBuffer(3), /new Uint8Array\(buffer\)/],
  ['a DataView', () => new DataView(new ArrayBuffer(3)), /new Uint8Array\(view\.buffer/],
  ['a Uint16Array', () => new Uint16Array(3), /new Uint8Array\(view\.buffer/],
  ['a Response', () => new Response('x'), /read first/],
  ['a promise', () => Promise.resolve('x'), /awaited/],
  ['a number', () => 5, /value\.serializer|not number|not a number/],
]
for (const [what, make, advice] of NO_BYTES) {
  test(`${what} as key, value or header is refused with the way to its bytes`, () =>
    withProducer({}, async (producer, broker) => {
      const told = (error: unknown) => error instanceof InvalidRecordError && advice.test(error.message)
      for (const [part, record] of WITH_BYTES) {
        if (what === 'a number' && part === 'header') continue
        await assert.rejects(producer.send(record(make() as never)), told)
      }
      assert.equal(broker.records('t').length, 0)
    }))
}

test('a partitioner is asked with bytes, for strings and for records that wait for their topic, too', () => {
  const asked: unknown[] = []
  const partitioner = (_: string, key: Uint8Array | null, value: Uint8Array | null) => {
    for (const bytes of [key, value]) {
      assert.ok(bytes === null || bytes instanceof Uint8Array)
      asked.push(bytes === null ? null : Buffer.from(bytes).toString())
    }
    return 1
  }
  return withProducer({ partitioner }, async (producer, broker) => {
    const records: ProducerRecord[] = [
      { topic: 't', key: 'żółć', value: 'text' },
      { topic: 't', key: Buffer.from('żółć'), value: Buffer.from('text') },
      { topic: 't', value: null },
      { topic: 't', value: '' },
    ]
    const expected = ['żółć', 'text', 'żółć', 'text', null, null, null, '']
    for (const topic of ['new', 'known']) {
      if (topic === 'known') await producer.partitionsFor('known')
      const sent = records.map(record => ({ ...record, topic }))
      await Promise.all([...sent.map(record => producer.send(record)), producer.sendMany(sent)])
      assert.deepEqual(asked.splice(0), [...expected, ...expected])
      assert.equal(read(broker, topic, 1).length, 8)
      assert.equal(read(broker, topic, 1)[0]?.key, 'żółć')
    }
    await assert.rejects(producer.send({ topic: 'known', value: 5 as never }), InvalidRecordError)
    assert.deepEqual(asked, [])
  })
})

test('metadata go through copies and between threads by their JSON form', () =>
  withProducer({}, async producer => {
    const metadata = await producer.send({ topic: 't', key: 'key', value: 'v', partition: 2 })
    const { timestamp } = metadata
    const expected = { topic: 't', partition: 2, offset: '0', timestamp, serializedKeySize: 3 }
    const whole = { ...expected, serializedValueSize: 1 }
    assert.deepEqual(JSON.parse(JSON.stringify(metadata)), whole)
    assert.deepEqual(structuredClone(metadata.toJSON()), whole)
    assert.deepEqual({ ...metadata.toJSON() }, whole)
    const { port1, port2 } = new MessageChannel()
    const received = new Promise(resolve => port2.once('message', resolve))
    port1.postMessage(metadata.toJSON())
    assert.deepEqual(await received, whole)
    port1.close()
    port2.close()
  }))
