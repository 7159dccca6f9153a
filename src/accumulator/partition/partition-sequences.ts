import { isAfter, type ProducerIdAndEpoch, sequenceAfter } from '../batch/producer-id-and-epoch.js'

/**
 * A leader that has acknowledged nothing for so long has to do so again before two requests are in flight. It
 * costs an idle partition one round trip. No broker forgets a producer that was active so recently.
 */
const PROOF_MS = 1000

/** A batch as its partition's sequences see it. */
interface SequencedBatch {
  readonly recordCount: number
  readonly producer: ProducerIdAndEpoch | null
  readonly baseSequence: number
  assignSequence(producer: ProducerIdAndEpoch | null, baseSequence: number): void
}

/**
 * The sequences of one partition: which come next, which are acknowledged, and by whom (KIP-98, KIP-360;
 * Java: `TxnPartitionEntry`). The only owner of this state; the sequence gate decides, this class keeps.
 */
export class PartitionSequences {
  private identity: ProducerIdAndEpoch | null = null
  private next = 0
  /** -1: none is acknowledged under the present producer id and epoch. */
  private lastAcknowledged = -1
  /** Offset of the last batch that is known to be stored, and its records; -1n if none is. */
  private lastOffset = -1n
  private lastRecords = 1
  private hasGap = false
  private provenLeaderId = -1
  private provenLeaderEpoch = -1
  private provenIdentity: ProducerIdAndEpoch | null = null
  private provenMs = Number.NEGATIVE_INFINITY

  /** The producer id and epoch that the sequences count under. Null before the first. */
  get producer(): ProducerIdAndEpoch | null {
    return this.identity
  }

  /** The sequence that the next batch gets. */
  get nextSequence(): number {
    return this.next
  }

  /** The first sequence that the partition's leader has not acknowledged. */
  get firstUnacknowledged(): number {
    return this.lastAcknowledged < 0 ? 0 : sequenceAfter(this.lastAcknowledged, 1)
  }

  /** Every sequence given out is acknowledged: the broker misses nothing. */
  get isComplete(): boolean {
    return this.firstUnacknowledged === this.next
  }

  /** A sequence was given out and then given up. No new batch goes out until the epoch has been bumped. */
  get needsEpochBump(): boolean {
    return this.hasGap
  }

  /** Starts again at sequence 0 under this producer id and epoch. */
  restart(producer: ProducerIdAndEpoch | null): void {
    this.identity = producer
    this.next = 0
    this.lastAcknowledged = -1
  }

  /** Gives a batch the sequence after the partition's last. */
  assign(batch: SequencedBatch): void {
    batch.assignSequence(this.identity, this.next)
    this.next = sequenceAfter(this.next, batch.recordCount)
  }

  /**
   * The leader has stored nothing behind the last acknowledged batch, so what it has refused leaves no gap:
   * its sequences are given out again.
   */
  takeBack(): void {
    this.next = this.firstUnacknowledged
    this.hasGap = false
  }

  /** The leader has stored the batch. */
  acknowledge({ producer, baseSequence, recordCount }: SequencedBatch, baseOffset = -1n): void {
    if (producer === null || producer !== this.identity) return
    if (baseOffset >= 0n) {
      this.lastOffset = baseOffset
      this.lastRecords = recordCount
    }
    const last = sequenceAfter(baseSequence, recordCount - 1)
    // A batch whose first answer was lost may be acknowledged after those behind it.
    if (this.lastAcknowledged < 0 || isAfter(last, this.lastAcknowledged)) this.lastAcknowledged = last
  }

  /**
   * The leader does not know the producer. If its log begins behind all that the producer has stored, then
   * retention has removed that, and the leader (before Kafka 2.4) takes nothing but sequence 0.
   */
  forgotten(logStartOffset: bigint): void {
    if (logStartOffset > this.lastOffset + BigInt(this.lastRecords - 1)) this.lastAcknowledged = -1
  }

  /** A batch has ended without being stored, or without it being known. True if that leaves a gap. */
  lose({ producer }: SequencedBatch): boolean {
    if (producer === null || producer !== this.identity) return false
    this.hasGap = true
    return true
  }

  /** The broker misses sequences that no batch here has. */
  demandEpochBump(): void {
    this.hasGap = true
  }

  /** The gap is gone: by a new epoch, or because what was given up turned out to be stored. */
  closeGap(): void {
    this.hasGap = false
  }

  /**
   * This leader, in this epoch of its leadership, has stored a batch under the present identity. Brokers
   * accept any first sequence of a producer they do not know. So without proof only one request may be in
   * flight: were two, and the first failed, the second would be stored ahead of the first's retry.
   */
  prove(leaderId: number, leaderEpoch: number, producer: ProducerIdAndEpoch | null, nowMs: number): void {
    this.provenLeaderId = leaderId
    this.provenLeaderEpoch = leaderEpoch
    this.provenIdentity = producer
    this.provenMs = nowMs
  }

  /** A proof ages: brokers forget producers that are idle (`producer.id.expiration.ms`, retention). */
  isProvenBy(leaderId: number, leaderEpoch: number, nowMs: number): boolean {
    return (
      nowMs - this.provenMs < PROOF_MS &&
      this.provenLeaderId === leaderId &&
      this.provenLeaderEpoch === leaderEpoch &&
      this.provenIdentity === this.identity
    )
  }

  /** The log is another one, which knows no producer. */
  forgetProof(): void {
    this.provenLeaderId = -1
    this.provenIdentity = null
  }
}
