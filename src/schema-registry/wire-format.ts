import { SerializationError } from '../errors/index.js'
import type { Bytes, Headers } from '../index.js'
import { SchemaRegistryError } from './errors.js'
import type { RecordField, RegisteredSchema } from './types.js'

/**
 * How a record tells the schema of its key or value:
 *
 * - `v0`: `0x00 id:int32 payload`, big-endian; what every deserializer understands.
 * - `v1`: `0x01 guid:16 payload`.
 * - `header`: the payload alone, and `0x01 guid:16` in the header `__key_schema_id` or `__value_schema_id`.
 *
 * Protobuf's message indexes follow the id or guid. The last two need a registry that gives guids, and
 * deserializers of 2025 or later.
 */
export type WireFormat = 'v0' | 'v1' | 'header'

export const WIRE_FORMATS: readonly string[] = ['v0', 'v1', 'header']

const MAGIC_V0 = 0
const MAGIC_V1 = 1
const GUID_BYTES = 16

/** The bytes that tell a schema. `messageIndexes` is Protobuf's, as written; null for other formats. */
export function schemaPrefix(
  { id, guid, subject }: RegisteredSchema,
  format: WireFormat,
  messageIndexes: Uint8Array | null,
): Uint8Array {
  const indexes = messageIndexes ?? new Uint8Array(0)
  if (format === 'v0') {
    const prefix = Buffer.alloc(5 + indexes.length)
    prefix[0] = MAGIC_V0
    prefix.writeInt32BE(id, 1)
    prefix.set(indexes, 5)
    return prefix
  }
  if (guid === undefined) {
    throw new SchemaRegistryError(
      `The schema registry gives no GUID for schema ${id}${subject === undefined ? '' : ` (${subject})`}, ` +
        `which wire format ${format} needs; use v0.`,
      { errorName: 'NO_GUID' },
    )
  }
  const prefix = Buffer.alloc(1 + GUID_BYTES + indexes.length)
  prefix[0] = MAGIC_V1
  prefix.write(guid.replaceAll('-', ''), 1, GUID_BYTES, 'hex')
  prefix.set(indexes, 1 + GUID_BYTES)
  return prefix
}

/** `count index…` as zigzag varints; the index 0 alone, the first message of its file, is one byte 0. */
export function encodeMessageIndexes(indexes: readonly number[]): Uint8Array {
  if (indexes.length === 1 && indexes[0] === 0) return Uint8Array.of(0)
  return Uint8Array.from([indexes.length, ...indexes].flatMap(zigzagVarint))
}

function zigzagVarint(value: number): number[] {
  const bytes: number[] = []
  let rest = value * 2
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  bytes.push(rest)
  return bytes
}

/** The payload after its prefix. */
export function withPrefix(prefix: Uint8Array, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(prefix.length + payload.length)
  bytes.set(prefix)
  bytes.set(payload, prefix.length)
  return bytes
}

export function schemaIdHeader(field: RecordField): string {
  return field === 'key' ? '__key_schema_id' : '__value_schema_id'
}

/** Puts a header into a record's headers, in place of one it may have from another record. */
export function putHeader(headers: Headers | undefined, name: string, value: Uint8Array): void {
  if (Array.isArray(headers)) {
    const pairs = headers as (readonly [string, Bytes])[]
    for (let at = pairs.length - 1; at >= 0; at--) if (pairs[at]?.[0] === name) pairs.splice(at, 1)
    pairs.push([name, value])
    return
  }
  if (typeof headers === 'object' && headers !== null && !(Symbol.iterator in headers)) {
    const record = headers as Record<string, Bytes>
    record[name] = value
    return
  }
  throw new SerializationError(
    `wire format header needs headers it can add ${name} to: an array of pairs or a plain object`,
  )
}
