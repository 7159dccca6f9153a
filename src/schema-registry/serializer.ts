import { defaultLogger, harmless, type Logger } from '../common/logger.js'
import { ConfigError, KafkaError, SerializationError } from '../errors/index.js'
import type { Bytes, Headers, Serializer } from '../index.js'
import { SchemaRegistryError } from './errors.js'
import { refuseUnknown } from './options.js'
import { type ReferencedSchema, resolveReferences } from './references.js'
import { checkStrategy, type SubjectNameStrategy, subjectOf } from './subject.js'
import type {
  RecordField,
  RegisteredSchema,
  Schema,
  SchemaReference,
  SchemaRegistry,
  SchemaType,
} from './types.js'
import {
  putHeader,
  schemaIdHeader,
  schemaPrefix,
  WIRE_FORMATS,
  type WireFormat,
  withPrefix,
} from './wire-format.js'

/** Options that the serializers of all formats have. */
export interface RegistrySerializerOptions<T> {
  readonly client: SchemaRegistry
  /** Whether it serializes keys or values. Default `value`. */
  readonly field?: RecordField
  /** How a record tells its schema. Default `v0`. */
  readonly wireFormat?: WireFormat
  /** Default `topic`. */
  readonly subjectNameStrategy?: SubjectNameStrategy
  /**
   * The schema, as text, or as the object its JSON describes. It is looked up in the registry, and is to be
   * registered there. Without one, the latest version of the subject is used.
   */
  readonly schema?: string | object
  /** Schemas that it uses, as registered. */
  readonly references?: readonly SchemaReference[]
  /** Several schemas, for records of several kinds in one topic; in place of `schema`. */
  readonly schemas?: readonly (string | object)[]
  /** Full name of the record, where no schema gives it; of all of them, where there are several kinds. */
  readonly recordName?: string | readonly string[]
  /** Tells the kind of a record, by its full name. Needed where there are several kinds. */
  readonly recordNameOf?: (data: T) => string
  /** Registers the schema if the subject has it not. Default false: registering is for those who deploy. */
  readonly autoRegister?: boolean
  /** Uses this schema, which must be registered. */
  readonly schemaId?: number
  /** Uses the latest version of the subject. Default false with a schema, else true. */
  readonly useLatest?: boolean
  /** Has the registry bring schemas into a normal form before it compares them. Default false. */
  readonly normalize?: boolean
  /** Hears when a newer version cannot be asked for. Default: warnings go to the console. */
  readonly logger?: Logger
}

const KNOWN_OPTIONS = [
  ...['client', 'field', 'wireFormat', 'subjectNameStrategy', 'schema', 'references', 'schemas'],
  ...['recordName', 'recordNameOf', 'autoRegister', 'schemaId', 'useLatest', 'normalize', 'logger'],
]

/** A schema as it is registered, with all that it uses. */
export interface ResolvedSchema extends RegisteredSchema {
  readonly referenced: readonly ReferencedSchema[]
}

/** Turns data of one schema into its payload. */
export interface SchemaEncoder<T> {
  encode(data: T): Uint8Array
  /** Protobuf's place of the message in its file, as written. */
  readonly messageIndexes?: Uint8Array
}

/** What a format adds to the serializer. */
export interface SchemaFormat<T> {
  readonly name: string
  readonly schemaType: SchemaType
  /** Options of this format's own. */
  readonly options: readonly string[]
  /** Full name of what a schema describes, where its text says. */
  recordNameIn(schema: string): string | undefined
  /** Loads what the format is built on. */
  load(): Promise<void>
  compile(schema: ResolvedSchema, recordName: string | undefined): SchemaEncoder<T>
}

/** A serializer that has to ask a registry before the first record of a topic. */
export interface RegistrySerializer<T> extends Serializer<T | null | undefined> {
  /**
   * Gets ready for a topic: resolves once `serialize` may be called for it. Answers nothing if it is ready.
   * Throws `SchemaRegistryError` for what the registry says, `ConfigError` if a package is missing.
   */
  prepare(topic: string): void | Promise<void>
  /** Whether `serialize` adds to the headers, which then must be an array of pairs or a plain object. */
  readonly addsHeaders: boolean
  /**
   * The key or value as it is sent; null for null and undefined. Throws `SerializationError` if the topic is
   * not prepared, or the data does not fit the schema.
   */
  serialize(topic: string, data: T | null | undefined, headers?: Headers): Bytes
}

interface Kind {
  readonly recordName: string | undefined
  readonly schema: Schema | undefined
}

interface Writer<T> {
  readonly prefix: Uint8Array
  readonly encoder: SchemaEncoder<T>
}

/** What a topic's records are written with. */
interface Prepared<T> {
  /** By the full name of their kind; a single one by the empty name. */
  readonly writers: ReadonlyMap<string, Writer<T>>
  refreshAtMs: number
}

