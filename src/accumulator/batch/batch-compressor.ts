import type { Clock } from '../../common/clock.js'
import { Fifo } from '../../common/fifo.js'
import type { Logger } from '../../common/logger.js'
import type { Codec } from '../../compression/codec.js'
import type { NativeCore } from '../../native/addon.js'
import type { NativeBatches } from '../../native/native-batches.js'
import { type Batch, type BatchPartition, BatchPhase } from './batch.js'
import { BATCH_HEADER_BYTES } from './batch-header.js'

/** How long codecs may hold the event loop in one turn. */
const TURN_MS = 2

interface BatchCompressorOptions<P extends BatchPartition> {
  core: NativeCore
  batches: NativeBatches
  codec: Codec
  logger: Logger
  /** The batch may be drained now. `ratio`: bytes of its records compressed by those before, NaN for none. */
  onCompressed: (batch: Batch<P>, ratio: number) => void
  /** The codec has stopped reading the batch's memory. */
  release: (batch: Batch<P>) => void
}

/**
 * Compresses the records region of sealed batches. The compressed form replaces the records in the batch's
 * own memory, so a batch keeps one owner and one budget; where it would not fit, the batch goes out as it is.
 * Slabs that the compressed form does not need go back to the pool at once.
 */
export class BatchCompressor<P extends BatchPartition> {
  private readonly options: BatchCompressorOptions<P>
  private readonly sealed = new Fifo<Batch<P>>()
  /** Codecs may hold the event loop until then; a double from the start. */
  private turnEndMs = Number.NaN

  constructor(options: BatchCompressorOptions<P>) {
    this.options = options
  }

  /** A batch has been closed for appends; `run` will see to it. */
  add(batch: Batch<P>): void {
    this.sealed.push(batch)
  }

  /**
   * Starts on batches that were added. Small ones are compressed at once and hold the event loop, so after a
   * while the rest is left for the next turn: true if there is any.
   */
  run(clock: Clock): boolean {
    this.turnEndMs = clock.now() + TURN_MS
    for (let batch = this.sealed.shift(); batch !== undefined; batch = this.sealed.shift()) {
      if (batch.phase === BatchPhase.SEALED && !batch.encoded) this.start(batch)
      if (clock.now() >= this.turnEndMs) return this.sealed.length > 0
    }
    return false
  }

  /**
   * A batch that is to go out now: starts on it unless codecs have held the event loop long enough, as when
   * thousands of partitions end their linger time together. True if it is left for the next `run`.
   */
  startOrAdd(batch: Batch<P>, clock: Clock): boolean {
    if (this.sealed.length === 0 && clock.now() < this.turnEndMs) {
      this.start(batch)
      return false
    }
    this.add(batch)
    return true
  }

  /** Starts on a sealed batch. The batch counts as read until the codec has answered. */
  private start(batch: Batch<P>): void {
    const { core, codec, batches } = this.options
    const { buffer, offset } = batch.memory
    batch.uncompressedBytes = batches.sizeOf(batch.handle)
    const recordBytes = batch.uncompressedBytes - BATCH_HEADER_BYTES
    const records = new Uint8Array(buffer, offset + BATCH_HEADER_BYTES, recordBytes)
    batch.become(BatchPhase.COMPRESSING)
    core.pin(batch.handle)
    batch.beginReading()
    try {
      const answer = codec.compress(records)
      if (answer instanceof Uint8Array) this.finish(batch, answer)
      else {
        answer.then(
          compressed => {
            this.finish(batch, compressed)
            codec.release?.(compressed)
          },
          error => this.finish(batch, null, error),
        )
      }
    } catch (error) {
      this.finish(batch, null, error)
    }
  }

  private finish(batch: Batch<P>, compressed: Uint8Array | null, error?: unknown): void {
    const { core, codec, logger } = this.options
    if (compressed === null) {
      logger.warn(`${codec.name} could not compress a batch; it is sent uncompressed`, { error })
    }
    const isDecided = batch.phase === BatchPhase.SETTLED
    this.options.release(batch)
    // Expired meanwhile: its memory may belong to another batch by now.
    if (isDecided) return
    const recordBytes = batch.uncompressedBytes - BATCH_HEADER_BYTES
    const ratio = compressed === null ? Number.NaN : compressed.length / recordBytes
    const isSmaller = compressed !== null && core.replaceRecords(batch.handle, compressed)
    batch.encodedWith(isSmaller ? codec.id : 0)
    batch.become(BatchPhase.SEALED)
    this.options.onCompressed(batch, ratio)
  }
}
