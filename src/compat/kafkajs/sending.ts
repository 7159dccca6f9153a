import { SEND_VIEWED } from '../../common/promise-view.js'
import { AuthorizationError, Producer, type ProducerRecord as Record, SendManyError } from '../../index.js'
import { KafkaJSNonRetriableError } from './errors.js'
import { toKafkaJSError } from './map-error.js'
import { bytesOrNull, checkTopicMessages, headersOf, mergeTopics, partitionOf, recordOf } from './messages.js'
import { type AppendTimes, failureOf, resultOf, resultsOf } from './outcomes.js'
import type { PartitionLists } from './partition-lists.js'
import type { RetryBudget } from './retry.js'
import type {
  Message,
  PartitionerArgs,
  PartitionMetadata,
  ProducerBatch,
  ProducerRecord,
  RecordMetadata,
  Sender,
  SendOptions,
  TopicMessages,
} from './types.js'

/** Where messages go: to a producer, or into one of its transactions. */
export interface Destination {
  /** Refuses other acks than -1. */
  readonly isIdempotent: boolean
  readonly budget: RetryBudget
  /** Null: millrace's own. */
  readonly partitioner: ((args: PartitionerArgs) => number) | null
  readonly lists: PartitionLists
  readonly appendTimes: AppendTimes
  /** Throws where nothing can be sent now. */
  checkOpen(): void
  /** The producer for calls without options, at once; null where {@link engineFor} has to be asked. */
  plainEngine(): Producer | null
  /** The producer for these options; a promise where it has to be made ready. */
  engineFor(options: SendOptions): Producer | Promise<Producer>
  /** The cluster does not let this client be idempotent: whether it may, and from now on will, do without. */
  goOnWithoutIdempotence?(): boolean
}

/** `send` and `sendBatch`. Neither uses `this`: both may be detached and replaced. */
export function createSender(to: Destination): Sender {
  const sendBatch = (batch: ProducerBatch): Promise<RecordMetadata[]> => {
    try {
      const { topicMessages = [], ...options } = batch
      check(to, topicMessages, options)
      return sendTopics(to, mergeTopics(topicMessages), options)
    } catch (error) {
      return Promise.reject(toKafkaJSError(error, to.budget))
    }
  }
  const send = (record: ProducerRecord): Promise<RecordMetadata[]> => {
    try {
      const { topic, messages } = record
      const isOne = to.partitioner === null && Array.isArray(messages) && messages.length === 1
      const message = isOne ? (messages[0] as Message) : undefined
      if (message == null || hasOptions(record) || !isPlain(message) || !topic) {
        return sendRecord(to, record, message)
      }
      const engine = to.plainEngine()
      const times = engine === null ? undefined : to.appendTimes.known(topic)
      if (engine === null || times === undefined) return sendRecord(to, record, message)
      // Nothing of the call is kept while it waits, and no promise of ours: what thousands keep, the
      // collector would copy again and again.
      const key = bytesOrNull(message.key)
      const value = bytesOrNull(message.value)
      return engine[SEND_VIEWED]({ topic, key, value, headers: headersOf(message.headers) }, times)
    } catch (error) {
      return Promise.reject(toKafkaJSError(error, to.budget))
    }
  }
  return { send, sendBatch }
}

/** A call of `send` that may hold anything; `message` is its only one, unless a partitioner is asked. */
function sendRecord(
  to: Destination,
  { topic, messages, acks, timeout, compression }: ProducerRecord,
  message: Message | undefined,
): Promise<RecordMetadata[]> {
  const options = { acks, timeout, compression } as SendOptions
  const topicMessages = [{ topic, messages }]
  check(to, topicMessages, options)
  if (message === undefined) return sendTopics(to, topicMessages, options)
  const engine = to.engineFor(options)
  if (!(engine instanceof Producer)) return sendTopics(to, topicMessages, options, engine)
  return sendOne(to, engine, topic, message, options)
}

/** Whether the call asks for anything else than a call without options does. */
function hasOptions({ acks = -1, timeout, compression = 0 }: ProducerRecord): boolean {
  return acks !== -1 || timeout !== undefined || compression !== 0
}

function checkOptions(to: Destination, hasTopics: boolean, acks: number | undefined): void {
  if (!hasTopics) throw new KafkaJSNonRetriableError('Invalid topic')
  if (to.isIdempotent && acks !== undefined && acks !== -1) {
    throw new KafkaJSNonRetriableError(
      "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
    )
  }
}

function check(to: Destination, topicMessages: readonly TopicMessages[], { acks }: SendOptions): void {
  checkOptions(
    to,
    topicMessages.every(({ topic }) => Boolean(topic)),
    acks,
  )
  checkTopicMessages(topicMessages)
  to.checkOpen()
}

