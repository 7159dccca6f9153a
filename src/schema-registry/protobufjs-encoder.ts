import type protobuf from 'protobufjs'
import { SerializationError } from '../errors/index.js'
import type { ProtobufjsType } from './protobuf-types.js'
import type { ReferencedSchema } from './references.js'

type Protobufjs = typeof protobuf

/** Finds a message in `.proto` texts. */
export function typeIn(
  { Root, common, parse }: Protobufjs,
  schema: string,
  referenced: readonly ReferencedSchema[],
  fullName: string,
): protobuf.Type {
  const root = new Root()
  for (const text of [...referenced.map(each => each.schema), schema]) {
    const { imports = [], weakImports = [] } = parse(text, root)
    for (const name of [...imports, ...weakImports]) {
      const known = common.get(name)
      if (known?.nested !== undefined) root.addJSON(known.nested)
    }
  }
  root.resolveAll()
  return root.lookupType(fullName)
}

/** The bytes of a message, from an object of its fields. Throws what does not fit, without showing values. */
export function encodeProtobufjs(type: ProtobufjsType, data: unknown): Uint8Array {
  if (typeof data !== 'object' || data === null) throw new SerializationError('the data is no object')
  const isReflected = 'fieldsArray' in type
  const fields = isReflected ? ready(type as unknown as protobuf.Type, data, '') : data
  const wrong = type.verify(fields as Record<string, unknown>)
  if (wrong !== null) throw new SerializationError(`the data does not fit the message: ${wrong}`)
  return type.encode(type.fromObject(fields as Record<string, unknown>) as never).finish()
}

const RANGES: Readonly<Record<string, readonly [min: bigint, max: bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  sint32: [-(2n ** 31n), 2n ** 31n - 1n],
  sfixed32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  fixed32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  sint64: [-(2n ** 63n), 2n ** 63n - 1n],
  sfixed64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  fixed64: [0n, 2n ** 64n - 1n],
}

/**
 * The fields as protobufjs checks them: names of enums become numbers, bigints and decimal text become 64-bit
 * integers. protobufjs cuts integers that are too large, so those are refused here.
 */
function ready(type: protobuf.Type, data: object, path: string): object {
  let copy: Record<string, unknown> | undefined
  for (const field of type.fieldsArray) {
    const value = (data as Record<string, unknown>)[field.name]
    if (value === undefined || value === null) continue
    const at = `${path}${field.name}`
    const made = field.repeated
      ? each(value, element => readyValue(field, element, at))
      : field.map
        ? eachEntry(value, element => readyValue(field, element, at))
        : readyValue(field, value, at)
    if (made === value) continue
    copy ??= { ...data }
    copy[field.name] = made
  }
  return copy ?? data
}

function each(value: unknown, make: (element: unknown) => unknown): unknown {
  if (!Array.isArray(value)) return value
  const made = value.map(make)
  return made.some((element, at) => element !== value[at]) ? made : value
}

function eachEntry(value: unknown, make: (element: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, element]) => [key, make(element)] as const)
  const isSame = entries.every(([key, made]) => made === (value as Record<string, unknown>)[key])
  return isSame ? value : Object.fromEntries(entries)
}

function readyValue(field: protobuf.Field, value: unknown, path: string): unknown {
  const { resolvedType, type } = field
  if (resolvedType !== null && 'fieldsArray' in resolvedType) {
    return typeof value === 'object' && value !== null ? ready(resolvedType, value, `${path}.`) : value
  }
  if (resolvedType !== null) {
    return typeof value === 'string' ? (resolvedType.values[value] ?? value) : value
  }
  const range = RANGES[type]
  if (range === undefined) return value
  const whole = wholeNumber(value)
  if (whole === undefined) return value
  if (whole < range[0] || whole > range[1] || (typeof value === 'number' && !Number.isSafeInteger(value))) {
    throw new SerializationError(`the data does not fit the message: ${path} is out of ${type}'s range`)
  }
  return type.endsWith('64') && typeof value !== 'number' ? longOf(whole, type) : Number(whole)
}

/** What is a whole number in any of its forms; undefined for everything else, which `verify` refuses. */
function wholeNumber(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value)
  return undefined
}

/** As protobufjs knows 64-bit integers, whether the package `long` is there or not. */
function longOf(value: bigint, type: string): object {
  const low = Number(BigInt.asIntN(32, value))
  const high = Number(BigInt.asIntN(32, value >> 32n))
  return { low, high, unsigned: type.startsWith('u') || type === 'fixed64' }
}
