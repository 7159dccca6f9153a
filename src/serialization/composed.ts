import { Buffer } from 'node:buffer'
import { ConfigError, SerializationError } from '../errors/index.js'
import { guardSerializer, nameType } from './guard.js'
import { serializers } from './serializers.js'
import type { Serializer, SerializerLike } from './types.js'

/** Elements of these have the same length each: only the places of nulls are written. */
const FIXED_LENGTH: readonly unknown[] = [
  serializers.short,
  serializers.integer,
  serializers.long,
  serializers.float,
  serializers.double,
  serializers.uuid,
]

const CONSTANT_SIZE = 0
const VARIABLE_SIZE = 1
/** In place of the length of a null. */
const NULL_LENGTH = -1

/**
 * Serializes arrays, each element with `inner` (Java: `ListSerializer`), integers big-endian:
 *
 *     list     = strategy int8, (constant | variable)
 *     constant = nulls int32, index int32 of each of them, size int32, element* without nulls   (strategy 0)
 *     variable = size int32, (length int32, element)*; the length of a null is -1               (strategy 1)
 *
 * Java's fixed-length types are written with strategy 0, all others with 1.
 */
export function listSerializer<T>(inner: SerializerLike<T>): Serializer<readonly T[] | null | undefined> {
  const { serialize } = guardSerializer(inner as SerializerLike<unknown>, 'value')
  const isFixed = FIXED_LENGTH.includes(inner)
  return {
    serialize(topic, list, headers) {
      if (list === null || list === undefined) return null
      if (!Array.isArray(list)) {
        const message = `the list serializer takes an array or null, not ${nameType(list)} (topic '${topic}')`
        throw new SerializationError(message, { topic })
      }
      const elements = list.map(element => {
        const bytes = element === null || element === undefined ? null : serialize(topic, element, headers)
        return typeof bytes === 'string' ? Buffer.from(bytes) : bytes
      })
      return isFixed ? constantSize(elements) : variableSize(elements)
    },
  }
}

type Elements = readonly (Uint8Array | null)[]

function constantSize(elements: Elements): Uint8Array {
  const nulls = elements.flatMap((element, index) => (element === null ? [index] : []))
  const present = elements.filter(element => element !== null)
  return Buffer.concat([
    Buffer.of(CONSTANT_SIZE),
    ...[nulls.length, ...nulls, elements.length].map(int32),
    ...present,
  ])
}

function variableSize(elements: Elements): Uint8Array {
  const parts = elements.flatMap(element =>
    element === null ? [int32(NULL_LENGTH)] : [int32(element.byteLength), element],
  )
  return Buffer.concat([Buffer.of(VARIABLE_SIZE), int32(elements.length), ...parts])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const BYTE_ORDER_MARK = '\ufeff'

/** By Java's names of charsets, in lower case: those that every JVM has. */
const CHARSETS: ReadonlyMap<string, (text: string) => Uint8Array | string> = new Map<
  string,
  (text: string) => Uint8Array | string
>([
  ['utf-8', text => text],
  ['us-ascii', text => oneByteEach(text, 0x7f)],
  ['iso-8859-1', text => oneByteEach(text, 0xff)],
  ['utf-16le', text => Buffer.from(text, 'utf16le')],
  ['utf-16be', utf16be],
  ['utf-16', text => (text === '' ? '' : utf16be(BYTE_ORDER_MARK + text))],
])

/**
 * Serializes text in one of the charsets that every JVM has: UTF-8, US-ASCII, ISO-8859-1, UTF-16 (big-endian
 * with a byte order mark), UTF-16BE, UTF-16LE (Java: `StringSerializer` with `serializer.encoding`). A
 * character that the charset lacks becomes a question mark, as in Java.
 *
 * @throws ConfigError for another charset
 */
export function stringSerializer(encoding = 'UTF-8'): Serializer<string | null | undefined> {
  const encode = CHARSETS.get(String(encoding).toLowerCase())
  if (encode === undefined) {
    const names = [...CHARSETS.keys()].map(name => name.toUpperCase()).join(', ')
    throw new ConfigError(`the encoding of a string serializer is not valid; allowed: ${names}`)
  }
  return {
    serialize: (topic, data, headers) => {
      const text = serializers.string.serialize(topic, data, headers)
      return typeof text === 'string' ? encode(text) : text
    },
  }
}

function utf16be(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16()
}

/** Code points, not halves of them: one question mark for each. */
function oneByteEach(text: string, highest: number): Buffer {
  const codes = Array.from(text, character => character.codePointAt(0) as number)
  return Buffer.from(codes.map(code => (code <= highest ? code : 0x3f)))
}
