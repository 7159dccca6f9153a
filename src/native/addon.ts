/**
 * The hand-written types of the native boundary. `native/binding` implements exactly this.
 *
 * Numbers, strings and typed arrays cross it, never an object per record. One {@link NativeCore} serves one
 * producer: it owns the slab pool, the open batch of every partition, and the appender.
 */

export * from './abi.js'

export interface NativeCoreOptions {
  /**
   * One ArrayBuffer of slabCount × (slabMarginBytes + slabBytes): each slab has its margin in front of it.
   * Kept alive by the core.
   */
  arena: ArrayBuffer
  slabBytes: number
  /** Bytes in front of each slab that native code neither reads nor writes. */
  slabMarginBytes: number
  /**
   * A batch is closed for appends once it holds this many bytes (`batch.size`, at most slabBytes). Those of a
   * topic may become larger: see `setBatchLimit`.
   */
  batchLimitBytes: number
  /** Slabs side by side that one batch may grow to, 1 … 32. */
  batchSlabsMax: number
  /** `buffer.memory`: slabs in use × slabBytes + large allocations never exceed it. */
  budgetBytes: number
  /** `max.request.size`: upper bound of one record's size in bytes. */
  recordLimitBytes: number
  /** Staged descriptors: Int32Array of Staged.WORDS × capacity over its own ArrayBuffer. */
  descriptors: ArrayBuffer
  /** Int32Array of Place.WORDS × capacity. */
  places: ArrayBuffer
  /** Int32Array of Touched.WORDS × capacity. */
  touched: ArrayBuffer
  /** Staged bytes; also holds the encoded headers of a direct append, from position 0. */
  staging: ArrayBuffer
  /** Int32Array of Result.WORDS. */
  result: ArrayBuffer
  /** Fill freed slabs with 0xDD, so that a read after free is visible in tests. */
  fillFreed: boolean
}

/** Bytes given by a caller: a string is UTF-8, null and undefined are null. */
export type NativeBytes = string | Uint8Array | null | undefined

export interface NativeCore {
  /** Makes the topic known under a handle (0, 1, 2 …, given by the caller) or raises its partition count. */
  setTopic(topic: number, partitionCount: number): void
  /**
   * How many bytes the next batches of the topic may have, and how many go to a sticky partition chosen from
   * now on. At least `batchLimitBytes`, at most `recordLimitBytes` and what `batchSlabsMax` slabs hold.
   * A batch grows only while the slabs behind it are free.
   */
  setBatchLimit(topic: number, limitBytes: number): void
  /** Sets the sticky partition and resets the bytes produced to it. */
  setSticky(topic: number, partition: number): void
  /**
   * Appends staged records `first` … `first + count - 1` in order, tells their places and lists the batches
   * touched, which places number from `touchBase` on.
   * Returns `processed * 8 + AppendStatus`; a status other than OK concerns record `first + processed`.
   * Throws a RangeError, before it writes the record, for one that does not go to the place promised for it.
   */
  drainStaged(first: number, count: number, touchBase: number): number
  /** As `drainStaged`, for the records of a run; the bytes of `first` begin at `position`. */
  drainRun(first: number, count: number, touchBase: number, position: number): number
  /**
   * Appends one record directly; `headerBytes` of encoded headers stand at the start of the staging bytes.
   */
  append(
    topic: number,
    partition: number,
    timestampMs: number,
    key: NativeBytes,
    value: NativeBytes,
    headerBytes: number,
  ): number
  /** Memory for the batch of the record that answered NEEDS_LARGE; used (and kept) by the next append. */
  provideLarge(memory: ArrayBuffer): void
  /** Closes a batch for appends; a no-op on a sealed one. */
  seal(batch: number): void
  /**
   * Writes header and CRC over a sealed batch and returns its size in bytes; that of its largest record is in
   * `result[LARGEST_RECORD]`. The producer id is two int32 halves. May be repeated with other values while
   * no reader is pinned (epoch bump).
   */
  finish(
    batch: number,
    producerIdHigh: number,
    producerIdLow: number,
    producerEpoch: number,
    baseSequence: number,
    attributes: number,
  ): number
  /**
   * Replaces a sealed batch's records region by its compressed form, and gives back the slabs that are not
   * needed any more; false if it does not fit (unchanged).
   */
  replaceRecords(batch: number, compressed: Uint8Array): boolean
  /**
   * How much of a sealed batch's records a batch of its own may take: those from byte `position` of the
   * records region on, as many as make at most `limitBytes` without header, but at least one and at most
   * `recordsMax` (no limit if left out). Fills the
   * result: INDEX (their number), SIZE (of their batch, header included). Returns the position after them; -1
   * if there is no readable record. `records` is the region decompressed, null where it is not compressed.
   */
  measureChild(
    batch: number,
    records: Uint8Array | null,
    position: number,
    limitBytes: number,
    recordsMax?: number,
  ): number
  /**
   * Writes `count` records from `position` on, as measured, into memory of exactly their batch's size.
   * Returns the handle of the new sealed batch, which takes over as much of the old one's charge.
   */
  splitOff(
    batch: number,
    records: Uint8Array | null,
    position: number,
    count: number,
    memory: ArrayBuffer,
  ): number
  /**
   * Fills the result: BATCH, INDEX (record count), PARTITION, SIZE (bytes so far, header included), ROOM,
   * LARGEST_RECORD.
   */
  describe(batch: number): void
  /** A socket or codec starts to read the batch. Only sealed batches can be pinned. */
  pin(batch: number): void
  /** It has stopped reading. True if the memory went back to the pool. */
  unpin(batch: number): boolean
  /**
   * The batch's outcome is decided. True if the memory went back to the pool (else the last unpin does it).
   */
  settle(batch: number): boolean
  /** Bytes of `buffer.memory` not in use. */
  availableBytes(): number
  /** No more appends; staged and open batches stay valid until settled. */
  close(): void
}

