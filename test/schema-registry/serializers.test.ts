import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fromBinary } from '@bufbuild/protobuf'
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt'
import { Ajv } from 'ajv'
import avsc from 'avsc'
import protobuf from 'protobufjs'
import { ConfigError, SerializationError } from '../../dist/index.js'
import {
  avroSerializer,
  jsonSchemaSerializer,
  protobufSerializer,
  type RegistrySerializer,
  SchemaRegistryClient,
  SchemaRegistryError,
  type SchemaRegistryErrorName,
  type SubjectNameStrategy,
  type WireFormat,
} from '../../dist/schema-registry/index.js'
import { eventually } from '../helpers/eventually.js'
import { RegistryServer, type RegistryServerOptions } from './registry-server.js'

const ORDER = {
  type: 'record',
  name: 'Order',
  namespace: 'shop.v1',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'cents', type: 'long' },
  ],
}
const ORDER_JSON = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Order',
  type: 'object',
  properties: { id: { type: 'string' }, cents: { type: 'integer' } },
  required: ['id'],
}
const PROTO = `
  syntax = "proto3";
  package shop.v1; // message Hidden {}
  /* message AlsoHidden { */
  import "google/protobuf/timestamp.proto";
  enum Kind { UNKNOWN = 0; GIFT = 1; }
  message Customer { message Address { string city = 1; message Geo { double lat = 1; } } string name = 1; }
  message Order {
    option deprecated = false;
    string id = 1;
    int64 cents = 2;
    Kind kind = 3;
    google.protobuf.Timestamp placed_at = 4;
    map<string, int32> counts = 5;
    string message = 6;
    repeated Kind kinds = 7;
    message Line { string sku = 1; uint32 n = 2; }
    repeated Line lines = 8;
    oneof way { string post = 9; Line pickup = 10; }
    bytes blob = 11;
  }`

const silent = { debug() {}, info() {}, warn() {}, error() {} }
const order = { id: 'a', cents: 995 }

async function withClient(
  work: (client: SchemaRegistryClient, server: RegistryServer) => Promise<void>,
  serverOptions: RegistryServerOptions = {},
  clientOptions: { latestTtlMs?: number } = {},
): Promise<void> {
  await using server = await RegistryServer.start(serverOptions)
  using client = new SchemaRegistryClient({
    urls: server.url,
    retries: 0,
    notFoundTtlMs: 0,
    logger: silent,
    ...clientOptions,
  })
  await work(client, server)
}

async function bytesOf<T>(serializer: RegistrySerializer<T>, topic: string, data: T): Promise<Buffer> {
  await serializer.prepare(topic)
  return Buffer.from(serializer.serialize(topic, data, []) as Uint8Array)
}

