import { printable, quoted } from '../../common/foreign-text.js'
import { InvalidRecordError } from '../../errors/index.js'
import type { DeliveryCallback } from '../send/callback-group.js'

const TOPIC_NAME_LENGTH_MAX = 249
const TOPIC_NAME = /^[a-zA-Z0-9._-]+$/
const PARTITION_MAX = 2 ** 31 - 1
/** First value beyond int64. */
const TIMESTAMP_LIMIT = 2 ** 63

/** Refuses a topic name no broker takes (Java: `Topic.validate`). */
export function checkTopic(name: unknown): asserts name is string {
  if (typeof name !== 'string') {
    throw invalidTopic(`a record's topic must be a string, not ${name === null ? 'null' : typeof name}`)
  }
  if (name === '') throw invalidTopic('it is empty')
  if (name.length > TOPIC_NAME_LENGTH_MAX) {
    throw invalidTopic(`it has ${name.length} characters, more than ${TOPIC_NAME_LENGTH_MAX}`, name)
  }
  if (name === '.' || name === '..' || !TOPIC_NAME.test(name)) {
    throw invalidTopic(
      'it may have ASCII letters, digits, ".", "_" and "-" only, and not be "." or ".."',
      name,
    )
  }
}

/** A partition given by the caller or a custom partitioner; its upper bound is the cluster's matter. */
export function checkPartition(partition: unknown, topic: string, source = 'partition'): number {
  if (Number.isInteger(partition)) {
    const number = partition as number
    if (number >= 0 && number <= PARTITION_MAX) return number
  }
  throw new InvalidRecordError(
    `${source} of a record to topic ${topic} must be an integer from 0 to ${PARTITION_MAX}, ` +
      `not ${show(partition)}.`,
    { topic },
  )
}

/** Milliseconds since the epoch, cut to whole ones. */
export function checkTimestamp(given: unknown, topic: string): number {
  const timestamp = given instanceof Date ? given.getTime() : given
  if (typeof timestamp === 'number' && timestamp >= 0 && timestamp < TIMESTAMP_LIMIT)
    return Math.floor(timestamp)
  throw new InvalidRecordError(
    `timestamp of a record to topic ${topic} must be a Date or milliseconds since the epoch, ` +
      `from 0 to int64's largest, not ${show(timestamp)}.`,
    { topic },
  )
}

/** Members of a record, and what other clients call them. */
const RECORD_MEMBERS: ReadonlySet<string> = new Set([
  ...['topic', 'partition', 'timestamp', 'key', 'value', 'headers'],
])

/**
 * A record without a value would be stored as a tombstone, which deletes a key: nobody does that by accident.
 * Names what the record has instead.
 */
export function noValue(record: object, topic: string): InvalidRecordError {
  const others = Object.keys(record).filter(name => !RECORD_MEMBERS.has(name))
  const shown = others.slice(0, 5).map(name => JSON.stringify(name.slice(0, 40)))
  const instead = others.length === 0 ? '' : ` It has ${shown.join(', ')}, which records do not have.`
  return new InvalidRecordError(
    `The record to topic ${topic} has no value.${instead} Give value, or value: null for a tombstone.`,
    { topic },
  )
}

/** The records of a `sendMany` as an array. */
export function arrayOf(records: unknown): readonly unknown[] {
  if (Array.isArray(records)) return records
  const iterable = records as Iterable<unknown> | null | undefined
  if (typeof iterable === 'object' && iterable !== null && typeof iterable[Symbol.iterator] === 'function')
    return [...iterable]
  throw new InvalidRecordError(
    'sendMany takes an array or another iterable of records; sendAll of millrace/streams also takes ' +
      'asynchronous ones.',
  )
}

/** How many records a `sendMany` is given. A proxy of an array may say anything. */
export function lengthOf(records: unknown): number {
  if (!Array.isArray(records)) throw new InvalidRecordError('sendMany takes an iterable of records.')
  const { length } = records
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new InvalidRecordError('sendMany takes an array whose length is a number of records.')
  }
  return length
}

export function checkCallback(callback: unknown): asserts callback is DeliveryCallback {
  if (typeof callback !== 'function') throw new TypeError('send: the callback must be a function.')
}

function invalidTopic(reason: string, name?: string): InvalidRecordError {
  const shown = name === undefined ? '' : ` ${quoted(name, TOPIC_NAME_LENGTH_MAX)}`
  return new InvalidRecordError(`Invalid topic name${shown}: ${reason}.`, {
    code: 'TOPIC_INVALID',
    ...(name === undefined ? {} : { topic: printable(name, TOPIC_NAME_LENGTH_MAX) }),
  })
}

function show(value: unknown): string {
  return typeof value === 'number' || typeof value === 'bigint' ? `${value}` : `a ${typeof value}`
}