/** One message without a partitioner to ask: no array, no report, one promise. */
function sendOne(
  to: Destination,
  engine: Producer,
  topic: string,
  message: Message,
  options: SendOptions,
): Promise<RecordMetadata[]> {
  const { partition } = message
  const record = recordOf(topic, message, partition == null ? undefined : partitionOf(partition))
  stampIfDue(to.appendTimes, record)
  const { timestamp } = record
  // A derived promise is cheaper than a callback that settles one of its own.
  return engine.send(record).then(
    stored =>
      options.acks === 0 ? [] : [resultOf(topic, stored, to.appendTimes.textOf(stored, topic, timestamp))],
    error => {
      if (mayGoOn(to, error)) return sendTopics(to, [{ topic, messages: [message] }], options)
      throw toKafkaJSError(error, to.budget)
    },
  )
}

function stampIfDue(times: AppendTimes, record: Record): void {
  if (record.timestamp === undefined && times.isLookDue(record.topic)) record.timestamp = Date.now()
}

/** Without a partition and a time of its own. */
function isPlain({ value, partition, timestamp }: Message): boolean {
  return value !== undefined && partition == null && timestamp == null
}

async function sendTopics(
  to: Destination,
  topicMessages: readonly TopicMessages[],
  options: SendOptions,
  given: Producer | Promise<Producer> = to.engineFor(options),
): Promise<RecordMetadata[]> {
  const engine = given instanceof Promise ? await given : given
  if (to.partitioner === null) {
    const records: Record[] = []
    for (const { topic, messages } of topicMessages) {
      for (const message of messages) {
        const { partition } = message
        records.push(recordOf(topic, message, partition == null ? undefined : partitionOf(partition)))
      }
    }
    return deliver(to, engine, records, options)
  }
  const { partitioner } = to
  const sent = topicMessages
    .filter(({ messages }) => messages.length > 0)
    .map(({ topic, messages }) => sendPartitioned(to, engine, topic, messages, partitioner, options))
  const outcomes = await Promise.allSettled(sent)
  const failed = outcomes.find(outcome => outcome.status === 'rejected')
  if (failed !== undefined) throw toKafkaJSError((failed as PromiseRejectedResult).reason, to.budget)
  return outcomes.flatMap(outcome => (outcome as PromiseFulfilledResult<RecordMetadata[]>).value)
}

/**
 * The partitioner sees the user's own message, and the partition it answers counts whatever the message
 * says.
 */
async function sendPartitioned(
  to: Destination,
  engine: Producer,
  topic: string,
  messages: readonly Message[],
  partitioner: (args: PartitionerArgs) => number,
  options: SendOptions,
): Promise<RecordMetadata[]> {
  const place = (partitionMetadata: PartitionMetadata[]) => {
    const records = messages.map(message =>
      recordOf(topic, message, partitionOf(partitioner({ topic, partitionMetadata, message }))),
    )
    return deliver(to, engine, records, options)
  }
  const known = to.lists.current(engine, topic)
  return known === null ? to.lists.whenKnown(engine, topic, place) : place(known)
}

async function deliver(
  to: Destination,
  engine: Producer,
  records: readonly Record[],
  options: SendOptions,
): Promise<RecordMetadata[]> {
  if (records.length === 0) return []
  const { appendTimes } = to
  const [first] = records
  if (first !== undefined) stampIfDue(appendTimes, first)
  try {
    const report = await engine.sendMany(records)
    return options.acks === 0 ? [] : resultsOf(report, records, appendTimes)
  } catch (error) {
    if (mayGoOn(to, error)) return deliver(to, await to.engineFor(options), records, options)
    throw failureOf(error, records, appendTimes, to.budget)
  }
}

const CLUSTER_AUTHORIZATION_FAILED = 31

/**
 * Whether nothing was sent, only because the cluster does not grant IDEMPOTENT_WRITE (which brokers before
 * 2.8
 * ask for), and may be sent without idempotence. KafkaJS's producers are not idempotent unless asked to be.
 */
function mayGoOn(to: Destination, error: unknown): boolean {
  const errors = error instanceof SendManyError ? [...error.errors.values()] : [error]
  const isAll = !(error instanceof SendManyError) || errors.length === error.report.length
  const isRefused = (each: unknown) =>
    each instanceof AuthorizationError && each.errorCode === CLUSTER_AUTHORIZATION_FAILED
  if (!errors.every(isRefused) || to.goOnWithoutIdempotence?.() !== true) return false
  return isAll && errors.every(each => (each as AuthorizationError).partition === undefined)
}
