import { SerializationError } from '../errors/index.js'
import type { RegistrySerializer } from './serializer.js'
import type { RecordField } from './types.js'
import { schemaPrefix, withPrefix } from './wire-format.js'

/** What the adapter uses of `SchemaRegistry` of the package `@kafkajs/confluent-schema-registry`. */
export interface KafkajsSchemaRegistry {
  getLatestSchemaId(subject: string): Promise<number>
  getSchema(registryId: number): Promise<KafkajsSchema>
}

/** A schema as `@kafkajs/confluent-schema-registry` has it. */
export interface KafkajsSchema {
  toBuffer(payload: never): Uint8Array
  isValid(payload: never, options?: { errorHook(path: string[]): void }): boolean
}

/** Which schema a serializer of `kafkajsRegistrySerializer` uses. */
export interface KafkajsRegistryOptions {
  /** Default `value`. */
  readonly field?: RecordField
  /** Default: the latest schema of the subject. */
  readonly schemaId?: number
  /** Names the subject of a topic. Default `TOPIC-key` or `TOPIC-value`. */
  readonly subject?: (topic: string) => string
}

interface Ready {
  readonly prefix: Uint8Array
  readonly schema: KafkajsSchema
}

const MAX_PATHS = 5

/**
 * A serializer over a `SchemaRegistry` of `@kafkajs/confluent-schema-registry` (22 packages, 13 MB), with
 * the bytes of its `encode`: wire format v0, and Protobuf without the message indexes that other readers
 * need. The latest schema is the one of the first record; it is not asked for again.
 */
export function kafkajsRegistrySerializer<T = unknown>(
  registry: KafkajsSchemaRegistry,
  options: KafkajsRegistryOptions = {},
): RegistrySerializer<T> {
  const { field = 'value', schemaId, subject = topic => `${topic}-${field}` } = options
  const ready = new Map<string, Ready>()
  const preparing = new Map<string, Promise<void>>()
  const load = async (topic: string): Promise<void> => {
    try {
      const id = schemaId ?? (await registry.getLatestSchemaId(subject(topic)))
      const schema = await registry.getSchema(id)
      ready.set(topic, { prefix: schemaPrefix({ id, schema: '', schemaType: 'AVRO' }, 'v0', null), schema })
    } finally {
      preparing.delete(topic)
    }
  }
  return {
    addsHeaders: false,
    prepare(topic) {
      if (ready.has(topic)) return
      const loading = preparing.get(topic) ?? load(topic)
      preparing.set(topic, loading)
      return loading
    },
    serialize(topic, data) {
      if (data === null || data === undefined) return null
      const found = ready.get(topic)
      if (found === undefined) {
        throw new SerializationError(`its schema is not there yet: await prepare('${topic}') first`, {
          topic,
        })
      }
      return withPrefix(found.prefix, payloadOf(found.schema, data as never, topic))
    },
  }
}

function payloadOf(schema: KafkajsSchema, data: never, topic: string): Uint8Array {
  try {
    return schema.toBuffer(data)
  } catch {
    // What the codecs throw shows values.
    const paths: string[] = []
    schema.isValid(data, { errorHook: path => paths.push(path.join('.')) })
    const at = paths.length === 0 ? '' : ` at ${paths.slice(0, MAX_PATHS).join(', ')}`
    throw new SerializationError(`the data does not fit the schema${at}`, { topic })
  }
}