type Source = 'register' | 'id' | 'latest' | 'lookup'

class SchemaSerializer<T> implements RegistrySerializer<T> {
  readonly addsHeaders: boolean
  private readonly options: RegistrySerializerOptions<T>
  private readonly format: SchemaFormat<T>
  private readonly field: RecordField
  private readonly wireFormat: WireFormat
  private readonly strategy: SubjectNameStrategy
  private readonly source: Source
  private readonly kinds: readonly Kind[]
  private readonly prepared = new Map<string, Prepared<T>>()
  private readonly preparing = new Map<string, Promise<void>>()

  constructor(options: RegistrySerializerOptions<T>, format: SchemaFormat<T>) {
    refuseUnknown(`${format.name}Serializer`, options, [...KNOWN_OPTIONS, ...format.options])
    this.options = options
    this.format = format
    this.field = oneOf(options.field ?? 'value', ['key', 'value'], 'field') as RecordField
    this.wireFormat = oneOf(options.wireFormat ?? 'v0', WIRE_FORMATS, 'wireFormat') as WireFormat
    this.addsHeaders = this.wireFormat === 'header'
    this.strategy = checkStrategy(options.subjectNameStrategy ?? 'topic')
    if (typeof options.client?.getLatest !== 'function') {
      throw new ConfigError('client must be a SchemaRegistryClient, or what an adapter made.', 'client')
    }
    this.kinds = kindsOf(options, format)
    this.source = sourceOf(options, this.kinds)
  }

  prepare(topic: string): void | Promise<void> {
    if (this.prepared.has(topic)) return
    return this.load(topic)
  }

  serialize(topic: string, data: T | null | undefined, headers?: Headers): Bytes {
    if (data === null || data === undefined) return null
    const prepared = this.prepared.get(topic)
    if (prepared === undefined) {
      throw new SerializationError(`its schema is not there yet: await prepare('${topic}') first`, { topic })
    }
    if (performance.now() >= prepared.refreshAtMs) this.refresh(topic, prepared)
    const { prefix, encoder } = this.writerOf(prepared, topic, data)
    const payload = encoder.encode(data)
    if (!this.addsHeaders) return withPrefix(prefix, payload)
    putHeader(headers, schemaIdHeader(this.field), prefix)
    return payload
  }

  private writerOf({ writers }: Prepared<T>, topic: string, data: T): Writer<T> {
    const { recordNameOf } = this.options
    const name = this.kinds.length > 1 && recordNameOf !== undefined ? recordNameOf(data) : ''
    const writer = writers.get(name)
    if (writer !== undefined) return writer
    throw new SerializationError(`no schema is for records called ${JSON.stringify(name)}`, { topic })
  }

  /** The present version stays in use until the next one is there, and if the registry cannot be asked. */
  private refresh(topic: string, prepared: Prepared<T>): void {
    prepared.refreshAtMs = performance.now() + this.options.client.latestTtlMs
    this.load(topic).catch(error => {
      const logger = harmless(this.options.logger ?? defaultLogger)
      logger.warn(`Schemas of topic ${topic} are those of before: ${error.message}`)
    })
  }

  private load(topic: string): Promise<void> {
    let loading = this.preparing.get(topic)
    if (loading === undefined) {
      loading = this.loadNow(topic).finally(() => this.preparing.delete(topic))
      this.preparing.set(topic, loading)
    }
    return loading
  }

  private async loadNow(topic: string): Promise<void> {
    await this.format.load()
    const isSingle = this.kinds.length === 1
    const writers = await Promise.all(
      this.kinds.map(async kind => {
        const writer = await this.writerFor(topic, kind)
        return [isSingle ? '' : (kind.recordName as string), writer] as const
      }),
    )
    const ttlMs = this.source === 'latest' ? this.options.client.latestTtlMs : Number.POSITIVE_INFINITY
    this.prepared.set(topic, { writers: new Map(writers), refreshAtMs: performance.now() + ttlMs })
  }

  private async writerFor(topic: string, { recordName, schema }: Kind): Promise<Writer<T>> {
    const { client } = this.options
    const { field, format, strategy } = this
    const subject = await subjectOf(strategy, { topic, field, recordName }, client)
    const registered = await this.schemaFor(subject, schema)
    if (registered.schemaType !== format.schemaType) {
      throw new SchemaRegistryError(
        `Schema ${registered.id} of subject ${subject} is ${registered.schemaType}, ` +
          `not ${format.schemaType}.`,
        { errorName: 'WRONG_SCHEMA_TYPE' },
      )
    }
    const referenced = await resolveReferences(client, registered)
    const encoder = this.compile({ ...registered, referenced }, recordName, subject)
    const prefix = schemaPrefix(registered, this.wireFormat, encoder.messageIndexes ?? null)
    return { prefix, encoder }
  }

