import type { ClusterListener, PluginConfigs, PluginHooks } from '../common/plugin-hooks.js'

/** A key, value or header value as it is sent. A string is written as UTF-8; null is no value. */
export type Bytes = string | Uint8Array | null

/** Record headers: pairs, in order and with repeats, or an object whose lists repeat the name. */
export type Headers =
  | Iterable<readonly [name: string, value: Bytes]>
  | Readonly<Record<string, Bytes | readonly Bytes[]>>

/**
 * Turns one key or value into bytes. Runs inside `send`, so it must answer at once: a promise is refused.
 * `headers` are the record's own, as given to `send`.
 */
export type Serialize<T> = (topic: string, data: T, headers: Headers | undefined) => Bytes

/** The object form of {@link Serialize} (Java: `Serializer`). */
export interface Serializer<T> extends Omit<PluginHooks, 'configure'>, ClusterListener {
  /** Turns one key or value into bytes, at once; null is no value. */
  serialize(topic: string, data: T, headers?: Headers): Bytes
  /**
   * Gets ready for a topic, such as by fetching a schema. Asked before the first record of a topic, and
   * again at the next one after it has failed. While its promise is pending, the topic's records wait in
   * order, for at most `max.block.ms` each; each counts its bytes and 1 KiB towards `maxBlockBytes`. What
   * it throws or rejects with fails them, as the cause of a `SerializationError`. Bytes that wait are
   * copied; other objects must stay as they are.
   */
  prepare?(topic: string): void | Promise<void>
  /**
   * Whether `serialize` adds headers. The `headers` it gets are then an array of pairs that is its own to
   * change, and that the record is sent with. Default false: then they are what `send` was given.
   */
  readonly addsHeaders?: boolean
  /** Called once, when the producer is made; `isKey` says which of the two it is for. */
  configure?(configs: PluginConfigs, isKey: boolean): void
}

/** A serializer's way to get ready, wrapped so that it fails with a SerializationError only. */
export type Prepare = (topic: string) => undefined | Promise<void>

/** A serializer of the application's as the producer uses it. */
export interface GuardedSerializer {
  readonly serialize: Serialize<unknown>
  /** Null where it is ready for every topic. */
  readonly prepare: Prepare | null
  readonly addsHeaders: boolean
}

/** What `keySerializer` and `valueSerializer` take. */
export type SerializerLike<T> = Serializer<T> | Serialize<T>
