import type { Bytes, Headers, ProducerRecord as Record } from '../../index.js'
import { KafkaJSNonRetriableError } from './errors.js'
import type { IHeaders, Message, TopicMessages } from './types.js'

/** Throws what KafkaJS throws for messages that cannot be sent, before anything is. */
export function checkTopicMessages(topicMessages: readonly TopicMessages[]): void {
  for (const { topic, messages } of topicMessages) {
    if (!messages) {
      throw new KafkaJSNonRetriableError(`Invalid messages array [${messages}] for topic "${topic}"`)
    }
    const withoutValue = messages.find(message => message.value === undefined)
    if (withoutValue !== undefined) throw valueMissing(topic, withoutValue)
  }
}

function valueMissing(topic: string, message: Message): KafkaJSNonRetriableError {
  return new KafkaJSNonRetriableError(
    `Invalid message without value for topic "${topic}": ${JSON.stringify(message)}`,
  )
}

/** A topic named more than once has its messages together, where it is first named. */
export function mergeTopics(topicMessages: readonly TopicMessages[]): readonly TopicMessages[] {
  const merged = new Map<string, TopicMessages>()
  for (const { topic, messages } of topicMessages) {
    const known = merged.get(topic)
    merged.set(topic, { topic, messages: known === undefined ? messages : [...known.messages, ...messages] })
  }
  return [...merged.values()]
}

/**
 * Text, bytes or null as they are. For all else the `TypeError` of Node's `Buffer.byteLength`
 * (`ERR_INVALID_ARG_TYPE`), which KafkaJS's encoder comes to.
 */
function bytesOf(given: unknown): Bytes {
  if (typeof given === 'string' || given instanceof Uint8Array) return given
  Buffer.byteLength(given as string)
  return ArrayBuffer.isView(given)
    ? new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
    : new Uint8Array(given as ArrayBuffer)
}

export function bytesOrNull(given: unknown): Bytes {
  return given == null ? null : bytesOf(given)
}

/** Headers as millrace takes them: the object itself where it has no list of values, which costs least. */
export function headersOf(headers: IHeaders | undefined): Headers | undefined {
  return headers === undefined || isSimple(headers) ? (headers as Headers | undefined) : pairsOf(headers)
}

function isSimple(headers: IHeaders): boolean {
  if (typeof headers !== 'object' || headers === null || Symbol.iterator in headers) return false
  if (Object.getPrototypeOf(headers) !== Object.prototype) return false
  for (const name in headers) {
    const value = headers[name]
    if (typeof value !== 'string' && !(value instanceof Uint8Array)) return false
  }
  return true
}

function pairsOf(headers: IHeaders): [string, Bytes][] {
  return Object.keys(headers).flatMap(name => {
    const value = headers[name]
    return Array.isArray(value)
      ? value.map((each): [string, Bytes] => [name, bytesOf(each)])
      : [[name, bytesOf(value)] as [string, Bytes]]
  })
}

/** A whole number of milliseconds, as KafkaJS's BigInt takes it; what is none throws as that does. */
function timestampOf(given: string | number): number | undefined {
  if (given === '') throw new Error('empty string')
  // 0 counts as none.
  return given ? Number(BigInt(given)) : undefined
}

/** A partition of whichever type a message or a partitioner may give; what is no number is no partition. */
export function partitionOf(given: unknown): number {
  const partition = typeof given === 'number' ? given : Number(given)
  return Number.isInteger(partition) ? partition : Number.NaN
}

/** A message as millrace takes it. `partition` undefined: by the built-in partitioner. */
export function recordOf(topic: string, message: Message, partition: number | undefined): Record {
  const { key, value, headers, timestamp } = message
  return {
    topic,
    partition,
    timestamp: timestamp == null ? undefined : timestampOf(timestamp),
    key: bytesOrNull(key),
    value: bytesOrNull(value),
    headers: headersOf(headers),
  }
}
