import { ErrorCodes } from '../protocol/error-codes.js'
import { BatchError } from './batch-error.js'
import { addToSequence, type BatchHeader } from './record-batch.js'

/** Batches of a producer that a broker remembers per partition, to recognise those sent again. */
const REMEMBERED_BATCHES = 5
/** Sequences count modulo 2³¹. */
const SEQUENCES = 0x80000000

/** Where a batch of an idempotent producer is in the log. */
interface AppendedBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly logAppendTimeMs: number
}

interface ProducerState {
  epoch: number
  /** The last batches of this epoch, oldest first. */
  remembered: AppendedBatch[]
  /** Records of this epoch in batches that are no longer remembered. */
  forgottenRecords: number
}

/** What one partition knows of the idempotent producers that wrote to it. */
export class ProducerStates {
  private readonly states = new Map<bigint, ProducerState>()

  /**
   * Judges a batch before it is appended. Answers the place of the same batch if it is there already; throws
   * {@link BatchError} for one that must not be appended.
   *
   * A producer that is not known may start with any sequence, as on brokers whose retention has removed its
   * records; a newer epoch of a known one starts at 0. Duplicates that are no longer remembered answer
   * DUPLICATE_SEQUENCE_NUMBER.
   */
  check(header: BatchHeader): AppendedBatch | null {
    const state = this.states.get(header.producerId)
    if (state === undefined) return null
    const { producerEpoch, baseSequence } = header
    if (producerEpoch < state.epoch) {
      throw new BatchError(
        ErrorCodes.INVALID_PRODUCER_EPOCH,
        `epoch ${producerEpoch} of producer ${header.producerId} is older than ${state.epoch}`,
      )
    }
    if (producerEpoch > state.epoch) {
      if (baseSequence === 0) return null
      throw outOfOrder(header, `epoch ${producerEpoch} is new and starts at 0`)
    }
    return this.checkSequence(state, header)
  }

  private checkSequence(state: ProducerState, header: BatchHeader): AppendedBatch | null {
    const { baseSequence, recordCount } = header
    const lastSequence = addToSequence(baseSequence, recordCount - 1)
    for (const batch of state.remembered) {
      if (batch.firstSequence === baseSequence && batch.lastSequence === lastSequence) return batch
    }
    const oldest = state.remembered[0]
    const newest = state.remembered[state.remembered.length - 1]
    const expected = newest === undefined ? 0 : addToSequence(newest.lastSequence, 1)
    if (baseSequence === expected) return null
    if (oldest === undefined) throw outOfOrder(header, `${expected} is next`)
    const recordsBeforeOldest = (oldest.firstSequence - baseSequence + SEQUENCES) % SEQUENCES
    if (recordCount <= recordsBeforeOldest && recordsBeforeOldest <= state.forgottenRecords) {
      throw new BatchError(
        ErrorCodes.DUPLICATE_SEQUENCE_NUMBER,
        `sequences ${baseSequence} to ${lastSequence} of producer ${header.producerId} were appended before`,
      )
    }
    throw outOfOrder(header, `${expected} is next`)
  }

  /** Nothing is left of what producers have stored, and so nothing is known of them. */
  forget(): void {
    this.states.clear()
  }

  /** A marker has ended a transaction. In a newer epoch it fences the producer's older ones. */
  ended(producerId: bigint, producerEpoch: number): void {
    const state = this.states.get(producerId)
    if (state !== undefined && state.epoch >= producerEpoch) return
    this.states.set(producerId, { epoch: producerEpoch, remembered: [], forgottenRecords: 0 })
  }

  /** Remembers a batch that was appended. */
  appended(header: BatchHeader, baseOffset: number, logAppendTimeMs: number): void {
    const batch: AppendedBatch = {
      firstSequence: header.baseSequence,
      lastSequence: addToSequence(header.baseSequence, header.recordCount - 1),
      baseOffset,
      logAppendTimeMs,
    }
    const state = this.states.get(header.producerId)
    if (state === undefined || state.epoch !== header.producerEpoch) {
      const fresh = { epoch: header.producerEpoch, remembered: [batch], forgottenRecords: 0 }
      this.states.set(header.producerId, fresh)
      return
    }
    state.remembered.push(batch)
    if (state.remembered.length <= REMEMBERED_BATCHES) return
    const forgotten = state.remembered.shift() as AppendedBatch
    const records = (forgotten.lastSequence - forgotten.firstSequence + 1 + SEQUENCES) % SEQUENCES
    state.forgottenRecords = Math.min(state.forgottenRecords + records, SEQUENCES / 2)
  }
}

function outOfOrder(header: BatchHeader, reason: string): BatchError {
  return new BatchError(
    ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER,
    `sequence ${header.baseSequence} of producer ${header.producerId}, but ${reason}`,
  )
}
