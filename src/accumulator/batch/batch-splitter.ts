import type { Codec } from '../../compression/codec.js'
import { InternalError } from '../../errors/index.js'
import { type NativeCore, Result } from '../../native/addon.js'
import { wholeOf } from './arena.js'
import { Batch, BatchPhase } from './batch.js'
import { BATCH_HEADER_BYTES } from './batch-compressor.js'
import type { BatchOutcome, Settlement } from './delivery.js'
import { sequenceAfter } from './producer-id-and-epoch.js'

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
 * Their outcomes together are the batch's; who waits for it hears of it when the last part is settled.
 */
export class BatchSplitter {
  private readonly core: NativeCore
  private readonly result: Int32Array
  private readonly codec: Codec | null

  constructor(core: NativeCore, result: Int32Array, codec: Codec | null) {
    this.core = core
    this.result = result
    this.codec = codec
  }

  /** The parts, in order. Throws, with nothing changed, if records cannot be read or memory is lacking. */
  split(batch: Batch): Batch[] {
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

  private plan(batch: Batch, records: Uint8Array | null): Part[] {
    const { core, result } = this
    const regionBytes = records?.length ?? this.bytesOf(batch) - BATCH_HEADER_BYTES
    const limitBytes = Math.ceil(regionBytes / 2)
    const parts: Part[] = []
    let total = 0
    for (let position = 0; position < regionBytes; ) {
      const end = core.measureChild(batch.handle, records, position, limitBytes)
      if (end < 0) break
      const count = result[Result.INDEX] as number
      parts.push({ position, records: count, memory: new ArrayBuffer(result[Result.SIZE] as number) })
      total += count
      position = end
    }
    if (total !== batch.recordCount) {
      throw new InternalError(`A batch of ${batch.recordCount} records has ${total} that can be read.`)
    }
    return parts
  }

  private childOf(parent: Batch, handle: number, part: Part, firstIndex: number): Batch {
    const { partition, createdMs, producer } = parent
    const child = new Batch(handle, wholeOf(part.memory), partition, createdMs, this.codec === null)
    child.phase = BatchPhase.SEALED
    child.recordCount = part.records
    child.wasDrained = true
    child.attemptLeaderEpoch = parent.attemptLeaderEpoch
    child.mayBeStored = parent.mayBeStored
    child.producer = producer
    if (producer !== null) child.baseSequence = sequenceAfter(parent.baseSequence, firstIndex)
    return child
  }

  /** The records region as it was before the codec; null where none has changed it. */
  private decompressed(batch: Batch): Uint8Array | null {
    const { codec } = this
    if (batch.codecId === 0 || codec === null) return null
    const { buffer, offset } = batch.memory
    const bytes = this.bytesOf(batch) - BATCH_HEADER_BYTES
    const compressed = new Uint8Array(buffer, offset + BATCH_HEADER_BYTES, bytes)
    // Before it was compressed, the region was in the batch's memory too.
    return codec.decompress(compressed, batch.memory.bytes)
  }

  private bytesOf(batch: Batch): number {
    this.core.describe(batch.handle)
    return this.result[Result.SIZE] as number
  }
}
