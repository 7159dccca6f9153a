// Deno's global timers are numbers and have no unref.
import { clearTimeout, setTimeout } from 'node:timers'
import { ErrorCodes } from '../protocol/error-codes.js'
import type { GroupOffsets } from './group-offsets.js'
import type { PartitionLog } from './partition-log.js'

/** Where a transactional id stands; the names are Kafka's. */
export type TransactionState =
  | 'Empty'
  | 'Ongoing'
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'CompleteCommit'
  | 'CompleteAbort'

/** Producer id and epoch as a request names them. */
interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** An answer with the identity to go on with; -1 where there is none. */
interface IdentityResult extends ProducerIdentity {
  readonly errorCode: number
}

/** Where a transactional id stands and what its transaction consists of. */
interface TransactionView extends ProducerIdentity {
  readonly state: TransactionState
  readonly timeoutMs: number
  /** Milliseconds since 1970; -1 where no transaction is open. */
  readonly startedAtMs: number
  readonly partitions: ReadonlySet<PartitionLog>
}

interface Entry {
  readonly transactionalId: string
  producerId: bigint
  /** -1 until the first InitProducerId has been answered. */
  producerEpoch: number
  /** The epoch before the last bump, if the producer itself asked for it: recognises a repeated request. */
  lastEpoch: number
  /** The id before the last, whose epochs were used up; -1n: none. */
  lastProducerId: bigint
  timeoutMs: number
  startedAtMs: number
  state: TransactionState
  readonly partitions: Set<PartitionLog>
  timer: NodeJS.Timeout | undefined
}

/** What Kafka's `transaction.max.timeout.ms` is by default. */
const TIMEOUT_MS_MAX = 900_000
/** The highest epoch given to a producer; the one above it is left for markers. */
const EPOCH_MAX = 32766
const NO_ID = -1n
const NO_EPOCH = -1

function failed(errorCode: number): IdentityResult {
  return { errorCode, producerId: NO_ID, producerEpoch: NO_EPOCH }
}

/** Keeps the transactional ids of the cluster: who owns each, which transaction is open, how it ends. */
export class TransactionCoordinator {
  private readonly entries = new Map<string, Entry>()
  private readonly offsets: GroupOffsets
  private readonly nextProducerId: () => bigint
  private readonly log: (line: string) => void
  private holds = 0
  private held: (() => void)[] = []

  constructor(offsets: GroupOffsets, nextProducerId: () => bigint, log: (line: string) => void) {
    this.offsets = offsets
    this.nextProducerId = nextProducerId
    this.log = log
  }

  stateOf(transactionalId: string): TransactionState | undefined {
    return this.entries.get(transactionalId)?.state
  }

  /** DescribeTransactions; undefined for an id that is not known. */
  describe(transactionalId: string): TransactionView | undefined {
    return this.entries.get(transactionalId)
  }

  /** InitProducerId: a new epoch, which fences the older; an open transaction is aborted first. */
  init(transactionalId: string, timeoutMs: number, expected: ProducerIdentity | null): IdentityResult {
    if (transactionalId === '') return failed(ErrorCodes.INVALID_REQUEST)
    if (timeoutMs <= 0 || timeoutMs > TIMEOUT_MS_MAX) return failed(ErrorCodes.INVALID_TRANSACTION_TIMEOUT)
    const entry = this.entries.get(transactionalId) ?? this.create(transactionalId)
    if (expected !== null && !isOwner(entry, expected)) return failed(ErrorCodes.PRODUCER_FENCED)
    switch (entry.state) {
      case 'PrepareCommit':
      case 'PrepareAbort':
        return failed(ErrorCodes.CONCURRENT_TRANSACTIONS)
      case 'Ongoing':
        this.fence(entry)
        return failed(ErrorCodes.CONCURRENT_TRANSACTIONS)
      default:
        return this.bump(entry, timeoutMs, expected)
    }
  }

  private create(transactionalId: string): Entry {
    const entry: Entry = {
      transactionalId,
      producerId: this.nextProducerId(),
      producerEpoch: NO_EPOCH,
      lastEpoch: NO_EPOCH,
      lastProducerId: NO_ID,
      timeoutMs: 0,
      startedAtMs: -1,
      state: 'Empty',
      partitions: new Set(),
      timer: undefined,
    }
    this.entries.set(transactionalId, entry)
    return entry
  }

