import { SerializationError } from '../errors/index.js'
import { commonJs, loadPeer } from './peer.js'
import {
  type RegistrySerializer,
  type RegistrySerializerOptions,
  type ResolvedSchema,
  type SchemaEncoder,
  type SchemaFormat,
  schemaSerializer,
} from './serializer.js'

type Avsc = typeof import('avsc')
type AvscType = import('avsc').Type

/** Paths that a message names at most. */
const PATHS_MAX = 5

export interface AvroSerializerOptions<T> extends RegistrySerializerOptions<T> {
  /** Options of avsc's `Type.forSchema`, such as `logicalTypes` and `wrapUnions`. */
  readonly avsc?: Readonly<Record<string, unknown>>
  /**
   * Whether `long` fields may be bigints. They cost a buffer each then. Default false: safe integers only.
   */
  readonly bigints?: boolean
  /**
   * Whether data of the schema `"bytes"` is sent without its length, as Confluent's serializer for Java does
   * it. Default false.
   */
  readonly rawBytes?: boolean
}

class AvroFormat<T> implements SchemaFormat<T> {
  readonly name = 'avro'
  readonly schemaType = 'AVRO'
  readonly options = ['avsc', 'bigints', 'rawBytes']
  private readonly given: AvroSerializerOptions<T>
  private avsc: Avsc | undefined

  constructor(given: AvroSerializerOptions<T>) {
    this.given = given
  }

  recordNameIn(schema: string): string | undefined {
    const { name, namespace } = (parsed(schema) ?? {}) as Record<string, unknown>
    if (typeof name !== 'string') return undefined
    return typeof namespace !== 'string' || namespace === '' || name.includes('.')
      ? name
      : `${namespace}.${name}`
  }

  async load(): Promise<void> {
    this.avsc ??= commonJs(await loadPeer('avsc', 'avroSerializer', () => import('avsc')))
  }

  compile({ id, schema, referenced }: ResolvedSchema): SchemaEncoder<T> {
    const avsc = this.avsc as Avsc
    const { rawBytes = false, bigints = false, avsc: given } = this.given
    const registry = bigints ? { long: bigintLong(avsc) } : {}
    const options = { ...given, registry: { ...registry, ...(given?.registry as object | undefined) } }
    for (const { schema: used } of referenced) avsc.Type.forSchema(parsed(used) as never, options)
    const type: AvscType = avsc.Type.forSchema(parsed(schema) as never, options)
    const isRaw = rawBytes && type.typeName === 'bytes'
    return {
      encode(data) {
        if (isRaw && data instanceof Uint8Array) return data
        try {
          return type.toBuffer(data)
        } catch {
          // What avsc throws shows the value.
          throw new SerializationError(`the data does not fit Avro schema ${id}${pathsOf(type, data)}`)
        }
      },
    }
  }
}

/**
 * A serializer of Avro records, by the package `avsc` (an optional peer). What the schema does not name is
 * left out. `long` fields take safe integers, or bigints with `bigints`.
 */
export function avroSerializer<T = unknown>(options: AvroSerializerOptions<T>): RegistrySerializer<T> {
  return schemaSerializer<T>(options, new AvroFormat<T>(options))
}

/** The schema of a primitive type may be its bare name. */
function parsed(schema: string): unknown {
  try {
    return JSON.parse(schema)
  } catch (error) {
    if (/^\s*[a-z]+\s*$/.test(schema)) return schema.trim()
    throw error
  }
}

function pathsOf(type: AvscType, data: unknown): string {
  const found: string[] = []
  type.isValid(data, {
    errorHook: (path: string[], _value: unknown, wanted: AvscType) => {
      const at = path.length === 0 ? 'it' : path.join('.')
      found.push(`${at} is no ${wanted.name ?? wanted.typeName.replace('abstract:', '')}`)
    },
  })
  if (found.length === 0) return ''
  return `: ${found.slice(0, PATHS_MAX).join(', ')}${found.length > PATHS_MAX ? ', …' : ''}`
}

const INT64_BYTES = 8

/** avsc reads longs as numbers; this one takes bigints too, and reads them. */
function bigintLong(avsc: Avsc): AvscType {
  return avsc.types.LongType.__with({
    fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
    toBuffer: (value: bigint | number) => {
      const buffer = Buffer.alloc(INT64_BYTES)
      buffer.writeBigInt64LE(BigInt(value))
      return buffer
    },
    fromJSON: (value: number) => BigInt(value),
    toJSON: (value: bigint) => Number(value),
    isValid: (value: unknown) =>
      typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value),
    compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
  } as never) as AvscType
}
