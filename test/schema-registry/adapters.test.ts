import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import avsc from 'avsc'
import { type ProducerRecord, SerializationError } from '../../dist/index.js'
import {
  avroSerializer,
  type ConfluentClient,
  confluentRegistry,
  kafkajsRegistrySerializer,
  SchemaRegistryError,
  withAsyncSerializers,
} from '../../dist/schema-registry/index.js'

const SCHEMA = { type: 'record', name: 'Order', fields: [{ name: 'id', type: 'string' }] } as const

describe('@kafkajs/confluent-schema-registry', () => {
  const registryOf = (asked: string[]) => ({
    async getLatestSchemaId(subject: string) {
      asked.push(subject)
      if (subject.startsWith('none')) throw new Error('Subject not found')
      return 258
    },
    async getSchema(id: number) {
      asked.push(`${id}`)
      return avsc.Type.forSchema(SCHEMA as never) as never
    },
  })

  test('the latest schema is asked for once, and the bytes are those of its encode', async () => {
    const asked: string[] = []
    const serializer = kafkajsRegistrySerializer<object>(registryOf(asked))
    assert.throws(() => serializer.serialize('t', { id: 'a' }), /await prepare\('t'\)/)
    await Promise.all([serializer.prepare('t'), serializer.prepare('t')])
    assert.equal(serializer.prepare('t'), undefined)
    assert.deepEqual(asked, ['t-value', '258'])
    assert.deepEqual([...(serializer.serialize('t', { id: 'a' }) as Uint8Array)], [0, 0, 0, 1, 2, 2, 97])
    assert.equal(serializer.serialize('t', null), null)
  })

  test('a failure is not kept; data that does not fit is not shown', async () => {
    const asked: string[] = []
    const serializer = kafkajsRegistrySerializer<object>(registryOf(asked), { field: 'key' })
    await assert.rejects(async () => serializer.prepare('none'), /Subject not found/)
    await assert.rejects(async () => serializer.prepare('none'), /Subject not found/)
    assert.deepEqual(asked, ['none-key', 'none-key'])
    const fixed = kafkajsRegistrySerializer<object>(registryOf(asked), { schemaId: 7 })
    await fixed.prepare('none')
    assert.throws(
      () => fixed.serialize('none', { id: 12345 }),
      (error: unknown) =>
        error instanceof SerializationError && /at id/.test(error.message) && !/12345/.test(error.message),
    )
  })
})

describe('@confluentinc/schemaregistry: its client', () => {
  const info = { schema: JSON.stringify(SCHEMA), id: 3, guid: '01234567-89ab-cdef-0123-456789abcdef' }
  const clientOf = (over: Partial<ConfluentClient> = {}): ConfluentClient => ({
    getBySubjectAndId: async () => ({ schema: info.schema, schemaType: 'AVRO' }),
    getLatestSchemaMetadata: async () => ({ ...info, version: 1 }),
    getSchemaMetadata: async () => info,
    registerFullResponse: async () => ({ ...info, id: 4 }),
    getIdFullResponse: async () => ({ ...info, id: 5 }),
    ...over,
  })
  const idOf = async (options: object, client = clientOf()) => {
    const serializer = avroSerializer<object>({ client: confluentRegistry(client), ...options })
    await serializer.prepare('t')
    return (serializer.serialize('t', { id: 'a' }) as Uint8Array)[4]
  }

  test('each way to a schema', async () => {
    assert.equal(await idOf({}), 3)
    assert.equal(await idOf({ schemaId: 9 }), 9)
    assert.equal(await idOf({ schema: SCHEMA, autoRegister: true }), 4)
    assert.equal(await idOf({ schema: SCHEMA }), 5)
  })

  test('subjects associated with a topic', async () => {
    const asked: string[] = []
    const client = clientOf({
      getAssociationsByResourceName: async (...args) => {
        asked.push(args.join())
        return [{ subject: 'agreed' }]
      },
      getLatestSchemaMetadata: async subject => {
        asked.push(subject)
        return info
      },
    })
    await idOf({ subjectNameStrategy: 'associated' }, client)
    assert.deepEqual(asked, ['t,-,topic,value,,0,-1', 'agreed'])
  })

  test('its errors become ours', async () => {
    const rest = Object.assign(new Error('Schema not found; error code: 40403'), {
      status: 404,
      errorCode: 40403,
    })
    const failing = (error: Error) =>
      confluentRegistry(clientOf({ getLatestSchemaMetadata: () => Promise.reject(error) })).getLatest('s')
    const named = (name: string, retriable: boolean) => (error: unknown) =>
      error instanceof SchemaRegistryError && error.errorName === name && error.retriable === retriable
    await assert.rejects(failing(rest), named('SCHEMA_NOT_FOUND', false))
    await assert.rejects(failing(new Error('ECONNREFUSED')), named('UNREACHABLE', true))
  })
})

describe('serializers that are asynchronous', () => {
  test('records are sent in the order of the calls, whichever is ready first', async () => {
    const sent: ProducerRecord[] = []
    const producer = {
      send: async (record: ProducerRecord) => {
        sent.push(record)
        return record.value
      },
      sendMany: async (records: ProducerRecord[]) => {
        sent.push(...records)
        return records.length
      },
    }
    const value = {
      async serialize(_topic: string, data: unknown, headers: object) {
        const { text, ms } = data as { text: string; ms: number }
        await new Promise(resolve => setTimeout(resolve, ms))
        if (text === 'bad') throw new Error('bad')
        Object.assign(headers, { __value_schema_id: text })
        return text
      },
    }
    const sender = withAsyncSerializers(producer, { value })
    const of = (text: string, ms: number) => ({ topic: 't', key: 'k', value: { text, ms } })
    const outcomes = await Promise.allSettled([
      sender.send({ ...of('a', 60), headers: [['x', '1'] as const, ['x', '2'] as const] }),
      sender.send(of('bad', 30)),
      sender.sendMany([of('b', 20), of('c', 1)]),
      sender.send(of('d', 0)),
      sender.send({ topic: 't', value: null }),
    ])
    assert.deepEqual(
      sent.map(each => each.value),
      ['a', 'b', 'c', 'd', null],
    )
    assert.deepEqual(sent[0]?.headers, { x: ['1', '2'], __value_schema_id: 'a' })
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
    )
  })
})
