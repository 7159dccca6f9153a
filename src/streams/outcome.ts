import type { KafkaError, RecordMetadata } from '../index.js'

/** What became of one element; `record` is the element as it was given. */
export type RecordOutcome<T> =
  | { readonly record: T; readonly metadata: RecordMetadata; readonly error: null }
  | { readonly record: T; readonly metadata: null; readonly error: KafkaError }

export function outcomeOf<T>(
  record: T,
  error: KafkaError | null,
  metadata: RecordMetadata,
): RecordOutcome<T> {
  return error === null ? { record, metadata, error } : { record, metadata: null, error }
}
