import { IllegalStateError, ProducerFencedError } from '../errors/index.js'
import { checkOffsets, type TopicPartitionOffset } from '../transactions/offsets.js'

/** Offsets by consumer group; of two for one partition the later. */
export type OffsetsByGroup = ReadonlyMap<string, readonly TopicPartitionOffset[]>

/** Where a mock stands with its transactions, and what the open one holds. */
export class MockTransactions<Sent> {
  isFenced = false
  isInitialized = false
  isInFlight = false
  /** Of the last one that has begun. */
  isCommitted = false
  /** Of the last one that has begun. */
  isAborted = false
  /** Of the last one that has begun. */
  hasSentOffsets = false
  commits = 0
  uncommitted: Sent[] = []
  offsets = new Map<string, readonly TopicPartitionOffset[]>()
  offsetsHistory: OffsetsByGroup[] = []

  begin(): void {
    if (this.isInFlight) throw new IllegalStateError('beginTransaction is not possible now: one is open.')
    this.isInFlight = true
    this.isCommitted = false
    this.isAborted = false
    this.hasSentOffsets = false
  }

  addOffsets(groupId: string, offsets: Iterable<TopicPartitionOffset>): void {
    const added = checkOffsets(offsets)
    if (added.length === 0) return
    // Of two for a partition the later counts, here as within one call.
    this.offsets.set(groupId, checkOffsets([...(this.offsets.get(groupId) ?? []), ...added]))
    this.hasSentOffsets = true
  }

  /** The records of the transaction that is committed. */
  commit(): Sent[] {
    const committed = this.uncommitted
    if (this.offsets.size > 0) this.offsetsHistory.push(this.offsets)
    this.end()
    this.isCommitted = true
    this.commits++
    return committed
  }

  abort(): void {
    this.end()
    this.isAborted = true
  }

  clear(): void {
    this.uncommitted = []
    this.offsetsHistory = []
    this.offsets = new Map()
    this.hasSentOffsets = false
  }

  /** Null: it is not fenced. */
  get fencedError(): ProducerFencedError | null {
    return this.isFenced ? new ProducerFencedError('The producer is fenced: fenceProducer was called.') : null
  }

  checkNotFenced(): void {
    const error = this.fencedError
    if (error !== null) throw error
  }

  checkInitialized(): void {
    this.checkNotFenced()
    if (!this.isInitialized) throw new IllegalStateError('initTransactions has to succeed first.')
  }

  checkInFlight(): void {
    this.checkInitialized()
    if (!this.isInFlight) throw new IllegalStateError('No transaction is open; beginTransaction opens one.')
  }

  private end(): void {
    this.uncommitted = []
    this.offsets = new Map()
    this.isInFlight = false
  }
}
