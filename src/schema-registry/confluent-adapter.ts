import type { Bytes, Headers, ProducerRecord } from '../index.js'
import { errorNameOf, SchemaRegistryError } from './errors.js'
import type { RecordField, RegisteredSchema, Schema, SchemaRegistry, SchemaType } from './types.js'

/** A schema as clients of `@confluentinc/schemaregistry` have it. */
export interface ConfluentSchemaInfo {
  schema: string
  schemaType?: string
  references?: { name: string; subject: string; version: number }[]
  id?: number
  guid?: string
  subject?: string
  version?: number
}

/** What the adapter uses of a `Client` of the package `@confluentinc/schemaregistry`. */
export interface ConfluentClient {
  getBySubjectAndId(subject: string, id: number): Promise<ConfluentSchemaInfo>
  getLatestSchemaMetadata(subject: string): Promise<ConfluentSchemaInfo>
  getSchemaMetadata(subject: string, version: number, deleted: boolean): Promise<ConfluentSchemaInfo>
  registerFullResponse(
    subject: string,
    schema: ConfluentSchemaInfo,
    normalize: boolean,
  ): Promise<ConfluentSchemaInfo>
  getIdFullResponse(
    subject: string,
    schema: ConfluentSchemaInfo,
    normalize: boolean,
  ): Promise<ConfluentSchemaInfo>
  getAssociationsByResourceName?(
    name: string,
    namespace: string,
    type: string | null,
    associationTypes: string[],
    lifecycle: null,
    offset: number,
    limit: number,
  ): Promise<{ subject: string }[]>
}

const DEFAULT_LATEST_TTL_MS = 60_000
const NOT_FOUND = 404

/**
 * A registry for our serializers over a client of `@confluentinc/schemaregistry` (281 packages, 171 MB):
 * its way to authenticate, its caches and its in-memory registry (`mock://`). `latestTtlMs` (default
 * 60,000) says how often the serializers ask it for the latest version; set its own `latestTtlSecs` no
 * higher.
 */
export function confluentRegistry(
  client: ConfluentClient,
  { latestTtlMs = DEFAULT_LATEST_TTL_MS }: { latestTtlMs?: number } = {},
): SchemaRegistry {
  const infoOf = ({ schema, schemaType, references = [] }: Schema): ConfluentSchemaInfo => ({
    schema,
    schemaType,
    references: [...references],
  })
  return {
    latestTtlMs,
    getSchemaById: async (id, subject = '') => {
      return registered({ id, ...(await asked(client.getBySubjectAndId(subject, id))) })
    },
    getLatest: async subject => registered(await asked(client.getLatestSchemaMetadata(subject))),
    getVersion: async (subject, version) => {
      return registered(await asked(client.getSchemaMetadata(subject, version, true)))
    },
    register: async (subject, schema, { normalize = false } = {}) => {
      const told = await asked(client.registerFullResponse(subject, infoOf(schema), normalize))
      return { ...registered({ ...told, schema: schema.schema }), ...schema }
    },
    lookup: async (subject, schema, { normalize = false } = {}) => {
      const told = await asked(client.getIdFullResponse(subject, infoOf(schema), normalize))
      return { ...registered({ ...told, schema: schema.schema }), ...schema }
    },
    getAssociatedSubject: (topic, field) => associated(client, topic, field),
  }
}

async function associated(
  client: ConfluentClient,
  topic: string,
  field: RecordField,
): Promise<string | undefined> {
  const call = client.getAssociationsByResourceName?.(topic, '-', 'topic', [field], null, 0, -1)
  if (call === undefined) return undefined
  try {
    const found = await asked(call)
    if (found.length < 2) return found[0]?.subject
  } catch (error) {
    if (error instanceof SchemaRegistryError && error.status === NOT_FOUND) return undefined
    throw error
  }
  throw new SchemaRegistryError(`More than one subject is associated with topic ${topic}.`, {
    errorName: 'AMBIGUOUS_SUBJECT',
  })
}

