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
export interface Serializer<T> {
  serialize(topic: string, data: T, headers?: Headers): Bytes
}

/** What `keySerializer` and `valueSerializer` take. */
export type SerializerLike<T> = Serializer<T> | Serialize<T>
