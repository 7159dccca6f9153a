import { InternalError, InvalidRecordError, KafkaError } from '../../errors/index.js'
import type { ProducerRecord } from '../types.js'

/** Where a failed record was to go, as far as it can be read. */
export function placeOf(record: unknown): { topic: string; partition: number } {
  try {
    const { topic, partition } = record as ProducerRecord
    return {
      topic: typeof topic === 'string' ? topic : '',
      partition: Number.isInteger(partition) ? (partition as number) : -1,
    }
  } catch {
    return { topic: '', partition: -1 }
  }
}

/** What a caller's getter, iterator or plug-in threw becomes a coded error with its cause. */
export function asKafkaError(error: unknown, topic: string): KafkaError {
  try {
    return coded(error, topic)
  } catch {
    // What was thrown throws when it is looked at; nobody else should have to try.
    return new InvalidRecordError(`The record to topic ${topic} could not be read.`, { topic })
  }
}

function coded(error: unknown, topic: string): KafkaError {
  if (error instanceof KafkaError) return error
  const message = error instanceof Error ? error.message : String(error)
  const details = { topic, cause: error }
  if (error instanceof TypeError || error instanceof RangeError) {
    return new InvalidRecordError(`The record to topic ${topic} could not be read: ${message}`, details)
  }
  return new InternalError(`The record to topic ${topic} could not be sent: ${message}`, details)
}