/** The client's `RestError` as ours. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (cause) {
    const { status, errorCode, message } = cause as { status?: number; errorCode?: number; message?: string }
    if (typeof status !== 'number') {
      throw new SchemaRegistryError(`The schema registry cannot be asked: ${message ?? 'unknown'}`, {
        errorName: 'UNREACHABLE',
        retriable: true,
        cause,
      })
    }
    const errorName = errorNameOf(errorCode ?? 0, status)
    throw new SchemaRegistryError(`The schema registry answered ${status} (${errorName}): ${message ?? ''}`, {
      errorName,
      errorCode: errorCode ?? 0,
      status,
      retriable: status >= 500 || status === 429,
      cause,
    })
  }
}

function registered(info: ConfluentSchemaInfo): RegisteredSchema {
  const { id, schema, schemaType, references = [], guid, subject, version } = info
  if (id === undefined) {
    throw new SchemaRegistryError('The client of the schema registry gives no id.', {
      errorName: 'BAD_RESPONSE',
    })
  }
  return {
    id,
    schema,
    schemaType: (schemaType ?? 'AVRO') as SchemaType,
    ...(references.length === 0 ? {} : { references }),
    ...(guid === undefined ? {} : { guid }),
    ...(subject === undefined ? {} : { subject }),
    ...(version === undefined ? {} : { version }),
  }
}

/**
 * A serializer whose every call answers with a promise, such as `AvroSerializer` of
 * `@confluentinc/schemaregistry`.
 */
export interface AsyncSerializer {
  serialize(topic: string, data: unknown, headers: Record<string, Bytes | readonly Bytes[]>): Promise<Bytes>
}

interface Sender<Metadata, Report> {
  send(record: ProducerRecord): Promise<Metadata>
  sendMany(records: ProducerRecord[]): Promise<Report>
}

/**
 * Sends through a producer whose keys or values are serialized by {@link AsyncSerializer}s: several at a
 * time, but sent in the order of the calls. A record that cannot be serialized rejects its call, and holds
 * up no other. What waits for its serializer is not in `buffer.memory`, so await the calls. The producer
 * itself has no serializer.
 */
export function withAsyncSerializers<Metadata, Report>(
  producer: Sender<Metadata, Report>,
  { key, value }: { key?: AsyncSerializer; value?: AsyncSerializer },
): {
  send(record: ProducerRecord<unknown, unknown>): Promise<Metadata>
  sendMany(records: Iterable<ProducerRecord<unknown, unknown>>): Promise<Report>
} {
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <S, R>(serialized: Promise<S>, send: (ready: S) => Promise<R>): Promise<R> => {
    // The wrapper keeps the turn from waiting for the outcome.
    const sent = Promise.allSettled([serialized, turn]).then(() =>
      serialized.then(ready => ({ outcome: send(ready) })),
    )
    turn = sent.catch(() => {})
    return sent.then(({ outcome }) => outcome)
  }
  const serialize = (record: ProducerRecord<unknown, unknown>) => serializedOf(record, key, value)
  return {
    send: record => inTurn(serialize(record), ready => producer.send(ready)),
    sendMany: records =>
      inTurn(Promise.all(Array.from(records, serialize)), ready => producer.sendMany(ready)),
  }
}

async function serializedOf(
  record: ProducerRecord<unknown, unknown>,
  key: AsyncSerializer | undefined,
  value: AsyncSerializer | undefined,
): Promise<ProducerRecord> {
  const { topic } = record
  const headers = headersOf(record.headers)
  const bytes = async (serializer: AsyncSerializer | undefined, data: unknown): Promise<Bytes> =>
    serializer === undefined || data === null || data === undefined
      ? ((data ?? null) as Bytes)
      : serializer.serialize(topic, data, headers)
  const keyBytes = await bytes(key, record.key)
  const valueBytes = await bytes(value, record.value)
  return { ...record, key: keyBytes, value: valueBytes, headers }
}

/** A plain object, for that is what these serializers add headers to. */
function headersOf(headers: Headers | null | undefined): Record<string, Bytes | readonly Bytes[]> {
  if (headers === undefined || headers === null) return {}
  if (!(Symbol.iterator in headers)) return { ...(headers as Record<string, Bytes>) }
  const lists = new Map<string, Bytes[]>()
  for (const [name, value] of headers as Iterable<readonly [string, Bytes]>) {
    const list = lists.get(name)
    if (list === undefined) lists.set(name, [value])
    else list.push(value)
  }
  return Object.fromEntries(lists)
}
