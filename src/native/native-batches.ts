import { type NativeCore, Result } from './addon.js'

/** Some consecutive records of a batch. */
interface MeasuredRecords {
  /** Position after them in the records region. */
  readonly end: number
  readonly count: number
  /** Bytes of a batch that holds them, header included. */
  readonly batchBytes: number
}

/** What native code knows of batches, asked each time: nothing of it is kept on this side. */
export class NativeBatches {
  private readonly core: NativeCore
  private readonly result: Int32Array

  /** `result`: the words that the core fills. */
  constructor(core: NativeCore, result: Int32Array) {
    this.core = core
    this.result = result
  }

  /** Bytes of the batch so far, header included. */
  sizeOf(handle: number): number {
    this.core.describe(handle)
    return this.result[Result.SIZE] as number
  }

  /** Of the batch that `finish` has written last: bytes of its largest record, its length field included. */
  get largestRecordBytes(): number {
    return this.result[Result.LARGEST_RECORD] as number
  }

  /** Bytes of records that an open batch takes before it is closed or another partition is chosen. */
  roomOf(handle: number): number {
    this.core.describe(handle)
    return this.result[Result.ROOM] as number
  }

  /**
   * As many records from `position` on as make at most `limitBytes`, but at least one and at most
   * `recordsMax`. Null if there is no readable record. `records` is the region decompressed, null where it is
   * not compressed.
   */
  measure(
    handle: number,
    records: Uint8Array | null,
    position: number,
    limitBytes: number,
    recordsMax: number,
  ): MeasuredRecords | null {
    const end = this.core.measureChild(handle, records, position, limitBytes, recordsMax)
    if (end < 0) return null
    const { result } = this
    return { end, count: result[Result.INDEX] as number, batchBytes: result[Result.SIZE] as number }
  }
}
