import type { AppendableRecord } from '../../accumulator/append/appendable-record.js'
import type { Appender } from '../../accumulator/append/appender.js'
import type { Sender } from '../../sender/sender.js'
import { placeOf } from '../record/record-errors.js'
import type { RecordReader } from '../record/record-reader.js'
import type { RecordMetadata } from '../record-metadata.js'
import type { ProducerRecord } from '../types.js'
import type { SendEntry } from './entry.js'
import { PromiseDelivery } from './promise-delivery.js'
import { PromiseGroup } from './promise-group.js'
import type { TopicWait } from './topic-wait.js'

/** The way in of `send(record)`: a promise for each record. */
export class PromiseWay {
  private readonly entry: SendEntry
  private readonly reader: RecordReader
  private readonly waiting: TopicWait
  private readonly appender: Appender
  private readonly sender: Sender

  constructor(
    entry: SendEntry,
    reader: RecordReader,
    waiting: TopicWait,
    appender: Appender,
    sender: Sender,
  ) {
    this.entry = entry
    this.reader = reader
    this.waiting = waiting
    this.appender = appender
    this.sender = sender
  }

  /**
   * A promise for a record that is written at once: it derives from its batch's, which is cheaper by far than
   * one of its own (see PromiseGroup). A record that has to wait gets its own.
   */
  send(record: ProducerRecord<never, never>, nowMs: number): Promise<RecordMetadata> {
    const { entry, reader, waiting } = this
    try {
      const unserialized = reader.preparers.length > 0 ? entry.readUnready(record, nowMs) : null
      if (unserialized !== null) {
        const delivery = new PromiseDelivery()
        entry.hold(unserialized, delivery, 0)
        return delivery.promise
      }
      const read = reader.read(record, nowMs)
      const written = waiting.isNext(read) ? this.write(read) : null
      if (written !== null) return written
      // Before anything is made of a record that is refused: a loop that does not wait has very many.
      this.appender.checkRoom(read)
      const delivery = new PromiseDelivery()
      entry.handOver(read, delivery, 0)
      return delivery.promise
    } catch (thrown) {
      return Promise.reject(entry.refusal(thrown, placeOf(record).topic))
    }
  }

  /** Null if the record has to wait for memory. */
  private write(record: AppendableRecord): Promise<RecordMetadata> | null {
    const { appender } = this
    const { timestampMs } = record
    const batch = appender.appendNow(record)
    if (batch === null) return null
    this.sender.wakeup()
    const { lastIndex, lastKeyBytes, lastValueBytes } = appender
    return PromiseGroup.of(batch, timestampMs).add(lastIndex, lastKeyBytes, lastValueBytes, timestampMs)
  }
}
