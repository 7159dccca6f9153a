import assert from 'node:assert/strict'
import { test } from 'node:test'
import protobuf from 'protobufjs'
import { Producer, SerializationError } from '../../dist/index.js'
import {
  avroSerializer,
  jsonSchemaSerializer,
  protobufSerializer,
  SchemaRegistryClient,
  SchemaRegistryError,
} from '../../dist/schema-registry/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { RegistryServer } from '../schema-registry/registry-server.js'

interface Order {
  id: string
  cents: number
}

const ORDER = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'cents', type: 'long' },
  ],
}
const PROTO = 'syntax = "proto3"; message Order { string id = 1; int32 cents = 2; }'
const order = (cents: number): Order => ({ id: 'a', cents })

function calledBack(producer: Producer<string, Order>, value: Order): Promise<void> {
  return new Promise((resolve, reject) => {
    producer.send({ topic: 'orders', key: 'k', value }, error => (error === null ? resolve() : reject(error)))
  })
}

test('records wait for the first schema in the order of their sends, by whichever way they come', async () => {
  await using registry = await RegistryServer.start()
  await using broker = await startBroker({ partitions: 1, quiet: true })
  using client = new SchemaRegistryClient({ urls: registry.url })
  await using producer = new Producer<string, Order>({
    bootstrapServers: broker.bootstrapServers,
    valueSerializer: avroSerializer<Order>({ client, wireFormat: 'header' }),
  })
  const id = registry.add('orders-value', ORDER)
  registry.delayMs = 100
  const sent: Promise<unknown>[] = []
  for (let i = 0; i < 30; i += 3) {
    sent.push(producer.send({ topic: 'orders', key: 'k', value: order(i), headers: { n: `${i}` } }))
    sent.push(calledBack(producer, order(i + 1)))
    sent.push(producer.sendMany([{ topic: 'orders', value: order(i + 2) }]))
  }
  await Promise.all(sent)
  await producer.send({ topic: 'orders', value: order(30) })
  const stored = Array.from(broker.records('orders'))
  // Avro: the length of the text, the text, the number in zigzag.
  assert.deepEqual(
    stored.map(({ value }) => [...(value ?? [])]),
    Array.from({ length: 31 }, (_, i) => [2, 97, i * 2]),
  )
  const guid = Buffer.from(registry.guidOf(id).replaceAll('-', ''), 'hex')
  for (const { headers } of stored) {
    const [name, value] = headers.at(-1) ?? []
    assert.equal(name, '__value_schema_id')
    assert.deepEqual([...((value as Uint8Array | null) ?? [])], [1, ...guid])
  }
  assert.equal(registry.requests.length, 1)
})

test('a registry that fails, then recovers', async () => {
  await using registry = await RegistryServer.start()
  await using broker = await startBroker({ partitions: 1, quiet: true })
  using client = new SchemaRegistryClient({
    urls: registry.url,
    retries: 1,
    retryBackoffMs: 1,
    notFoundTtlMs: 0,
  })
  await using producer = new Producer<string, Order>({
    bootstrapServers: broker.bootstrapServers,
    valueSerializer: jsonSchemaSerializer<Order>({ client }),
  })
  const refused = (errorName: string) => (error: unknown) => {
    assert.ok(error instanceof SerializationError && error.cause instanceof SchemaRegistryError)
    assert.equal(error.cause.errorName, errorName)
    assert.equal(error.retriable, errorName !== 'SUBJECT_NOT_FOUND')
    return true
  }
  const send = () => producer.send({ topic: 'orders', value: order(1) })
  await assert.rejects(send(), refused('SUBJECT_NOT_FOUND'))
  registry.fail([500, { error_code: 50003, message: 'forwarding' }])
  await assert.rejects(send(), refused('FORWARDING_ERROR'))
  registry.recover()
  await registry.down()
  await assert.rejects(send(), refused('UNREACHABLE'))
  await registry.up()
  registry.add('orders-value', { type: 'object', required: ['id'] }, 'JSON')
  assert.equal((await send()).offset, 0n)
  await assert.rejects(
    producer.send({ topic: 'orders', value: {} as Order }),
    /must have required property 'id'/,
  )
})

test('keys and values of formats of their own', async () => {
  await using registry = await RegistryServer.start()
  await using broker = await startBroker({ partitions: 1, quiet: true })
  using client = new SchemaRegistryClient({ urls: registry.url })
  await using producer = new Producer<Order, Order>({
    bootstrapServers: broker.bootstrapServers,
    keySerializer: protobufSerializer<Order>({ client, field: 'key', schema: PROTO, autoRegister: true }),
    valueSerializer: jsonSchemaSerializer<Order>({ client, schema: { title: 'Order' }, autoRegister: true }),
  })
  await producer.send({ topic: 'orders', key: order(5), value: order(6) })
  const [stored] = Array.from(broker.records('orders'))
  const type = protobuf.parse(PROTO).root.lookupType('Order')
  assert.deepEqual({ ...type.decode((stored?.key ?? new Uint8Array()).subarray(6)) }, { ...order(5) })
  assert.equal(
    Buffer.from(stored?.value ?? [])
      .subarray(5)
      .toString(),
    JSON.stringify(order(6)),
  )
})
