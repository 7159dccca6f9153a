import type { AppendableRecord } from '../../accumulator/append/appendable-record.js'
import type { Appender } from '../../accumulator/append/appender.js'
import type { PromiseView } from '../../common/promise-view.js'
import type { Sender } from '../../sender/sender.js'
import { placeOf } from '../record/record-errors.js'
import type { RecordReader } from '../record/record-reader.js'
import type { RecordMetadata } from '../record-metadata.js'
import type { ProducerRecord } from '../types.js'
import type { SendEntry } from './entry.js'
import { PromiseDelivery, seen } from './promise-delivery.js'
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
   * one of its own (see PromiseGroup). A record that has to wait gets its own. `view` null: of metadata.
   */
  send<T>(
    record: ProducerRecord<never, never>,
    nowMs: number,
    view: PromiseView<RecordMetadata, T> | null,
  ): Promise<T> {
    const { entry, reader, waiting } = this
    try {
      const unserialized = reader.preparers.length > 0 ? entry.readUnready(record, nowMs) : null
      if (unserialized !== null) {
        const delivery = new PromiseDelivery()
        entry.hold(unserialized, delivery, 0)
        return seen(delivery, view)
      }
      const read = reader.read(record, nowMs)
      const written = waiting.isNext(read) ? this.write(read, view) : null
      if (written !== null) return written
      // Before anything is made of a record that is refused: a loop that does not wait has very many.
      this.appender.checkRoom(read)
      const delivery = new PromiseDelivery()
      entry.handOver(read, delivery, 0)
      return seen(delivery, view)
    } catch (thrown) {
      const error = entry.refusal(thrown, placeOf(record).topic)
      return Promise.reject(view === null ? error : view.errorOf(error))
    }
  }

  /** Null if the record has to wait for memory. */
  private write<T>(record: AppendableRecord, view: PromiseView<RecordMetadata, T> | null): Promise<T> | null {
    const { appender } = this
    const { timestampMs } = record
    const batch = appender.appendNow(record)
    if (batch === null) return null
    this.sender.wakeup()
    const { lastIndex, lastKeyBytes, lastValueBytes } = appender
    const group = PromiseGroup.of(batch, timestampMs, view)
    return group.add(lastIndex, lastKeyBytes, lastValueBytes, timestampMs)
  }
}
