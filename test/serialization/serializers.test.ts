import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SerializationError } from '../../dist/errors/index.js'
import {
  guardSerializer,
  type SerializerLike,
  serializerOfJavaClass,
  serializers,
} from '../../dist/serialization/index.js'

const TOPIC = 'orders'
const hex = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString('hex')

/** Whether an error is the one wanted: its class, its code, its topic, in the message too. */
function failsFor(data: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof SerializationError)
    assert.equal(error.code, 'SERIALIZATION_FAILED')
    assert.equal(error.topic, TOPIC)
    assert.match(error.message, /orders/)
    assert.match(error.message, data)
    return true
  }
}

describe('serializers', () => {
  for (const [name, serializer] of Object.entries(serializers))
    test(`${name} leaves null and undefined null`, () => {
      assert.equal(serializer.serialize(TOPIC, null), null)
      assert.equal(serializer.serialize(TOPIC, undefined), null)
    })

  test('numbers are big-endian as in Java', () => {
    assert.equal(hex(serializers.short.serialize(TOPIC, -2)), 'fffe')
    assert.equal(hex(serializers.integer.serialize(TOPIC, 0x01020304)), '01020304')
    assert.equal(hex(serializers.integer.serialize(TOPIC, -2147483648)), '80000000')
    assert.equal(hex(serializers.long.serialize(TOPIC, 1)), '0000000000000001')
    assert.equal(hex(serializers.long.serialize(TOPIC, -(2n ** 63n))), '8000000000000000')
    assert.equal(hex(serializers.long.serialize(TOPIC, 2n ** 63n - 1n)), '7fffffffffffffff')
    assert.equal(hex(serializers.float.serialize(TOPIC, 1.5)), '3fc00000')
    assert.equal(hex(serializers.double.serialize(TOPIC, -1.5)), 'bff8000000000000')
    assert.equal(hex(serializers.double.serialize(TOPIC, Number.NaN)), '7ff8000000000000')
  })

  test('a boolean is one byte, a UUID its text in lower case, JSON its text', () => {
    assert.equal(hex(serializers.boolean.serialize(TOPIC, true)), '01')
    assert.equal(hex(serializers.boolean.serialize(TOPIC, false)), '00')
    assert.equal(
      serializers.uuid.serialize(TOPIC, 'A8098C1A-F86E-11DA-BD1A-00112444BE1E'),
      'a8098c1a-f86e-11da-bd1a-00112444be1e',
    )
    assert.equal(serializers.json.serialize(TOPIC, { a: [1, null] }), '{"a":[1,null]}')
    assert.equal(serializers.json.serialize(TOPIC, 'x'), '"x"')
    assert.equal(serializers.string.serialize(TOPIC, 'é'), 'é')
  })

  test('bytes takes every kind of view without copying', () => {
    const buffer = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer
    assert.equal(hex(serializers.bytes.serialize(TOPIC, new Uint8Array(buffer, 1, 2))), '0203')
    assert.equal(hex(serializers.bytes.serialize(TOPIC, new DataView(buffer, 2, 3))), '030405')
    assert.equal(hex(serializers.bytes.serialize(TOPIC, new Uint16Array(buffer, 2, 1))), '0304')
    assert.equal(hex(serializers.bytes.serialize(TOPIC, Buffer.from('ab'))), '6162')
    assert.equal(hex(serializers.bytes.serialize(TOPIC, buffer)), '0102030405060708')
    assert.equal(hex(serializers.bytes.serialize(TOPIC, new SharedArrayBuffer(1))), '00')
    const view = new Uint8Array(buffer)
    assert.equal(serializers.bytes.serialize(TOPIC, view), view)
  })

  const wrong: [keyof typeof serializers, unknown, RegExp][] = [
    ['string', 1, /a number/],
    ['string', new Date(0), /class Date/],
    ['bytes', 'text', /a string/],
    ['bytes', [1, 2], /class Array/],
    ['short', '1', /a string/],
    ['short', 32768, /-32768 to 32767/],
    ['integer', 1n, /a bigint/],
    ['integer', 1.5, /whole numbers/],
    ['integer', 2 ** 31, /2147483647/],
    ['integer', Number.NaN, /whole numbers/],
    ['long', 2 ** 53, /bigint/],
    ['long', 2n ** 63n, /64 bits/],
    ['long', true, /a boolean/],
    ['float', '1', /a string/],
    ['double', {}, /class Object/],
    ['boolean', 0, /a number/],
    ['uuid', 'not-a-uuid', /xxxxxxxx/],
    ['uuid', 7, /a number/],
    ['void', '', /a string/],
    ['json', () => 1, /a function/],
    ['json', 1n, /BigInt/i],
    ['json', Object.create(null, { toJSON: { value: () => undefined } }), /an object/],
  ]
  for (const [name, data, message] of wrong)
    test(`${name} refuses ${typeof data === 'object' ? 'an object' : `${typeof data} ${String(data)}`}, naming the topic`, () => {
      const serialize = serializers[name].serialize as (topic: string, data: unknown) => unknown
      assert.throws(() => serialize(TOPIC, data), failsFor(message))
    })

  test('messages do not show the data', () => {
    const secret = 'hunter2-hunter2'
    for (const name of ['bytes', 'short', 'integer', 'long', 'double', 'boolean', 'uuid', 'void'] as const) {
      const serialize = serializers[name].serialize as (topic: string, data: unknown) => unknown
      assert.throws(
        () => serialize(TOPIC, secret),
        error => error instanceof SerializationError && !error.message.includes(secret),
      )
    }
  })
})

