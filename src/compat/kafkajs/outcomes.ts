import type { PromiseView } from '../../common/promise-view.js'
import {
  type DeliveryReport,
  type ProducerRecord,
  SendManyError,
  type RecordMetadata as Stored,
} from '../../index.js'
import { toKafkaJSError } from './map-error.js'
import type { RetryBudget } from './retry.js'
import type { RecordMetadata } from './types.js'

/** Sends of a topic until it is looked again whether the broker stamps its records. */
const SENDS_PER_LOOK = 10_000

/** A record as it was given to millrace. */
type SentRecord = Pick<ProducerRecord, 'timestamp'>

/** What is known of a topic; the view of all sends of one message into it. */
class TopicTimes implements PromiseView<Stored, RecordMetadata[]> {
  isAppendTime = false
  sendsLeft = 0
  private readonly topic: string
  private readonly budget: RetryBudget

  constructor(topic: string, budget: RetryBudget) {
    this.topic = topic
    this.budget = budget
  }

  resultOf(stored: Stored): RecordMetadata[] {
    return [resultOf(this.topic, stored, textOf(stored, this.isAppendTime))]
  }

  errorOf(error: unknown): Error {
    return toKafkaJSError(error, this.budget)
  }
}

/**
 * Whether topics are LogAppendTime, seen by records that were sent with a time and came back with another.
 */
export class AppendTimes {
  private readonly topics = new Map<string, TopicTimes>()
  private readonly budget: RetryBudget

  constructor(budget: RetryBudget) {
    this.budget = budget
  }

  /** What is known of the topic, unless the next record should have a time of its own, to tell by. */
  known(topic: string): TopicTimes | undefined {
    const times = this.topics.get(topic)
    return times === undefined || --times.sendsLeft < 0 ? undefined : times
  }

  /**
   * Whether the next record should have a time of its own. One is enough to tell by: those that are sent
   * before its answer is there go by what is known.
   */
  isLookDue(topic: string): boolean {
    if (this.known(topic) !== undefined) return false
    const times = this.topics.get(topic)
    if (times !== undefined) times.sendsLeft = SENDS_PER_LOOK
    return true
  }

  /** What a broker answered for a record that had `sentMs` (undefined: none); -1 unless it stamps records. */
  textOf(stored: Stored, topic: string, sentMs: SentRecord['timestamp']): string {
    let times = this.topics.get(topic)
    if (sentMs != null) {
      times ??= this.newTopic(topic)
      times.isAppendTime = stored.timestamp !== sentMs
      times.sendsLeft = SENDS_PER_LOOK
    }
    return textOf(stored, times?.isAppendTime === true)
  }

  private newTopic(topic: string): TopicTimes {
    const times = new TopicTimes(topic, this.budget)
    this.topics.set(topic, times)
    return times
  }
}

const textOf = (stored: Stored, isAppendTime: boolean) => (isAppendTime ? String(stored.timestamp) : '-1')

/** KafkaJS's answer for the messages of one partition; `stored` is the first of them. */
export function resultOf(topicName: string, stored: Stored, logAppendTime: string): RecordMetadata {
  const { partition, offsetText: baseOffset } = stored
  return { topicName, partition, errorCode: 0, baseOffset, logAppendTime, logStartOffset: '0' }
}

/** One entry for each partition that got records, by topic in the order of the call, then by partition. */
export function resultsOf(
  report: DeliveryReport,
  records: readonly ProducerRecord[],
  times: AppendTimes,
  isFailed: (ordinal: number) => boolean = () => false,
): RecordMetadata[] {
  const topics = new Map<string, Map<number, RecordMetadata>>()
  let topicName = ''
  let results: Map<number, RecordMetadata> | undefined
  for (let ordinal = 0; ordinal < report.length; ordinal++) {
    const { topic, timestamp } = records[ordinal] as ProducerRecord
    if (topic !== topicName || results === undefined) {
      topicName = topic
      results = topics.get(topic) ?? new Map()
      topics.set(topic, results)
    }
    const stored = report.at(ordinal) as Stored
    // A partition's records are stored in order: its first has the base offset.
    if (results.has(stored.partition) || isFailed(ordinal)) continue
    results.set(stored.partition, resultOf(topic, stored, times.textOf(stored, topic, timestamp)))
  }
  return [...topics.values()].flatMap(byPartition =>
    [...byPartition.values()].sort((left, right) => left.partition - right.partition),
  )
}

/**
 * The error of a call: that of its first message that failed. `errors` has those of all, by the index of the
 * message, and `results` what became of the others: KafkaJS does not say.
 */
export function failureOf(
  error: unknown,
  records: readonly ProducerRecord[],
  times: AppendTimes,
  budget: RetryBudget,
): Error {
  const mapped = toKafkaJSError(error, budget)
  if (!(error instanceof SendManyError) || records.length === 1) return mapped
  const failed = error.errors
  const errors = new Map([...failed].map(([ordinal, each]) => [ordinal, toKafkaJSError(each, budget)]))
  const results = resultsOf(error.report, records, times, ordinal => failed.has(ordinal))
  return Object.defineProperties(mapped, {
    errors: { value: errors, configurable: true, writable: true },
    results: { value: results, configurable: true, writable: true },
  })
}
