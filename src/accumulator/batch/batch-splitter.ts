import type { Codec } from '../../compression/codec.js'
import { InternalError, type KafkaError } from '../../errors/index.js'
import type { NativeCore } from '../../native/addon.js'
import type { NativeBatches } from '../../native/native-batches.js'
import { wholeOf } from './arena.js'
import { Batch, type BatchPartition } from './batch.js'
import { BATCH_HEADER_BYTES } from './batch-header.js'
import type { BatchOutcome, Settlement } from './batch-outcome.js'

/** Some consecutive records of a batch and memory for the batch they will make. */
interface Part {
  position: number
  firstIndex: number
  records: number
  memory: ArrayBuffer
}

const INT32_MAX = 2 ** 31 - 1

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
 * Puts smaller batches into the place of one that the broker has refused: about half its records' bytes each
 * where it is too large, down to single records; or all but the records that the broker has named.
 *
 * The parts have memory of their own, which takes over the batch's charge to `buffer.memory` as far as it
 * goes: a split succeeds even when there is none left. They count as created when the batch was, so that its
 * delivery time-out stays. Who waits for a record of the batch waits for its part.
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
    return this.replace(batch, records, this.halves(batch, records))
  }

  /** As {@link split}: all records but the refused ones, whose errors by index the batch's outcome takes. */
  without(batch: Batch<P>, refused: ReadonlyMap<number, KafkaError>): Batch<P>[] {
    const records = this.decompressed(batch)
    const parts = this.kept(batch, records, refused)
    batch.outcome.recordErrors = refused
    const [error] = refused.values()
    batch.outcome.error = error ?? null
    return this.replace(batch, records, parts)
  }

  private replace(batch: Batch<P>, records: Uint8Array | null, parts: readonly Part[]): Batch<P>[] {
    const children = parts.map(part => {
      const { position, records: count, memory } = part
      const handle = this.core.splitOff(batch.handle, records, position, count, memory)
      return this.childOf(batch, handle, part)
    })
    const followed = children.map((child, at) => ({
      firstIndex: (parts[at] as Part).firstIndex,
      recordCount: child.recordCount,
      outcome: child.outcome,
      batch: child,
    }))
    batch.outcome.parts = followed
    const settlement = new SplitSettlement(batch, children.length)
    for (const child of children) child.settlements.push(settlement)
    const waiting = batch.settlements.splice(0)
    for (const each of waiting) {
      if (each.followParts === undefined) batch.settlements.push(each)
      else each.followParts(followed, batch.outcome)
    }
    return children
  }

  private halves(batch: Batch<P>, records: Uint8Array | null): Part[] {
    const regionBytes = records?.length ?? this.batches.sizeOf(batch.handle) - BATCH_HEADER_BYTES
    const limitBytes = Math.ceil(regionBytes / 2)
    const parts: Part[] = []
    let firstIndex = 0
    for (let position = 0; position < regionBytes; ) {
      const measured = this.batches.measure(batch.handle, records, position, limitBytes, INT32_MAX)
      if (measured === null) break
      const { end, count, batchBytes } = measured
      parts.push({ position, firstIndex, records: count, memory: new ArrayBuffer(batchBytes) })
      firstIndex += count
      position = end
    }
    if (firstIndex !== batch.recordCount) throw unreadable(batch, firstIndex)
    return parts
  }

  private kept(
    batch: Batch<P>,
    records: Uint8Array | null,
    refused: ReadonlyMap<number, KafkaError>,
  ): Part[] {
    const parts: Part[] = []
    let position = 0
    for (let index = 0; index < batch.recordCount; ) {
      const isRefused = refused.has(index)
      let end = index + 1
      while (end < batch.recordCount && refused.has(end) === isRefused) end++
      const measured = this.batches.measure(batch.handle, records, position, INT32_MAX, end - index)
      if (measured?.count !== end - index) throw unreadable(batch, index)
      const { count, batchBytes } = measured
      if (!isRefused)
        parts.push({ position, firstIndex: index, records: count, memory: new ArrayBuffer(batchBytes) })
      position = measured.end
      index = end
    }
    return parts
  }

  private childOf(parent: Batch<P>, handle: number, part: Part): Batch<P> {
    const { partition, createdMs } = parent
    const child = new Batch(handle, wholeOf(part.memory), partition, createdMs, this.codec === null)
    child.splitFrom(parent, part.firstIndex, part.records)
    return child
  }

  /** The records region as it was before the codec; null where none has changed it. */
  private decompressed(batch: Batch<P>): Uint8Array | null {
    const { codec } = this
    if (batch.codecId === 0 || codec === null) return null
    const { buffer, offset } = batch.memory
    const bytes = this.batches.sizeOf(batch.handle) - BATCH_HEADER_BYTES
    const compressed = new Uint8Array(buffer, offset + BATCH_HEADER_BYTES, bytes)
    return codec.decompress(compressed, batch.uncompressedBytes)
  }
}

function unreadable(batch: Batch, read: number): InternalError {
  return new InternalError(`A batch of ${batch.recordCount} records has ${read} that can be read.`)
}