async function refusal(call: unknown, name: SchemaRegistryErrorName) {
  const error = await Promise.resolve(call).then(
    () => assert.fail('it did not reject'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof SchemaRegistryError, String(error))
  assert.equal(error.errorName, name)
  return error
}

const avroType = avsc.Type.forSchema(ORDER as never)
const root = protobuf.parse(PROTO.replace(/import[^;]*;/, ''), new protobuf.Root()).root
root.addJSON(protobuf.common.get('google/protobuf/timestamp.proto')?.nested as never)
const protoOrder = root.lookupType('shop.v1.Order')

/** One format: a serializer of the schema, and what reads its payload. */
interface Format {
  text: string
  recordName: string
  indexes: number[]
  make(options: object): RegistrySerializer<unknown>
  read(payload: Buffer): unknown
}

const formats: Record<string, Format> = {
  AVRO: {
    text: JSON.stringify(ORDER),
    recordName: 'shop.v1.Order',
    indexes: [],
    make: options => avroSerializer({ schema: ORDER, ...options } as never),
    read: payload => ({ ...(avroType.fromBuffer(payload) as object) }),
  },
  JSON: {
    text: JSON.stringify(ORDER_JSON),
    recordName: 'Order',
    indexes: [],
    make: options => jsonSchemaSerializer({ schema: ORDER_JSON, ...options } as never),
    read: payload => JSON.parse(payload.toString()),
  },
  PROTOBUF: {
    text: PROTO,
    recordName: 'shop.v1.Order',
    // One level, the second message: count 1 and index 1, as zigzag varints.
    indexes: [2, 2],
    make: options => protobufSerializer({ schema: PROTO, type: 'shop.v1.Order', ...options } as never),
    read: payload => protoOrder.toObject(protoOrder.decode(payload), { longs: Number }),
  },
}

for (const [schemaType, format] of Object.entries(formats)) {
  describe(`${schemaType}: wire formats and subjects`, () => {
    const strategies: [SubjectNameStrategy, string][] = [
      ['topic', 'orders-value'],
      ['record', format.recordName],
      ['topic-record', `orders-${format.recordName}`],
      ['associated', 'agreed'],
      [
        ({ topic, field, recordName }) => `${topic}.${field}.${recordName}`,
        `orders.value.${format.recordName}`,
      ],
    ]
    for (const wireFormat of ['v0', 'v1', 'header'] as WireFormat[]) {
      for (const [subjectNameStrategy, subject] of strategies) {
        test(`${wireFormat}, ${String(subjectNameStrategy).slice(0, 12)}`, () =>
          withClient(async (client, server) => {
            server.associate('orders', 'value', 'agreed')
            server.add('another', '"string"')
            const id = server.add(subject, format.text, schemaType)
            const serializer = format.make({ client, wireFormat, subjectNameStrategy })
            await serializer.prepare('orders')
            const headers: [string, string | Uint8Array][] = [['trace', '1']]
            const bytes = Buffer.from(serializer.serialize('orders', order, headers) as Uint8Array)
            const guid = [1, ...Buffer.from(server.guidOf(id).replaceAll('-', ''), 'hex')]
            const prefix = [...(wireFormat === 'v0' ? [0, 0, 0, 0, id] : guid), ...format.indexes]
            if (wireFormat === 'header') {
              assert.deepEqual(format.read(bytes), order)
              assert.equal(serializer.addsHeaders, true)
              const [name, value] = headers[1] as [string, Uint8Array]
              assert.equal(name, '__value_schema_id')
              assert.deepEqual([...value], prefix)
              return
            }
            assert.deepEqual(headers, [['trace', '1']])
            assert.deepEqual([...bytes.subarray(0, prefix.length)], prefix)
            assert.deepEqual(format.read(bytes.subarray(prefix.length)), order)
          }))
      }
    }

    test('keys have subjects and headers of their own', () =>
      withClient(async (client, server) => {
        server.add('orders-key', format.text, schemaType)
        const serializer = format.make({ client, field: 'key', wireFormat: 'header' })
        await serializer.prepare('orders')
        const headers = {}
        serializer.serialize('orders', order, headers)
        assert.deepEqual(Object.keys(headers), ['__key_schema_id'])
      }))

    test('null and undefined stay null, prepared or not', () =>
      withClient(async client => {
        const serializer = format.make({ client })
        assert.equal(serializer.serialize('orders', null), null)
        assert.equal(serializer.serialize('orders', undefined), null)
      }))

    test('data that does not fit: where is said, the value is not', () =>
      withClient(async (client, server) => {
        server.add('orders-value', format.text, schemaType)
        const serializer = format.make({ client })
        await serializer.prepare('orders')
        const data = { id: 'a', cents: 'private-value' }
        assert.throws(
          () => serializer.serialize('orders', data),
          (error: unknown) => {
            assert.ok(error instanceof SerializationError)
            assert.match(error.message, /cents/)
            assert.doesNotMatch(`${error.message} ${error.stack}`, /private-value/)
            return true
          },
        )
      }))

    test('a schema of another type is refused', () =>
      withClient(async (client, server) => {
        const [type, other] = Object.entries(formats).find(([name]) => name !== schemaType) as [
          string,
          Format,
        ]
        server.add('orders-value', other.text, type)
        const serializer = format.make({ client, schema: undefined })
        await refusal(serializer.prepare('orders'), 'WRONG_SCHEMA_TYPE')
      }))

    test('a schema that is none is refused', () =>
      withClient(async (client, server) => {
        server.add('orders-value', '{ "type": "no such thing" ', schemaType)
        await refusal(format.make({ client, schema: undefined }).prepare('orders'), 'INVALID_SCHEMA')
      }))
  })
}

describe('where the schema comes from', () => {
  const paths = (server: RegistryServer) => server.requests.map(({ method, path }) => `${method} ${path}`)

  test('a schema is looked up; one that is not registered is not registered either', () =>
    withClient(async (client, server) => {
      const serializer = avroSerializer({ client, schema: ORDER })
      await refusal(serializer.prepare('orders'), 'SUBJECT_NOT_FOUND')
      server.add('orders-value', '"string"')
      await refusal(serializer.prepare('orders'), 'SCHEMA_NOT_FOUND')
      server.add('orders-value', ORDER)
      await serializer.prepare('orders')
      assert.deepEqual(new Set(paths(server)), new Set(['POST /subjects/orders-value']))
    }))

  test('autoRegister registers, and goes before all else', () =>
    withClient(async (client, server) => {
      const serializer = avroSerializer({ client, schema: ORDER, autoRegister: true, useLatest: true })
      assert.equal((await bytesOf(serializer, 'orders', order))[4], 1)
      assert.deepEqual(paths(server), ['POST /subjects/orders-value/versions'])
    }))

  test('a schema that is incompatible: 409, and the topic is prepared once that is mended', () =>
    withClient(async (client, server) => {
      server.fail([409, { error_code: 409, message: 'Schema being registered is incompatible' }], 1)
      const serializer = avroSerializer({ client, schema: ORDER, autoRegister: true })
      const error = await refusal(serializer.prepare('orders'), 'INCOMPATIBLE_SCHEMA')
      assert.equal(error.errorCode, 409)
      assert.throws(() => serializer.serialize('orders', order), /await prepare\('orders'\)/)
      assert.equal((await bytesOf(serializer, 'orders', order))[4], 1)
    }))

  test('schemaId goes before the latest version', () =>
    withClient(async (client, server) => {
      const id = server.add('orders-value', ORDER)
      server.add('orders-value', '"string"')
      const serializer = avroSerializer({ client, schemaId: id, useLatest: true })
      assert.equal((await bytesOf(serializer, 'orders', order))[4], id)
      assert.deepEqual(paths(server), [`GET /schemas/ids/${id}?subject=orders-value`])
    }))

  test('without a schema the latest version is used, and the next one when there is one', () =>
    withClient(
      async (client, server) => {
        server.add('orders-value', ORDER)
        const serializer = avroSerializer<object>({ client })
        assert.equal((await bytesOf(serializer, 'orders', order))[4], 1)
        const wider = { ...ORDER, fields: [...ORDER.fields, { name: 'note', type: 'string', default: '' }] }
        server.add('orders-value', wider)
        const id = () => (serializer.serialize('orders', { ...order, note: 'x' }) as Uint8Array)[4]
        await eventually('the second version is used', () => id() === 2)
      },
      {},
      { latestTtlMs: 20 },
    ))

  test('the version in use stays when the registry is gone, with a warning', () =>
    withClient(
      async (client, server) => {
        server.add('orders-value', ORDER)
        const warnings: string[] = []
        const logger = { ...silent, warn: (message: string) => warnings.push(message) }
        const serializer = avroSerializer({ client, logger })
        await serializer.prepare('orders')
        await server.down()
        await eventually('a warning', () => {
          assert.equal((serializer.serialize('orders', order) as Uint8Array)[4], 1)
          return warnings.length > 0
        })
        assert.match(warnings[0] as string, /topic orders .*cannot be reached/)
      },
      {},
      { latestTtlMs: 20 },
    ))

  test('a refresh that fails is not tried again at once', async () => {
    const warnings: string[] = []
    let asked = 0
    const registry = {
      latestTtlMs: 0,
      async getLatest() {
        if (asked++ > 0) throw new Error('down')
        return { id: 7, schema: JSON.stringify(ORDER), schemaType: 'AVRO' as const }
      },
    }
    const logger = { ...silent, warn: (message: string) => warnings.push(message) }
    const serializer = avroSerializer<object>({ client: registry as never, logger })
    await serializer.prepare('orders')
    registry.latestTtlMs = 1_000_000
    for (let i = 0; i < 5; i++) {
      assert.equal((serializer.serialize('orders', order) as Uint8Array)[4], 7)
      await new Promise(setImmediate)
    }
    assert.equal(asked, 2)
    assert.equal(warnings.length, 1)
  })

  test('prepare is answered at once when there is nothing to do, and asks once for all', () =>
    withClient(async (client, server) => {
      server.add('orders-value', ORDER)
      const serializer = avroSerializer({ client, schema: ORDER })
      const [first, second] = [serializer.prepare('orders'), serializer.prepare('orders')]
      assert.ok(first instanceof Promise && second instanceof Promise)
      await Promise.all([first, second])
      assert.equal(serializer.prepare('orders'), undefined)
      assert.equal(server.requests.length, 1)
    }))

  test('a registry without guids: v0 works, the others are refused', () =>
    withClient(
      async (client, server) => {
        server.add('orders-value', ORDER)
        for (const wireFormat of ['v1', 'header'] as const) {
          await refusal(avroSerializer({ client, schema: ORDER, wireFormat }).prepare('orders'), 'NO_GUID')
        }
        await avroSerializer({ client, schema: ORDER }).prepare('orders')
      },
      { hasGuids: false },
    ))

  test('the header of another record is replaced', () =>
    withClient(async (client, server) => {
      server.add('orders-value', ORDER)
      const serializer = avroSerializer({ client, schema: ORDER, wireFormat: 'header' })
      await serializer.prepare('orders')
      const headers: [string, string | Uint8Array][] = [
        ['__value_schema_id', 'old'],
        ['a', 'b'],
        ['__value_schema_id', 'older'],
      ]
      serializer.serialize('orders', order, headers)
      assert.deepEqual(
        headers.map(([name]) => name),
        ['a', '__value_schema_id'],
      )
      assert.throws(() => serializer.serialize('orders', order), SerializationError)
    }))
})

describe('several kinds of records in one topic', () => {
  const customer = {
    type: 'record',
    name: 'Customer',
    namespace: 'shop.v1',
    fields: [{ name: 'name', type: 'string' }],
  }

  test('Avro: each by its own subject', () =>
    withClient(async (client, server) => {
      const ids = [server.add('t-shop.v1.Order', ORDER), server.add('t-shop.v1.Customer', customer)]
      const serializer = avroSerializer<{ kind: string }>({
        client,
        schemas: [ORDER, customer],
        recordNameOf: ({ kind }) => `shop.v1.${kind}`,
        subjectNameStrategy: 'topic-record',
      })
      assert.equal((await bytesOf(serializer, 't', { kind: 'Order', ...order } as never))[4], ids[0])
      assert.equal((await bytesOf(serializer, 't', { kind: 'Customer', name: 'x' } as never))[4], ids[1])
      assert.throws(() => serializer.serialize('t', { kind: 'Other' }), /shop\.v1\.Other/)
    }))

  test('without schemas: the latest of each name', () =>
    withClient(async (client, server) => {
      server.add('shop.v1.Order', ORDER)
      server.add('shop.v1.Customer', customer)
      const serializer = avroSerializer<object>({
        client,
        recordName: ['shop.v1.Order', 'shop.v1.Customer'],
        recordNameOf: data => ('name' in data ? 'shop.v1.Customer' : 'shop.v1.Order'),
        subjectNameStrategy: 'record',
      })
      assert.equal((await bytesOf(serializer, 't', { name: 'x' }))[4], 2)
    }))

  test('Protobuf: messages tell their type', () =>
    withClient(async (client, server) => {
      server.add('t-shop.v1.Order', PROTO, 'PROTOBUF')
      server.add('t-shop.v1.Customer.Address.Geo', PROTO, 'PROTOBUF')
      const geo = root.lookupType('shop.v1.Customer.Address.Geo')
      const serializer = protobufSerializer<object>({
        client,
        type: [protoOrder, geo],
        subjectNameStrategy: 'topic-record',
      })
      const bytes = await bytesOf(serializer, 't', geo.create({ lat: 1.5 }))
      // Three levels: Customer is the first message, Address and Geo are the first within.
      assert.deepEqual([...bytes.subarray(5, 9)], [6, 0, 0, 0])
      assert.deepEqual({ ...geo.decode(bytes.subarray(9)) }, { lat: 1.5 })
      const other = await bytesOf(serializer, 't', protoOrder.create({ id: 'a' }))
      assert.deepEqual([...other.subarray(5, 7)], [2, 2])
      assert.throws(() => serializer.serialize('t', { id: 'a' }), /recordNameOf/)
    }))
})

describe('references', () => {
  test('Avro: named types of other subjects, through others, each asked for once', () =>
    withClient(async (client, server) => {
      const money = { type: 'record', name: 'x.Money', fields: [{ name: 'cents', type: 'int' }] }
      const line = { type: 'record', name: 'x.Line', fields: [{ name: 'price', type: 'x.Money' }] }
      const cart = {
        type: 'record',
        name: 'x.Cart',
        fields: [
          { name: 'lines', type: { type: 'array', items: 'x.Line' } },
          { name: 'total', type: 'x.Money' },
        ],
      }
      server.add('money', money)
      const toMoney = { name: 'x.Money', subject: 'money', version: 1 }
      server.add('line', line, 'AVRO', [toMoney])
      const references = [{ name: 'x.Line', subject: 'line', version: 1 }, toMoney]
      server.add('carts-value', cart, 'AVRO', references)
      const data = { lines: [{ price: { cents: 1 } }], total: { cents: 2 } }
      const latest = await bytesOf(avroSerializer<object>({ client }), 'carts', data)
      assert.deepEqual([...latest.subarray(5)], [2, 2, 0, 4])
      const given = avroSerializer<object>({ client, schema: cart, references })
      assert.deepEqual([...(await bytesOf(given, 'carts', data)).subarray(5)], [2, 2, 0, 4])
      assert.equal(server.requests.filter(({ path }) => path.includes('money')).length, 1)
    }))

  test('JSON: $ref to another subject', () =>
    withClient(async (client, server) => {
      server.add('money', { type: 'object', required: ['cents'] }, 'JSON')
      const references = [{ name: 'money.json', subject: 'money', version: 1 }]
      server.add('carts-value', { properties: { total: { $ref: 'money.json' } } }, 'JSON', references)
      const serializer = jsonSchemaSerializer<object>({ client })
      await bytesOf(serializer, 'carts', { total: { cents: 1 } })
      assert.throws(() => serializer.serialize('carts', { total: {} }), /\/total must have required property/)
    }))

  test('Protobuf: imports of another subject, and of Google’s own types', () =>
    withClient(async (client, server) => {
      server.add('money', 'syntax = "proto3"; package x; message Money { int32 cents = 1; }', 'PROTOBUF')
      const text = `syntax = "proto3"; import "money.proto"; import "google/protobuf/duration.proto";
        message Cart { x.Money total = 1; google.protobuf.Duration age = 2; }`
      server.add('carts-value', text, 'PROTOBUF', [{ name: 'money.proto', subject: 'money', version: 1 }])
      const serializer = protobufSerializer<object>({ client })
      const bytes = await bytesOf(serializer, 'carts', { total: { cents: 5 }, age: { seconds: 7 } })
      assert.deepEqual([...bytes.subarray(5)], [0, 10, 2, 8, 5, 18, 2, 8, 7])
    }))
})

describe('Avro', () => {
  test('longs are safe integers, or bigints where that is asked for', () =>
    withClient(async (client, server) => {
      server.add('orders-value', ORDER)
      const plain = avroSerializer<object>({ client })
      await plain.prepare('orders')
      assert.throws(() => plain.serialize('orders', { id: 'a', cents: 1n }), /cents is no long/)
      assert.throws(() => plain.serialize('orders', { id: 'a', cents: 2 ** 53 }), /cents is no long/)
      const bigints = avroSerializer<object>({ client, bigints: true })
      const bytes = await bytesOf(bigints, 'orders', { id: 'a', cents: -1n })
      assert.deepEqual([...bytes.subarray(5)], [2, 97, 1])
      assert.throws(() => bigints.serialize('orders', { id: 'a', cents: 2n ** 63n }), /cents is no long/)
    }))

  test('options of avsc are used', () =>
    withClient(async (client, server) => {
      const schema = { type: 'record', name: 'R', fields: [{ name: 'v', type: ['int', 'string'] }] }
      server.add('t-value', schema)
      const serializer = avroSerializer<object>({ client, avsc: { wrapUnions: 'always' } })
      assert.deepEqual([...(await bytesOf(serializer, 't', { v: { string: 'a' } })).subarray(5)], [2, 2, 97])
    }))

  test('bytes with their length, or raw', () =>
    withClient(async (client, server) => {
      server.add('t-value', '"bytes"')
      const data = Buffer.from('ab')
      assert.deepEqual([...(await bytesOf(avroSerializer({ client }), 't', data)).subarray(5)], [4, 97, 98])
      const raw = avroSerializer({ client, rawBytes: true })
      assert.deepEqual([...(await bytesOf(raw, 't', data)).subarray(5)], [97, 98])
    }))
})

describe('JSON Schema', () => {
  const drafts = ['http://json-schema.org/draft-07/schema#', 'https://json-schema.org/draft/2020-12/schema']
  for (const $schema of [undefined, ...drafts, 'https://json-schema.org/draft/2019-09/schema']) {
    test(`the draft of ${$schema}`, () =>
      withClient(async (client, server) => {
        server.add('t-value', { $schema, properties: { a: { type: 'number' } } }, 'JSON')
        const serializer = jsonSchemaSerializer<object>({ client })
        assert.equal((await bytesOf(serializer, 't', { a: 1 })).subarray(5).toString(), '{"a":1}')
        assert.throws(() => serializer.serialize('t', { a: '1' }), /\/a must be number/)
        assert.throws(() => serializer.serialize('t', { a: Number.NaN }), /\/a must be number/)
      }))
  }

  test('a draft that is not known asks for a validator', () =>
    withClient(async (client, server) => {
      server.add('t-value', { $schema: 'http://json-schema.org/draft-03/schema#' }, 'JSON')
      const error = await refusal(jsonSchemaSerializer({ client }).prepare('t'), 'INVALID_SCHEMA')
      assert.match(error.message, /draft-03.*option ajv/)
    }))

  test('what is sent counts: a Date fits a string; what JSON cannot express is refused', () =>
    withClient(async (client, server) => {
      server.add('t-value', { properties: { at: { type: 'string' } } }, 'JSON')
      const serializer = jsonSchemaSerializer<unknown>({ client })
      const bytes = await bytesOf(serializer, 't', { at: new Date(0) })
      assert.equal(bytes.subarray(5).toString(), '{"at":"1970-01-01T00:00:00.000Z"}')
      assert.throws(() => serializer.serialize('t', () => 1), SerializationError)
    }))

  test('a validator of one’s own, and none', () =>
    withClient(async (client, server) => {
      server.add('t-value', { format: 'even' }, 'JSON')
      const ajv = () =>
        new Ajv({ strict: false, formats: { even: { type: 'number', validate: n => n % 2 === 0 } } })
      const checked = jsonSchemaSerializer<number>({ client, ajv })
      await bytesOf(checked, 't', 2)
      assert.throws(() => checked.serialize('t', 3), /must match format/)
      await bytesOf(jsonSchemaSerializer<number>({ client, validate: false }), 't', 3)
    }))
})

describe('Protobuf', () => {
  const prepared = async (client: SchemaRegistryClient, server: RegistryServer) => {
    server.add('t-value', PROTO, 'PROTOBUF')
    const serializer = protobufSerializer<object>({ client, type: 'shop.v1.Order' })
    await serializer.prepare('t')
    return serializer
  }
  const read = (bytes: unknown) =>
    protoOrder.toObject(protoOrder.decode((bytes as Uint8Array).subarray(7)), {
      longs: String,
      enums: String,
    })

  test('plain objects: names of enums, bigints and texts as int64, nested, repeated, maps', () =>
    withClient(async (client, server) => {
      const serializer = await prepared(client, server)
      const data = {
        cents: 2n ** 62n,
        kind: 'GIFT',
        placedAt: { seconds: '-5', nanos: 1 },
        counts: { a: 1 },
        kinds: ['GIFT', 0],
        lines: [{ sku: 's', n: 4294967295 }],
        pickup: { sku: 'p' },
      }
      assert.deepEqual(read(serializer.serialize('t', data)), {
        cents: '4611686018427387904',
        kind: 'GIFT',
        placedAt: { seconds: '-5', nanos: 1 },
        counts: { a: 1 },
        kinds: ['GIFT', 'UNKNOWN'],
        lines: [{ sku: 's', n: 4294967295 }],
        pickup: { sku: 'p' },
      })
    }))

  const wrong: [string, object, RegExp][] = [
    ['an int64 beyond its range', { cents: 2n ** 63n }, /cents is out of int64's range/],
    ['an int64 that is no safe integer', { cents: 2 ** 60 }, /cents is out of/],
    ['an int64 that is no number', { cents: 'abc' }, /cents: integer/],
    ['a uint32 that is too large', { lines: [{ n: 2 ** 32 }] }, /lines\.n is out of uint32's range/],
    ['a negative uint32', { lines: [{ n: -1 }] }, /lines\.n is out of/],
    ['an int32 in a map', { counts: { a: 2 ** 31 } }, /counts is out of int32's range/],
    ['an enum that has no such name', { kind: 'NONE' }, /kind: enum value/],
    ['a message that is none', { placedAt: 'now' }, /placedAt/],
    ['a list that is none', { kinds: 'GIFT' }, /kinds: array expected/],
    ['two of a oneof', { post: 'x', pickup: {} }, /way: multiple values/],
  ]
  for (const [name, data, message] of wrong) {
    test(`${name} is refused`, () =>
      withClient(async (client, server) => {
        const serializer = await prepared(client, server)
        assert.throws(
          () => serializer.serialize('t', data),
          (error: unknown) => error instanceof SerializationError && message.test(error.message),
        )
      }))
  }

  test('descriptions of @bufbuild/protobuf: plain data and messages, the place by the registered text', () =>
    withClient(async (client, server) => {
      const text = `syntax = "proto3"; package google.protobuf; message Other {}
        message Duration { int64 seconds = 1; int32 nanos = 2; }`
      server.add('t-value', text, 'PROTOBUF')
      const serializer = protobufSerializer<object>({ client, type: DurationSchema })
      const bytes = await bytesOf(serializer, 't', { seconds: 5n })
      assert.deepEqual([...bytes.subarray(5, 7)], [2, 2])
      assert.equal(fromBinary(DurationSchema, bytes.subarray(7)).seconds, 5n)
      const message = fromBinary(DurationSchema, bytes.subarray(7))
      assert.deepEqual(await bytesOf(serializer, 't', message), bytes)
      const other = fromBinary(TimestampSchema, new Uint8Array(0))
      assert.throws(() => serializer.serialize('t', other), /is a google\.protobuf\.Timestamp, not a/)
      assert.throws(
        () => serializer.serialize('t', { seconds: 5n, nanos: 2 ** 40 }),
        (error: unknown) =>
          error instanceof SerializationError &&
          /nanos/.test(error.message) &&
          !/1099511627776/.test(error.message),
      )
    }))

  test('a message that the registered schema has not', () =>
    withClient(async (client, server) => {
      server.add('t-value', PROTO, 'PROTOBUF')
      const error = await refusal(
        protobufSerializer({ client, type: 'shop.v1.Hidden' }).prepare('t'),
        'INVALID_SCHEMA',
      )
      assert.match(error.message, /has no message shop\.v1\.Hidden/)
    }))
})

describe('options', () => {
  const client = new SchemaRegistryClient({ urls: 'http://127.0.0.1:9' })
  const rows: [string, object][] = [
    ['no client', {}],
    ['a client that is none', { client: {} }],
    ['an unknown option', { client, subject: 'x' }],
    ['an unknown wire format', { client, wireFormat: 'v2' }],
    ['an unknown field', { client, field: 'header' }],
    ['an unknown strategy', { client, subjectNameStrategy: 'TopicName' }],
    ['autoRegister without a schema', { client, autoRegister: true }],
    ['no source at all', { client, useLatest: false }],
    ['schema and schemas', { client, schema: ORDER, schemas: [ORDER] }],
    ['kinds that nobody tells apart', { client, schemas: [ORDER, { ...ORDER, name: 'B' }] }],
    ['kinds of one name', { client, schemas: [ORDER, ORDER], recordNameOf: () => '' }],
    ['a schema that is a number', { client, schema: 5 }],
    ['an id that is none', { client, schemaId: -1 }],
  ]
  for (const [name, options] of rows) {
    test(`${name} is refused`, () => {
      assert.throws(() => avroSerializer(options as never), ConfigError)
    })
  }

  test('a strategy that needs a name without one', async () => {
    const serializer = avroSerializer({ client, subjectNameStrategy: 'record' })
    await assert.rejects(async () => serializer.prepare('t'), /needs the record's name/)
  })
})