describe('serializerOfJavaClass', () => {
  test('knows the serializers of the Java client by their full names', () => {
    const name = (simple: string) => `org.apache.kafka.common.serialization.${simple}`
    assert.equal(serializerOfJavaClass(name('StringSerializer')), serializers.string)
    assert.equal(serializerOfJavaClass(name('ByteArraySerializer')), serializers.bytes)
    assert.equal(serializerOfJavaClass(name('LongSerializer')), serializers.long)
    assert.equal(serializerOfJavaClass(name('UUIDSerializer')), serializers.uuid)
    assert.equal(serializerOfJavaClass(name('ListSerializer')), undefined)
    assert.equal(serializerOfJavaClass('StringSerializer'), undefined)
    assert.equal(serializerOfJavaClass('com.example.StringSerializer'), undefined)
    assert.equal(serializerOfJavaClass(name('constructor')), undefined)
  })
})

describe('guardSerializer', () => {
  test('passes topic, data and headers on, and answers what it is given', () => {
    const calls: unknown[] = []
    const headers = { trace: 'x' }
    const { serialize } = guardSerializer((...call: unknown[]) => {
      calls.push(call)
      return 'text'
    }, 'key')
    assert.equal(serialize(TOPIC, 7, headers), 'text')
    assert.deepEqual(calls, [[TOPIC, 7, headers]])
    const bytes = Buffer.from('b')
    assert.equal(guardSerializer(() => bytes, 'key').serialize(TOPIC, 1, undefined), bytes)
    assert.equal(guardSerializer(() => null, 'key').serialize(TOPIC, 1, undefined), null)
  })

  test('keeps the this of a serializer object', () => {
    class Prefixing {
      readonly prefix = '>'
      serialize(_topic: string, data: string) {
        return this.prefix + data
      }
    }
    const { serialize } = guardSerializer(
      new Prefixing() as SerializerLike<never> as SerializerLike<unknown>,
      'value',
    )
    assert.equal(serialize(TOPIC, 'x', undefined), '>x')
  })

  test('turns whatever a serializer throws into a SerializationError with it as the cause', () => {
    for (const thrown of [new TypeError('bad shape'), 'text', undefined, null, { message: 5 }]) {
      const { serialize } = guardSerializer(() => {
        throw thrown
      }, 'value')
      assert.throws(
        () => serialize(TOPIC, 1, undefined),
        error => {
          assert.ok(failsFor(/cannot serialize the value/)(error))
          assert.equal((error as Error).cause, thrown)
          return true
        },
      )
    }
  })

  test('refuses an answer that is not bytes', () => {
    for (const answer of [undefined, 1, {}, [1], new DataView(new ArrayBuffer(1)), new Uint16Array(1)]) {
      const { serialize } = guardSerializer((() => answer) as unknown as SerializerLike<unknown>, 'key')
      assert.throws(
        () => serialize(TOPIC, 1, undefined),
        failsFor(/must return a string, a Uint8Array or null/),
      )
    }
  })

  test('refuses a promise, even one that rejects, without leaving a rejection unhandled', async () => {
    const rejections: unknown[] = []
    const onRejection = (reason: unknown) => rejections.push(reason)
    process.on('unhandledRejection', onRejection)
    try {
      const later = () => Promise.reject(new Error('later'))
      const { serialize } = guardSerializer(later as unknown as SerializerLike<unknown>, 'key')
      assert.throws(() => serialize(TOPIC, 1, undefined), failsFor(/not with a promise/))
      await new Promise(resolve => setImmediate(resolve))
      await new Promise(resolve => setImmediate(resolve))
    } finally {
      process.off('unhandledRejection', onRejection)
    }
    assert.deepEqual(rejections, [])
  })
})
