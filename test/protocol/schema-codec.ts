import { messageSchemas } from './message-schemas.js'

/** A field of a message definition. */
interface Field {
  name: string
  type: string
  from: number
  to: number
  tag: number | undefined
  nullFrom: number
  nullTo: number
  defaultText: string | undefined
  fields: Field[]
}

export type Body = { [name: string]: unknown }

/** What to do wrong, or in an unusual but allowed way, while encoding. */
export interface Twists {
  /** Adds this tagged field, unknown to everybody, to every struct. */
  unknownTag?: number
  /** Index, counted over the message, of the length or count to be replaced. */
  lengthIndex?: number
  /** What to put there. */
  lengthValue?: number
}

function parseRange(text: string): [number, number] {
  const [from, to] = text.split(/[-+]/)
  if (text.endsWith('+')) return [Number(from), Number.POSITIVE_INFINITY]
  return [Number(from), Number(to ?? from)]
}

function parseField(line: string): Field {
  const [name, type, versions, ...rest] = line.trim().split(' ') as [string, string, string]
  const options = new Map((rest as string[]).map(each => each.split('=') as [string, string]))
  const [from, to] = parseRange(versions)
  const nullText = options.get('null')
  const [nullFrom, nullTo] = nullText === undefined ? [Number.POSITIVE_INFINITY, -1] : parseRange(nullText)
  const tag = options.get('tag')
  return {
    name,
    type,
    from,
    to,
    tag: tag === undefined ? undefined : Number(tag),
    nullFrom,
    nullTo,
    defaultText: options.get('default'),
    fields: [],
  }
}

function parseSchema(text: string): Field[] {
  const root: Field[] = []
  const parents: Field[][] = [root]
  for (const line of text.split('\n').filter(each => each.trim() !== '')) {
    const depth = (line.length - line.trimStart().length - 4) / 2
    const field = parseField(line)
    ;(parents[depth] as Field[]).push(field)
    parents[depth + 1] = field.fields
  }
  return root
}

const schemas = new Map(Object.entries(messageSchemas).map(([name, text]) => [name, parseSchema(text)]))

function fieldsOf(message: string): Field[] {
  const fields = schemas.get(message)
  if (fields === undefined) throw new Error(`no schema of ${message}`)
  return fields
}

function isIn(field: Field, version: number): boolean {
  return version >= field.from && version <= field.to
}

function defaultOf(field: Field): unknown {
  const text = field.defaultText
  if (text === 'null') return null
  if (field.type.startsWith('[')) return []
  switch (field.type) {
    case 'bool':
      return text === 'true'
    case 'int64':
      return BigInt(text ?? 0)
    case 'string':
      return text ?? ''
    case 'bytes':
      return new Uint8Array(0)
    case 'uuid':
      return new Uint8Array(16)
    case '{}':
      return Object.fromEntries(field.fields.map(each => [each.name, defaultOf(each)]))
    default:
      return Number(text ?? 0)
  }
}

/** A seeded generator (mulberry32), so that a failure repeats. */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const STRINGS = ['', 'a', 'orders', 'übung', '日本語', '🚆', 'x'.repeat(130), `${'y'.repeat(300)}ß`]

function pick<T>(random: () => number, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T
}

function randomBytes(random: () => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(random() * 256))
}

function randomInt(random: () => number, bits: number): number {
  const half = 2 ** (bits - 1)
  return pick(random, [0, 1, -1, half - 1, -half, Math.floor((random() * 2 - 1) * half)])
}

