/**
 * `millrace/streams`: producers as the end of a stream. Each sink takes an element as soon as there is room
 * for it, keeps the order, and ends only when everything it has taken is acknowledged.
 */
export type { SinkCounts } from './counts.js'
export type {
  FailureHandler,
  RecordInput,
  RecordMapping,
  RecordWithoutTopic,
  SendAllOptions,
  ToRecord,
  ToTransformOptions,
  ToWritableOptions,
  ToWritableStreamOptions,
} from './options.js'
export type { RecordOutcome } from './outcome.js'
export { type RecordSource, type SendAllResult, sendAll } from './send-all.js'
export { type OutcomeTransform, toTransform } from './transform.js'
export { type ProducerWritable, toWritable } from './writable.js'
export { toWritableStream } from './writable-stream.js'
