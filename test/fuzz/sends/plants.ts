import { isPlaceable } from '../../../dist/accumulator/append/appendable-record.js'
import { Appender } from '../../../dist/accumulator/append/appender.js'
import { NativeWriter } from '../../../dist/accumulator/append/native-writer.js'
import { Staging } from '../../../dist/accumulator/append/staging.js'
import { type Batch, BatchPhase } from '../../../dist/accumulator/batch/batch.js'
import { TimeoutError } from '../../../dist/index.js'
import { NO_BATCH, PARTITION_BY_KEY, PARTITION_STICKY, Result, Touched } from '../../../dist/native/addon.js'
import { PlainRecords } from '../../../dist/producer/record/plain-records.js'
import { PromiseGroup } from '../../../dist/producer/send/promise-group.js'
import { SerializerWait } from '../../../dist/producer/send/serializer-wait.js'
import { TopicWait } from '../../../dist/producer/send/topic-wait.js'
import { TransactionManager } from '../../../dist/transactions/transaction-manager.js'

/**
 * Bugs that the fuzzer must find, patched into the producer's own classes. The first ones are those that it was
 * written for.
 */

// biome-ignore lint/suspicious/noExplicitAny: what is patched is private
type Patched = any

const OVERHEAD_BYTES_MAX = 32

/** The question for room, as it was: it may drain, and answers for the batch that was read before. */
function hasRoomFor(appender: Patched, batch: Batch): boolean {
  const { staging, options } = appender
  const needed = staging.placedBytes + OVERHEAD_BYTES_MAX
  const isKnown = batch.roomBytes >= needed && batch.roomStamp === appender.roomStamp
  if (!isKnown || batch.phase !== BatchPhase.OPEN || !staging.takesPromised) {
    if (batch.phase !== BatchPhase.OPEN) return false
    appender.drainStaged()
    staging.replace()
    if (appender.waiting.length > 0) return false
    batch.roomBytes = options.batches.roomOf(batch.handle)
    batch.roomStamp = appender.roomStamp
  }
  return batch.roomBytes >= needed
}

/** A promised record is booked where its partition's open batch was before the staging was drained. */
function foretellBeforeTheDrain(): void {
  const appender: Patched = Appender.prototype
  appender.stagePromised = function (this: Patched, record: Patched) {
    const { staging } = this
    if (!this.place(record, staging.takesSingles)) return null
    const { topic } = record
    let { partition } = record
    if (partition === PARTITION_BY_KEY) partition = staging.partitionOfPlaced(topic.partitionCount)
    else if (partition === PARTITION_STICKY) partition = topic.stickyPartition
    const batch = topic.partition(partition).queue.at(-1) as Batch | undefined
    if (batch === undefined || !hasRoomFor(this, batch)) return null
    const asked = record.partition === PARTITION_STICKY ? PARTITION_STICKY : partition
    const index = batch.recordCount + batch.promisedCount++
    staging.joinPromised(record, asked, batch.handle, index)
    batch.roomBytes -= staging.placedBytes + OVERHEAD_BYTES_MAX
    const { result } = staging
    result[Result.INDEX] = index
    result[Result.KEY_BYTES] = staging.placedKeyBytes
    result[Result.VALUE_BYTES] = staging.placedValueBytes
    return batch
  }
}

/** Nobody compares what was promised with what is written. */
function leaveOutTheGuards(): void {
  const staging: Patched = Staging.prototype
  const { joinPromised } = staging
  staging.joinPromised = function (record: Patched, partition: number) {
    joinPromised.call(this, record, partition, NO_BATCH, 0)
  }
  const writer: Patched = NativeWriter.prototype
  const { attachStaged } = writer
  writer.attachStaged = function (this: Patched, run: Patched, first: number, end: number) {
    const { touched, result } = this.staging
    for (let touch = 0; touch < result[Result.TOUCHED]; touch++) {
      const at = touch * Touched.WORDS
      const batch = this.options.batchOf(touched[at + Touched.BATCH])
      if (touched[at + Touched.FIRST_INDEX] === 0) continue
      batch.recordCount = touched[at + Touched.FIRST_INDEX]
      batch.promisedCount = 0
    }
    attachStaged.call(this, run, first, end)
  }
}

/** Behind a getter that has sent to another topic, the records of an array are compared with that one. */
function takeTheLastTopic(): void {
  const plain: Patched = PlainRecords.prototype
  const { extendRun } = plain
  plain.extendRun = function (this: Patched, records: Patched, _topic: Patched, ...rest: Patched[]) {
    return extendRun.call(this, records, this.reader.lastTopic, ...rest)
  }
}

/** A promise now and then tells the offset of its neighbour. */
function tellTheNeighbour(): void {
  const group: Patched = PromiseGroup.prototype
  const { add } = group
  let calls = 0
  group.add = function (index: number, ...rest: Patched[]) {
    return add.call(this, ++calls % 1000 === 0 ? index + 1 : index, ...rest)
  }
}

/** A record that is appended directly passes those that are staged. */
function passTheStaged(): void {
  const appender: Patched = Appender.prototype
  const { appendUnstaged } = appender
  appender.appendUnstaged = function (this: Patched, record: Patched, ...rest: Patched[]) {
    // Headers pass through the memory of the staging.
    if (record.headers !== null) return appendUnstaged.call(this, record, ...rest)
    return this.waiting.length === 0 && this.appendDirect(record, ...rest)
  }
}

/** What a partitioner sends while it is asked for a record that has waited passes those behind it. */
function passThoseThatWaited(): void {
  const wait: Patched = TopicWait.prototype
  wait.isNext = isPlaceable
}

/** What a serializer sends while records are sent on that have waited for it passes those behind. */
function passThoseThatWereHeld(): void {
  const wait: Patched = SerializerWait.prototype
  wait.release = function (this: Patched, topic: string) {
    const records = this.queues.get(topic).drain()
    this.queues.delete(topic)
    this.ready.add(topic)
    this.held -= records.length
    for (const record of records) this.send(record)
    for (const { barriers } of records) {
      for (const barrier of barriers) {
        this.options.follow(barrier)
        barrier.leave()
      }
    }
  }
}

/** A transaction now and then fails for no reason. */
function failTransactions(): void {
  const manager: Patched = TransactionManager.prototype
  const { use } = manager
  let calls = 0
  manager.use = function (this: Patched, partition: Patched) {
    if (++calls % 100 === 0) this.failTransaction(new TimeoutError('planted'))
    return use.call(this, partition)
  }
}

const plants: Record<string, () => void> = {
  'mixed sends': () => {
    foretellBeforeTheDrain()
    leaveOutTheGuards()
  },
  'mixed sends, guarded': foretellBeforeTheDrain,
  'wrong topic': takeTheLastTopic,
  'wrong offset': tellTheNeighbour,
  'wrong order': passTheStaged,
  'wrong order after waiting': passThoseThatWaited,
  'wrong order after preparing': passThoseThatWereHeld,
  'failed transactions': failTransactions,
}

export const plantNames = Object.keys(plants)

export function plant(name: string): void {
  const patch = plants[name]
  if (patch === undefined) throw new Error(`no plant is called ${name}: ${plantNames.join(', ')}`)
  patch()
}
