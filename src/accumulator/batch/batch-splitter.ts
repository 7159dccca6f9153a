import type { Codec } from '../../compression/codec.js'
import { InternalError } from '../../errors/index.js'
import type { NativeCore } from '../../native/addon.js'
import type { NativeBatches } from '../../native/native-batches.js'
import { wholeOf } from './arena.js'
import { Batch, type BatchPartition } from './batch.js'
import { BATCH_HEADER_BYTES } from './batch-compressor.js'
import type { BatchOutcome, Settlement } from './batch-outcome.js'

/** Some consecutive records of a batch and memory for the batch they will make. */
interface Part {
  position: number
  records: number
  memory: ArrayBuffer
}

/** Tells those who wait for a batch that was split, once all its parts have their outcome. */
class SplitSettlement implements Settlement {
  private readonly parent: Batch
  private pending: number

  constructor(parent: Batch, parts: number) {
    this.parent = parent
    this.pending = parts
  }

  settle(outcome: BatchOutcome): void {
    this.parent.outcome.error ??= outcome.error
    if (--this.pending === 0) this.parent.tell()
  }
}

/**
 * Divides a batch that the broker finds too large into batches of about half its records' bytes each, and
 * those again if need be, down to single records.
 *
 * The parts have memory of their own, which takes over the batch's charge to `buffer.memory`: a split
 * succeeds even when there is none left. They count as created when the batch was, so that its delivery
 * time-out stays.
 * Their outcomes together are the batch's. Who waits for it gets them when the last part is settled.
 */
export class BatchSplitter<P extends BatchPartition> {
  private readonly core: NativeCore
  private readonly batches: NativeBatches
  private readonly codec: Codec | null

  constructor(core: NativeCore, batches: NativeBatches, codec: Codec | null) {
    this.core = core
    this.batches = batches
    this.codec = codec
  }

  /** The parts, in order. Throws, with nothing changed, if records cannot be read or memory is lacking. */
  split(batch: Batch<P>): Batch<P>[] {
    const records = this.decompressed(batch)
    const parts = this.plan(batch, records)
    const settlement = new SplitSettlement(batch, parts.length)
    let firstIndex = 0
    const children = parts.map(part => {
      const { position, records: count, memory } = part
      const handle = this.core.splitOff(batch.handle, records, position, count, memory)
      const child = this.childOf(batch, handle, part, firstIndex)
      child.settlements.push(settlement)
      firstIndex += count
      return child
    })
    firstIndex = 0
    batch.outcome.parts = children.map(({ outcome, recordCount }) => {
      const first = firstIndex
      firstIndex += recordCount
      return { firstIndex: first, outcome }
    })
    return children
  }

  private plan(batch: Batch<P>, records: Uint8Array | null): Part[] {
    const { batches } = this
    const regionBytes = records?.length ?? batches.sizeOf(batch.handle) - BATCH_HEADER_BYTES
    const limitBytes = Math.ceil(regionBytes / 2)
    const parts: Part[] = []
    let total = 0
    for (let position = 0; position < regionBytes; ) {
      const measured = batches.measure(batch.handle, records, position, limitBytes)
      if (measured === null) break
      const { end, count, batchBytes } = measured
      parts.push({ position, records: count, memory: new ArrayBuffer(batchBytes) })
      total += count
      position = end
    }
    if (total !== batch.recordCount) {
      throw new InternalError(`A batch of ${batch.recordCount} records has ${total} that can be read.`)
    }
    return parts
  }

  private childOf(parent: Batch<P>, handle: number, part: Part, firstIndex: number): Batch<P> {
    const { partition, createdMs } = parent
    const child = new Batch(handle, wholeOf(part.memory), partition, createdMs, this.codec === null)
    child.splitFrom(parent, firstIndex, part.records)
    return child
  }

  /** The records region as it was before the codec; null where none has changed it. */
  private decompressed(batch: Batch<P>): Uint8Array | null {
    const { codec } = this
    if (batch.codecId === 0 || codec === null) return null
    const { buffer, offset } = batch.memory
    const bytes = this.batches.sizeOf(batch.handle) - BATCH_HEADER_BYTES
    const compressed = new Uint8Array(buffer, offset + BATCH_HEADER_BYTES, bytes)
    // Before it was compressed, the region was in the batch's memory too.
    return codec.decompress(compressed, batch.memory.bytes)
  }
}