  private bump(entry: Entry, timeoutMs: number, expected: ProducerIdentity | null): IdentityResult {
    const { producerEpoch } = entry
    const isNew = producerEpoch === NO_EPOCH
    if (expected !== null && !isNew && expected.producerEpoch !== producerEpoch) {
      const isRepeated =
        expected.producerEpoch === entry.lastEpoch || expected.producerId === entry.lastProducerId
      return isRepeated ? identityOf(entry) : failed(ErrorCodes.PRODUCER_FENCED)
    }
    if (producerEpoch >= EPOCH_MAX) this.renumber(entry)
    else entry.producerEpoch++
    entry.lastEpoch = expected === null || isNew ? NO_EPOCH : producerEpoch
    entry.timeoutMs = timeoutMs
    entry.state = 'Empty'
    return identityOf(entry)
  }

  /** The epochs of the id are used up. */
  private renumber(entry: Entry): void {
    entry.lastProducerId = entry.producerId
    entry.producerId = this.nextProducerId()
    entry.producerEpoch = 0
  }

  /** AddPartitionsToTxn and AddOffsetsToTxn: makes the partitions part of the transaction, which begins. */
  add(transactionalId: string, producer: ProducerIdentity, partitions: readonly PartitionLog[]): number {
    if (transactionalId === '') return ErrorCodes.INVALID_REQUEST
    const entry = this.entries.get(transactionalId)
    const refusal = refusalOf(entry, producer)
    if (refusal !== ErrorCodes.NONE || entry === undefined) return refusal
    this.begin(entry)
    for (const partition of partitions) entry.partitions.add(partition)
    return ErrorCodes.NONE
  }

  /** What keeps a partition that must have been added before from being written to in the transaction. */
  verify(transactionalId: string, producer: ProducerIdentity, partition: PartitionLog): number {
    const entry = this.entries.get(transactionalId)
    const refusal = refusalOf(entry, producer)
    if (refusal !== ErrorCodes.NONE || entry === undefined) return refusal
    const isPart = entry.state === 'Ongoing' && entry.partitions.has(partition)
    return isPart ? ErrorCodes.NONE : ErrorCodes.TRANSACTION_ABORTABLE
  }

  /** What keeps offsets of a group that must have been added before out of the transaction. */
  verifyOffsets(transactionalId: string, producer: ProducerIdentity): number {
    const entry = this.entries.get(transactionalId)
    const refusal = refusalOf(entry, producer)
    if (refusal !== ErrorCodes.NONE || entry === undefined) return refusal
    return entry.state === 'Ongoing' ? ErrorCodes.NONE : ErrorCodes.INVALID_TXN_STATE
  }

  /** EndTxn. `bumps`: as clients of `transaction.version` 2 ask for, with a new epoch for what comes next. */
  end(
    transactionalId: string,
    producer: ProducerIdentity,
    committed: boolean,
    bumps: boolean,
  ): IdentityResult {
    if (transactionalId === '') return failed(ErrorCodes.INVALID_REQUEST)
    const entry = this.entries.get(transactionalId)
    if (entry === undefined) return failed(ErrorCodes.INVALID_PRODUCER_ID_MAPPING)
    const isRepeated = bumps && isBeforeBump(entry, producer)
    if (!isRepeated) {
      if (entry.producerId !== producer.producerId) return failed(ErrorCodes.INVALID_PRODUCER_ID_MAPPING)
      if (entry.producerEpoch !== producer.producerEpoch) return failed(ErrorCodes.PRODUCER_FENCED)
    }
    return this.endIn(entry, committed, bumps, isRepeated)
  }

  private endIn(entry: Entry, committed: boolean, bumps: boolean, isRepeated: boolean): IdentityResult {
    const { state } = entry
    if (state === (committed ? 'PrepareCommit' : 'PrepareAbort')) {
      return failed(ErrorCodes.CONCURRENT_TRANSACTIONS)
    }
    if (state === 'Ongoing' && !isRepeated) {
      this.finish(entry, committed, bumps)
      return identityOf(entry)
    }
    const hasEndedSo = state === (committed ? 'CompleteCommit' : 'CompleteAbort')
    if (hasEndedSo && (isRepeated || !bumps)) return identityOf(entry)
    // A client that does not know whether anything reached the broker aborts to be sure.
    const isIdle = state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort'
    if (bumps && !committed && !isRepeated && isIdle) {
      this.finish(entry, false, true)
      return identityOf(entry)
    }
    return failed(ErrorCodes.INVALID_TXN_STATE)
  }