  private compile(schema: ResolvedSchema, recordName: string | undefined, subject: string): SchemaEncoder<T> {
    try {
      return this.format.compile(schema, recordName)
    } catch (cause) {
      if (cause instanceof KafkaError) throw cause
      const reason = cause instanceof Error ? cause.message : 'unknown'
      throw new SchemaRegistryError(`Schema ${schema.id} of subject ${subject} cannot be used: ${reason}`, {
        errorName: 'INVALID_SCHEMA',
        cause,
      })
    }
  }

  private async schemaFor(subject: string, schema: Schema | undefined): Promise<RegisteredSchema> {
    const { client, schemaId, normalize = false } = this.options
    const found = await this.find(subject, schema)
    if (this.wireFormat === 'v0' || found.guid !== undefined) return found
    // Answers by id, and to registering, may come without the guid.
    const { guid } = await client.lookup(subject, schema ?? found, { normalize })
    return guid === undefined ? found : { ...found, guid, id: schemaId ?? found.id }
  }

  private find(subject: string, schema: Schema | undefined): Promise<RegisteredSchema> {
    const { client, schemaId, normalize = false } = this.options
    if (this.source === 'id') return client.getSchemaById(schemaId as number, subject)
    if (this.source === 'latest') return client.getLatest(subject)
    if (this.source === 'register') return client.register(subject, schema as Schema, { normalize })
    return client.lookup(subject, schema as Schema, { normalize })
  }
}

/** The serializer of a format. Throws `ConfigError` for options that are wrong. */
export function schemaSerializer<T>(
  options: RegistrySerializerOptions<T>,
  format: SchemaFormat<T>,
): RegistrySerializer<T> {
  return new SchemaSerializer(options, format)
}

function oneOf(value: unknown, allowed: readonly unknown[], name: string): unknown {
  if (allowed.includes(value)) return value
  throw new ConfigError(`${name} must be one of ${allowed.join(', ')}.`, name)
}

function kindsOf<T>(options: RegistrySerializerOptions<T>, format: SchemaFormat<T>): Kind[] {
  const { schema, schemas, recordName, recordNameOf, references } = options
  if (schema !== undefined && schemas !== undefined) {
    throw new ConfigError('schema and schemas exclude each other.', 'schemas')
  }
  const texts = (schemas ?? (schema === undefined ? [] : [schema])).map(textOf)
  const names = recordName === undefined ? [] : [recordName].flat()
  if (texts.length > 0 && names.length > texts.length) {
    throw new ConfigError('recordName has more names than there are schemas.', 'recordName')
  }
  const kinds = Array.from({ length: Math.max(texts.length, names.length, 1) }, (_, index): Kind => {
    const text = texts[index]
    if (text === undefined) return { recordName: names[index], schema: undefined }
    const { schemaType } = format
    const used = references === undefined ? {} : { references }
    const name = names[index] ?? format.recordNameIn(text)
    return { recordName: name, schema: { schema: text, schemaType, ...used } }
  })
  if (kinds.length === 1) return kinds
  if (typeof recordNameOf !== 'function') {
    throw new ConfigError('With several kinds of records, recordNameOf must tell them apart.', 'recordNameOf')
  }
  const distinct = new Set(kinds.map(kind => kind.recordName))
  if (distinct.has(undefined) || distinct.size < kinds.length) {
    throw new ConfigError('With several kinds of records, each schema needs a name of its own.', 'schemas')
  }
  return kinds
}

function textOf(schema: unknown): string {
  if (typeof schema === 'string') return schema
  if (typeof schema === 'object' && schema !== null) return JSON.stringify(schema)
  throw new ConfigError('A schema must be text, or the object that its JSON describes.', 'schema')
}

/** In this order, as Confluent's serializers choose. */
function sourceOf<T>(options: RegistrySerializerOptions<T>, kinds: readonly Kind[]): Source {
  const { autoRegister = false, schemaId, useLatest } = options
  const hasSchema = kinds.every(kind => kind.schema !== undefined)
  if (autoRegister) {
    if (hasSchema) return 'register'
    throw new ConfigError('autoRegister needs a schema to register.', 'autoRegister')
  }
  if (schemaId !== undefined) {
    if (Number.isInteger(schemaId) && schemaId >= 0 && kinds.length === 1) return 'id'
    throw new ConfigError('schemaId must be the id of one schema.', 'schemaId')
  }
  if (useLatest ?? !hasSchema) return 'latest'
  if (hasSchema) return 'lookup'
  throw new ConfigError('Without useLatest or schemaId a schema is needed.', 'schema')
}