/** Of {@link NativeAddon.lz4Decode}: the block breaks the format. */
export const LZ4_MALFORMED = -1
/** Of {@link NativeAddon.lz4Decode}: the output has no room for what the block holds. */
export const LZ4_TOO_LARGE = -2

/** Of {@link NativeAddon.snappyDecode}: the block breaks the format. */
export const SNAPPY_MALFORMED = -1
/** Of {@link NativeAddon.snappyDecode}: the output has no room for what the block holds. */
export const SNAPPY_TOO_LARGE = -2

/** Both write one frame or member into `output`, and tell its size. */
export interface NativeEncoder {
  encode(input: Uint8Array, output: Uint8Array): number
  /**
   * As `encode`, on a thread of the runtime's pool. Until the promise is settled neither array may be
   * changed, nor its buffer be detached.
   */
  encodeOnThread(input: Uint8Array, output: Uint8Array): Promise<number>
}

/** What the addon exports. */
export interface NativeAddon {
  createCore(options: NativeCoreOptions): NativeCore
  /**
   * Detaches an ArrayBuffer that nothing reads or writes any more: its memory is free at once, and not when
   * the collector comes by, before which several times `buffer.memory` may be waiting for it.
   */
  freeBuffer(buffer: ArrayBuffer): void
  /** Java's murmur2 (seed 0x9747b28c) of bytes or of a string's UTF-8, as int32. */
  murmur2(key: string | Uint8Array): number
  /** CRC-32C of the bytes, continued from `seed` (default 0), as uint32. */
  crc32c(bytes: Uint8Array, seed?: number): number
  /**
   * Encodes at most 64 KiB as one raw LZ4 block at the start of `output`, whose length is at least
   * `input.length + input.length / 255 + 32`. Returns the block's size.
   */
  lz4Block(input: Uint8Array, output: Uint8Array): number
  /** A function as `lz4Block` with a level of 1 to 17: less output, in more time. It keeps about a MiB. */
  createLz4HcEncoder(): (input: Uint8Array, output: Uint8Array, level: number) => number
  /**
   * Decodes one raw LZ4 block of any size into `output`, which must not overlap it. Returns the bytes
   * written; {@link LZ4_MALFORMED} or {@link LZ4_TOO_LARGE} where the block is none, or holds more than
   * `output` takes.
   */
  lz4Decode(block: Uint8Array, output: Uint8Array): number
  /**
   * Encodes the input 32 KiB at a time: each raw Snappy block stands after its size, an int32 big-endian.
   * `output` has at least `input.length + input.length / 60 + (input.length / 32768 + 1) * 40` bytes, the
   * quotients rounded down. Returns the bytes written.
   */
  snappyChunks(input: Uint8Array, output: Uint8Array): number
  /**
   * Decodes one raw Snappy block of any size into `output`, which must not overlap it. Returns the bytes
   * written; {@link SNAPPY_MALFORMED} or {@link SNAPPY_TOO_LARGE} where the block is none, or holds more than
   * `output` takes.
   */
  snappyDecode(block: Uint8Array, output: Uint8Array): number
  /**
   * An encoder of gzip that keeps its contexts between calls, about 300 KiB each. Its `output` has at least
   * `input.length + (input.length / 32768 + 1) * 8 + 64` bytes, the quotient rounded down.
   */
  createGzipEncoder(): NativeEncoder
  /**
   * An encoder of zstd's level (-131072 to 22; 0 is 3) that keeps its contexts between calls. Its `output`
   * has at least `zstdBound(input.length)` bytes.
   */
  createZstdEncoder(level: number): NativeEncoder
  /** The size of a zstd frame of `inputBytes` bytes, at most. */
  zstdBound(inputBytes: number): number
  /**
   * Decodes zstd frames one after another, skippable ones included, into `output`. Returns the bytes written.
   * Throws an `Error` whose message is zstd's own where they are cut, corrupt or hold more than that.
   */
  zstdDecode(input: Uint8Array, output: Uint8Array): number
  /** The version of the zstd that is compiled in, such as `1.5.7`. */
  readonly zstdVersion: string
  /** The CRC32C implementation picked at run time: `avx512`, `sse4.2`, `armv8` or `table`. */
  readonly crc32cImplementation: string
  readonly version: string
}