function randomScalar(random: () => number, type: string): unknown {
  switch (type) {
    case 'bool':
      return random() < 0.5
    case 'int8':
      return randomInt(random, 8)
    case 'int16':
      return randomInt(random, 16)
    case 'int32':
      return randomInt(random, 32)
    case 'int64': {
      const wide = (BigInt(randomInt(random, 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32))
      return pick(random, [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 4294967296n, -4294967297n, wide])
    }
    case 'string':
      return pick(random, STRINGS)
    case 'bytes':
      return randomBytes(random, pick(random, [0, 1, 126, 127, 128, 400]))
    case 'uuid':
      return randomBytes(random, 16)
    default:
      throw new Error(`no scalar: ${type}`)
  }
}

function randomField(random: () => number, field: Field, version: number): unknown {
  if (version >= field.nullFrom && version <= field.nullTo && random() < 0.25) return null
  if (field.type === '{}') return randomStruct(random, field.fields, version)
  if (!field.type.startsWith('[')) return randomScalar(random, field.type)
  const length = Math.floor(random() * 4)
  const elementType = field.type.slice(1, -1)
  return Array.from({ length }, () =>
    elementType === '' ? randomStruct(random, field.fields, version) : randomScalar(random, elementType),
  )
}

function randomStruct(random: () => number, fields: Field[], version: number): Body {
  const body: Body = {}
  for (const field of fields) {
    const said = isIn(field, version) && (field.tag === undefined || random() < 0.7)
    body[field.name] = said ? randomField(random, field, version) : defaultOf(field)
  }
  return body
}

/** A body with random values in the fields the version carries and defaults in the others. */
export function randomBody(random: () => number, message: string, version: number): Body {
  return randomStruct(random, fieldsOf(message), version)
}

/** Where arrays stand in a message, as the names that lead to each. */
function arrayPaths(fields: Field[], version: number): string[][] {
  return fields
    .filter(field => isIn(field, version) && field.type.startsWith('['))
    .flatMap(field => [
      [field.name],
      ...arrayPaths(field.fields, version).map(inner => [field.name, ...inner]),
    ])
}

/** A struct with nothing in it but the array at the end of the path, of elements with nothing in them. */
function smallestStruct(fields: Field[], version: number, path: string[], count: number): Body {
  const [next, ...rest] = path
  const body: Body = {}
  for (const field of fields) {
    if (field.name === next) {
      const length = rest.length === 0 ? count : 1
      const scalar = defaultOf({ ...field, type: field.type.slice(1, -1), defaultText: undefined })
      body[field.name] = Array.from({ length }, () =>
        field.type === '[]' ? smallestStruct(field.fields, version, rest, count) : scalar,
      )
    } else if (isIn(field, version) && version >= field.nullFrom && version <= field.nullTo) {
      body[field.name] = null
    } else body[field.name] = defaultOf(field)
  }
  return body
}

/** For each array of a message a body where it has `count` elements as small as they can be, and all else is. */
export function smallestBodies(message: string, version: number, count: number): Body[] {
  const fields = fieldsOf(message)
  return arrayPaths(fields, version).map(path => smallestStruct(fields, version, path, count))
}

/** Encodes by the definition, by small steps rather than fast. */
class SchemaEncoder {
  lengths = 0
  private readonly version: number
  private readonly flexible: boolean
  private readonly twists: Twists

  constructor(version: number, flexible: boolean, twists: Twists) {
    this.version = version
    this.flexible = flexible
    this.twists = twists
  }

  struct(fields: Field[], body: Body): Buffer {
    const here = fields.filter(each => isIn(each, this.version))
    const parts = here.filter(each => each.tag === undefined).map(each => this.field(each, body[each.name]))
    if (this.flexible) parts.push(this.tags(here, body))
    return Buffer.concat(parts)
  }

  private tags(here: Field[], body: Body): Buffer {
    const said = here
      .filter(each => each.tag !== undefined && !isSame(body[each.name], defaultOf(each)))
      .sort((a, b) => (a.tag as number) - (b.tag as number))
      .map(each => [each.tag as number, this.field(each, body[each.name])] as const)
    if (this.twists.unknownTag !== undefined) said.push([this.twists.unknownTag, Buffer.from('unknown')])
    const parts = said.map(([tag, data]) => Buffer.concat([uvarint(tag), uvarint(data.length), data]))
    return Buffer.concat([uvarint(said.length), ...parts])
  }

  private field(field: Field, value: unknown): Buffer {
    if (field.type === '{}') return this.struct(field.fields, value as Body)
    if (!field.type.startsWith('[')) return this.scalar(field.type, value)
    if (value === null) return this.lengthOf(-1, 4)
    const elements = value as unknown[]
    const elementType = field.type.slice(1, -1)
    const length = this.lengthOf(elements.length, 4)
    const parts = elements.map(each =>
      elementType === '' ? this.struct(field.fields, each as Body) : this.scalar(elementType, each),
    )
    return Buffer.concat([length, ...parts])
  }

  private scalar(type: string, value: unknown): Buffer {
    switch (type) {
      case 'bool':
        return Buffer.from([value === true ? 1 : 0])
      case 'int64':
        return bigEndian(value as bigint, 8)
      case 'uuid':
        return Buffer.from(value as Uint8Array)
      case 'string':
        return this.sized(value === null ? null : Buffer.from(value as string), 2)
      case 'bytes':
        return this.sized(value as Uint8Array | null, 4)
      default:
        return bigEndian(BigInt(value as number), Number(type.slice(3)) / 8)
    }
  }

  private sized(bytes: Uint8Array | null, lengthBytes: number): Buffer {
    if (bytes === null) return this.lengthOf(-1, lengthBytes)
    return Buffer.concat([this.lengthOf(bytes.length, lengthBytes), bytes])
  }

  private lengthOf(length: number, bytes: number): Buffer {
    const isTwisted = this.lengths++ === this.twists.lengthIndex
    const value = isTwisted ? (this.twists.lengthValue as number) : length
    if (this.flexible) return uvarint(value + 1)
    return bigEndian(BigInt(bytes === 2 ? Math.min(value, 0x7fff) : value), bytes)
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return comparable(a) === comparable(b)
}

/** Text that is equal for equal bodies, whatever kind of byte array they hold. */
function comparable(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each === 'bigint') return `${each}n`
    return each instanceof Uint8Array ? Buffer.from(each).toString('hex') : each
  })
}

function bigEndian(value: bigint, bytes: number): Buffer {
  const text = BigInt.asUintN(bytes * 8, value)
    .toString(16)
    .padStart(bytes * 2, '0')
  return Buffer.from(text, 'hex')
}

function uvarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  return Buffer.from([...bytes, rest])
}

/** The bytes of a message by its definition. */
export function encodeBySchema(
  message: string,
  version: number,
  flexible: boolean,
  body: Body,
  twists: Twists = {},
): Buffer {
  return new SchemaEncoder(version, flexible, twists).struct(fieldsOf(message), body)
}

/** How many lengths and counts a message has, nulls included. */
export function lengthsBySchema(message: string, version: number, flexible: boolean, body: Body): number {
  const encoder = new SchemaEncoder(version, flexible, {})
  encoder.struct(fieldsOf(message), body)
  return encoder.lengths
}

/** The same value with every byte array as a plain Uint8Array, for deep comparison. */
export function withPlainBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(withPlainBytes)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withPlainBytes(each)]))
}
