import { BATCH_HEADER_BYTES } from '../batch/batch-header.js'

/** A batch that came out larger than expected is half as bad as one that could have held more. */
const DETERIORATION = 0.05
const IMPROVEMENT = 0.005

/** Batches are filled a little less than the estimate says, so that most stay below `batch.size`. */
const CAUTION = 1.05

const INT32_MAX = 2 ** 31 - 1

/**
 * What compression leaves of a topic's records, guessed from the batches before. So batches can be filled
 * until they have `batch.size` bytes in their compressed form (Java's `CompressionRatioEstimator`).
 */
export class CompressionEstimate {
  private ratio = 1

  /** A batch has been compressed: bytes of its records after it, by those before. */
  observe(ratio: number): void {
    this.ratio =
      ratio > this.ratio
        ? Math.max(this.ratio + DETERIORATION, ratio)
        : Math.max(this.ratio - IMPROVEMENT, ratio)
  }

  /** A batch was too large for the broker: the next ones must not count on compression. */
  distrust(): void {
    this.ratio = Math.max(this.ratio, 1)
  }

  /** How many bytes a batch may have before compression, to have `batchBytes` after it. */
  uncompressedBytes(batchBytes: number): number {
    const recordBytes = (batchBytes - BATCH_HEADER_BYTES) / (this.ratio * CAUTION)
    return Math.min(Math.max(batchBytes, Math.floor(BATCH_HEADER_BYTES + recordBytes)), INT32_MAX)
  }
}
