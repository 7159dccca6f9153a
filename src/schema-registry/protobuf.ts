import type { DescMessage } from '@bufbuild/protobuf'
import { ConfigError, SerializationError } from '../errors/index.js'
import { commonJs, loadPeer } from './peer.js'
import { messageIndexesIn } from './proto-messages.js'
import type { BufbuildMessage, ProtobufjsType, ProtobufType } from './protobuf-types.js'
import { encodeProtobufjs, typeIn } from './protobufjs-encoder.js'
import {
  type RegistrySerializer,
  type RegistrySerializerOptions,
  type ResolvedSchema,
  type SchemaEncoder,
  type SchemaFormat,
  schemaSerializer,
} from './serializer.js'
import { encodeMessageIndexes } from './wire-format.js'

/** Options of `protobufSerializer`. */
export interface ProtobufSerializerOptions<T>
  extends Omit<RegistrySerializerOptions<T>, 'schema' | 'schemas' | 'recordName'> {
  /** The `.proto` text, looked up in the registry. Without one, the latest version of the subject is used. */
  readonly schema?: string
  /** The message, or several. Default: the first one of the schema, which then must be given. */
  readonly type?: ProtobufType | readonly ProtobufType[]
}

type Bufbuild = typeof import('@bufbuild/protobuf')
type Protobufjs = typeof import('protobufjs')

class ProtobufFormat<T> implements SchemaFormat<T> {
  readonly name = 'protobuf'
  readonly schemaType = 'PROTOBUF'
  readonly options = ['type']
  private readonly types: ReadonlyMap<string, ProtobufType>
  private bufbuild: Bufbuild | undefined
  private protobufjs: Protobufjs | undefined

  constructor(types: ReadonlyMap<string, ProtobufType>) {
    this.types = types
  }

  recordNameIn(schema: string): string | undefined {
    return messageIndexesIn(schema).keys().next().value
  }

  async load(): Promise<void> {
    const types = [...this.types.values()]
    if (types.some(isBufbuild)) {
      const load = () => import('@bufbuild/protobuf')
      this.bufbuild ??= await loadPeer('@bufbuild/protobuf', 'protobufSerializer', load)
    }
    if (types.length === 0 || types.some(type => typeof type === 'string')) {
      const load = () => import('protobufjs')
      this.protobufjs ??= commonJs(await loadPeer('protobufjs', 'protobufSerializer', load))
    }
  }

  compile({ schema, referenced }: ResolvedSchema, recordName: string | undefined): SchemaEncoder<T> {
    const messages = messageIndexesIn(schema)
    const name = recordName ?? messages.keys().next().value
    const indexes = name === undefined ? undefined : messages.get(name)
    if (name === undefined || indexes === undefined) throw new Error(`it has no message ${name ?? ''}`)
    return { encode: this.encoderOf(name, schema, referenced), messageIndexes: encodeMessageIndexes(indexes) }
  }

  private encoderOf(
    name: string,
    schema: string,
    referenced: ResolvedSchema['referenced'],
  ): (data: T) => Uint8Array {
    const type = this.types.get(name) ?? name
    if (isBufbuild(type)) {
      const bufbuild = this.bufbuild as Bufbuild
      return data => encodeBufbuild(bufbuild, type as unknown as DescMessage, data)
    }
    const found =
      typeof type === 'string' ? typeIn(this.protobufjs as Protobufjs, schema, referenced, name) : type
    return data => encodeProtobufjs(found as ProtobufjsType, data)
  }
}

function encodeBufbuild({ create, toBinary }: Bufbuild, type: DescMessage, data: unknown): Uint8Array {
  if (typeof data !== 'object' || data === null) throw new SerializationError('the data is no object')
  const { $typeName } = data as { $typeName?: string }
  if ($typeName !== undefined && $typeName !== type.typeName) {
    throw new SerializationError(`the data is a ${$typeName}, not a ${type.typeName}`)
  }
  // Messages are known by their type's name, whichever copy of the package has made them.
  const message = $typeName === undefined ? create(type, data as never) : (data as never)
  try {
    return toBinary(type, message)
  } catch (error) {
    throw new SerializationError(`the data does not fit the message: ${withoutValue(error)}`)
  }
}

/** The package's errors name the field, then show the value. */
function withoutValue(error: unknown): string {
  const { field, message } = error as {
    field?: () => { name?: string; parent?: { typeName: string } }
  } & Error
  const at = typeof field === 'function' ? field() : undefined
  if (at?.name !== undefined) return `${at.parent?.typeName ?? ''}.${at.name} has a wrong value`
  return /^cannot encode field (\S+?)(?: |$)/.exec(message)?.[1] ?? 'a field has a wrong value'
}

/**
 * A serializer of Protobuf messages, by `@bufbuild/protobuf` where `type` is one of its descriptions, else by
 * `protobufjs` (both optional peers). With several types, messages of `@bufbuild/protobuf` and of protobufjs'
 * classes tell their type themselves; for plain objects `recordNameOf` must.
 */
export function protobufSerializer<T = unknown>(
  options: ProtobufSerializerOptions<T>,
): RegistrySerializer<T> {
  const { type, schema } = options ?? {}
  const types = new Map<string, ProtobufType>()
  if (type !== undefined) for (const each of [type].flat() as ProtobufType[]) types.set(nameOf(each), each)
  const names = [...types.keys()]
  const base: RegistrySerializerOptions<T> = {
    recordNameOf: typeNameOf,
    ...options,
    ...(names.length === 0 ? {} : { recordName: names }),
  }
  if (schema === undefined || names.length < 2) return schemaSerializer(base, new ProtobufFormat<T>(types))
  const { schema: _, ...rest } = base
  return schemaSerializer({ ...rest, schemas: names.map(() => schema) }, new ProtobufFormat<T>(types))
}

function isBufbuild(type: ProtobufType): type is BufbuildMessage {
  return typeof type === 'object' && 'kind' in type && type.kind === 'message'
}

function nameOf(type: unknown): string {
  if (typeof type === 'string' && type !== '') return type
  if (typeof type === 'object' && type !== null && isBufbuild(type as ProtobufType)) {
    return (type as BufbuildMessage).typeName
  }
  const { fullName, getTypeUrl } = (type ?? {}) as Partial<ProtobufjsType>
  if (typeof fullName === 'string') return fullName.replace(/^\./, '')
  if (typeof getTypeUrl === 'function') return getTypeUrl('').replace(/^\//, '')
  throw new ConfigError(
    'type takes descriptions of @bufbuild/protobuf, types of protobufjs, or full names of messages.',
    'type',
  )
}

/** The full name that a message tells of itself. */
function typeNameOf(data: unknown): string {
  const { $typeName, constructor: made } = data as { $typeName?: unknown; constructor?: unknown }
  if (typeof $typeName === 'string') return $typeName
  const { $type, getTypeUrl } = (made ?? {}) as { $type?: unknown; getTypeUrl?: unknown }
  if ($type !== undefined || getTypeUrl !== undefined) return nameOf($type ?? made)
  throw new SerializationError('the message does not tell its type: give recordNameOf')
}