  /** Aborts an open transaction as its time-out does, which fences its producer. False if none is open. */
  expire(transactionalId: string): boolean {
    const entry = this.entries.get(transactionalId)
    if (entry?.state !== 'Ongoing') return false
    this.log(`millrace broker: transaction of ${transactionalId} timed out and is aborted`)
    this.fence(entry)
    return true
  }

  /** Keeps ended transactions from being completed: their markers are not written until `release`. */
  holdMarkers(): { release(): void } {
    this.holds++
    let isHolding = true
    return {
      release: () => {
        if (isHolding) this.holds--
        isHolding = false
        if (this.holds > 0) return
        for (const complete of this.held.splice(0)) complete()
      },
    }
  }

  /** No transaction times out any more. */
  close(): void {
    for (const { timer } of this.entries.values()) clearTimeout(timer)
  }

  private begin(entry: Entry): void {
    if (entry.state === 'Ongoing') return
    entry.state = 'Ongoing'
    entry.startedAtMs = Date.now()
    entry.timer = setTimeout(() => this.expire(entry.transactionalId), entry.timeoutMs)
    entry.timer.unref()
  }

  /** Aborts under a newer epoch, which the producer of the transaction does not get to know. */
  private fence(entry: Entry): void {
    entry.producerEpoch++
    entry.lastEpoch = NO_EPOCH
    this.finish(entry, false, false)
  }

  /** The outcome is decided from here on; markers follow. */
  private finish(entry: Entry, committed: boolean, bumps: boolean): void {
    clearTimeout(entry.timer)
    const { producerId } = entry
    const markerEpoch = bumps ? entry.producerEpoch + 1 : entry.producerEpoch
    if (bumps) {
      entry.lastEpoch = NO_EPOCH
      if (entry.producerEpoch >= EPOCH_MAX) this.renumber(entry)
      else entry.producerEpoch++
    }
    entry.state = committed ? 'PrepareCommit' : 'PrepareAbort'
    const complete = () => {
      for (const partition of entry.partitions) partition.appendMarker(producerId, markerEpoch, committed)
      entry.partitions.clear()
      entry.startedAtMs = -1
      this.offsets.end(producerId, committed)
      entry.state = committed ? 'CompleteCommit' : 'CompleteAbort'
    }
    if (this.holds > 0) this.held.push(complete)
    else complete()
  }
}

function identityOf({ producerId, producerEpoch }: Entry): IdentityResult {
  return { errorCode: ErrorCodes.NONE, producerId, producerEpoch }
}

/** Whether a producer that asks for a bump of its own epoch may be the one that owns the id. */
function isOwner(entry: Entry, { producerId, producerEpoch }: ProducerIdentity): boolean {
  if (entry.producerEpoch === NO_EPOCH || producerId === entry.producerId) return true
  return producerId === entry.lastProducerId && producerEpoch >= EPOCH_MAX
}

/** Whether this is the identity that the last end of a transaction has replaced. */
function isBeforeBump(entry: Entry, { producerId, producerEpoch }: ProducerIdentity): boolean {
  if (producerId === entry.producerId) return producerEpoch === entry.producerEpoch - 1
  return producerId === entry.lastProducerId && producerEpoch >= EPOCH_MAX && entry.producerEpoch === 0
}

function refusalOf(entry: Entry | undefined, { producerId, producerEpoch }: ProducerIdentity): number {
  if (entry === undefined || entry.producerId !== producerId) return ErrorCodes.INVALID_PRODUCER_ID_MAPPING
  if (entry.producerEpoch !== producerEpoch) return ErrorCodes.PRODUCER_FENCED
  const isEnding = entry.state === 'PrepareCommit' || entry.state === 'PrepareAbort'
  return isEnding ? ErrorCodes.CONCURRENT_TRANSACTIONS : ErrorCodes.NONE
}
