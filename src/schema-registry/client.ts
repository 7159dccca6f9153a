import { AnswerCache } from './answer-cache.js'
import { SchemaRegistryError } from './errors.js'
import { type ClientConfig, checkClientOptions, type SchemaRegistryClientOptions } from './options.js'
import { Transport } from './transport.js'
import type {
  RecordField,
  RegisteredSchema,
  RegisterOptions,
  Schema,
  SchemaReference,
  SchemaRegistry,
  SchemaType,
} from './types.js'

const FOR_EVER = Number.POSITIVE_INFINITY
const SCHEMA_TYPES: readonly string[] = ['AVRO', 'JSON', 'PROTOBUF']
const NOT_FOUND = 404
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * A client for registries with Confluent's REST interface (Confluent Schema Registry, Apicurio's `ccompat`,
 * Karapace, Redpanda). Schemas are kept for ever by id, guid and version, the latest version of a subject for
 * `latestTtlMs`. Who asks what is being asked already gets the same answer. All methods throw
 * {@link SchemaRegistryError}; the constructor throws `ConfigError`.
 */
export class SchemaRegistryClient implements SchemaRegistry {
  readonly latestTtlMs: number
  readonly #config: ClientConfig
  readonly #transport: Transport
  readonly #cache: AnswerCache

  constructor(options: SchemaRegistryClientOptions) {
    this.#config = checkClientOptions(options)
    this.#transport = new Transport(this.#config)
    this.#cache = new AnswerCache(this.#config.cacheSize)
    this.latestTtlMs = this.#config.latestTtlMs
  }

  /** `GET /schemas/ids/{id}`. `subject` helps registries that keep ids apart by context. */
  getSchemaById(id: number, subject?: string): Promise<RegisteredSchema> {
    const query = subject === undefined ? '' : `?subject=${encodeURIComponent(subject)}`
    return this.#ask(`/schemas/ids/${id}${query}`, FOR_EVER, answer => registered(answer, { id }))
  }

  /** `GET /schemas/guids/{guid}`. */
  getSchemaByGuid(guid: string): Promise<Schema> {
    const path = `/schemas/guids/${encodeURIComponent(guid)}`
    return this.#ask(path, FOR_EVER, answer => schemaOf(answer))
  }

  /** `GET /subjects/{subject}/versions/latest`, asked again after `latestTtlMs`. */
  getLatest(subject: string): Promise<RegisteredSchema> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/latest`
    return this.#ask(path, this.latestTtlMs, answer => registered(answer, {}))
  }

  /** `GET /subjects/{subject}/versions/{version}`. */
  getVersion(subject: string, version: number): Promise<RegisteredSchema> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`
    return this.#ask(path, FOR_EVER, answer => registered(answer, {}))
  }

  /** `POST /subjects/{subject}/versions`: registers the schema, or finds it if it is there already. */
  register(subject: string, schema: Schema, options: RegisterOptions = {}): Promise<RegisteredSchema> {
    return this.#post(`/subjects/${encodeURIComponent(subject)}/versions`, schema, options)
  }

  /**
   * `POST /subjects/{subject}`: the id of a schema that is registered under the subject, else
   * `SCHEMA_NOT_FOUND`.
   */
  lookup(subject: string, schema: Schema, options: RegisterOptions = {}): Promise<RegisteredSchema> {
    return this.#post(`/subjects/${encodeURIComponent(subject)}`, schema, options)
  }

  /**
   * `GET /associations/resources/-/{topic}`: the subject associated with a topic, whatever its cluster.
   * Undefined where there is none, or where the registry knows no associations.
   */
  getAssociatedSubject(topic: string, field: RecordField): Promise<string | undefined> {
    const query = `resourceType=topic&associationType=${field}`
    const path = `/associations/resources/-/${encodeURIComponent(topic)}?${query}`
    return this.#cache.get(path, this.latestTtlMs, this.#failureTtlMs, async () => {
      try {
        return subjectOf(await this.#transport.request('GET', path), topic)
      } catch (error) {
        if (error instanceof SchemaRegistryError && error.status === NOT_FOUND) return undefined
        throw error
      }
    })
  }

  /** Forgets all answers. */
  clearCache(): void {
    this.#cache.clear()
  }

  /** Gives up requests in flight; they and later ones fail with `CLOSED`. */
  close(): void {
    this.#transport.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  readonly #failureTtlMs = (error: unknown): number =>
    error instanceof SchemaRegistryError && error.status === NOT_FOUND ? this.#config.notFoundTtlMs : 0

  #ask<T>(path: string, ttlMs: number, read: (answer: unknown) => T): Promise<T> {
    return this.#cache.get(path, ttlMs, this.#failureTtlMs, async () => {
      return read(await this.#transport.request('GET', path))
    })
  }

  #post(path: string, schema: Schema, options: RegisterOptions): Promise<RegisteredSchema> {
    const { schema: text, schemaType, references = [] } = schema
    const normalize = options.normalize === true
    const body = {
      schema: text,
      // Registries before 5.5 know Avro only, and refuse the field.
      ...(schemaType === 'AVRO' ? {} : { schemaType }),
      ...(references.length === 0 ? {} : { references }),
    }
    const key = `POST ${path} ${normalize} ${JSON.stringify(body)}`
    const target = normalize ? `${path}?normalize=true` : path
    return this.#cache.get(key, FOR_EVER, this.#failureTtlMs, async () => {
      const answer = await this.#transport.request('POST', target, body)
      // Some answer with the id alone; what was asked for is what has the id.
      return { ...registered({ ...body, schemaType, ...(answer as object) }, {}), ...schema }
    })
  }
}

function badResponse(what: string): SchemaRegistryError {
  return new SchemaRegistryError(`The schema registry's answer has no usable ${what}.`, {
    errorName: 'BAD_RESPONSE',
  })
}

function schemaOf(answer: unknown): Schema {
  const { schema, schemaType, references } = (answer ?? {}) as Record<string, unknown>
  if (typeof schema !== 'string') throw badResponse('schema')
  const type = schemaType ?? 'AVRO'
  if (typeof type !== 'string' || !SCHEMA_TYPES.includes(type)) throw badResponse('schemaType')
  const list = Array.isArray(references) ? (references as SchemaReference[]) : []
  return {
    schema,
    schemaType: type as SchemaType,
    ...(list.length === 0 ? {} : { references: list }),
  }
}

function registered(answer: unknown, known: { id?: number }): RegisteredSchema {
  const { id: told, guid, subject, version } = (answer ?? {}) as Record<string, unknown>
  const id = known.id ?? told
  if (!Number.isInteger(id) || (id as number) < 0 || (id as number) > 0x7fffffff) throw badResponse('id')
  return {
    ...schemaOf(answer),
    id: id as number,
    ...(typeof guid === 'string' && GUID.test(guid) ? { guid } : {}),
    ...(typeof subject === 'string' ? { subject } : {}),
    ...(Number.isInteger(version) ? { version: version as number } : {}),
  }
}

function subjectOf(answer: unknown, topic: string): string | undefined {
  if (!Array.isArray(answer)) throw badResponse('list of associations')
  if (answer.length > 1) {
    throw new SchemaRegistryError(`More than one subject is associated with topic ${topic}.`, {
      errorName: 'AMBIGUOUS_SUBJECT',
    })
  }
  const subject = (answer[0] as { subject?: unknown } | undefined)?.subject
  if (answer.length === 1 && typeof subject !== 'string') throw badResponse('subject')
  return subject as string | undefined
}
