/**
 * The hand-written types of the native boundary. `native/binding` implements exactly this.
 *
 * Numbers, strings and typed arrays cross it, never an object per record. One {@link NativeCore} serves one
 * producer: it owns the slab pool, the open batch of every partition, and the appender.
 */

/**
 * Answers of {@link NativeCore.drainStaged}, {@link NativeCore.drainRun} (why they stopped) and
 * {@link NativeCore.append}.
 */
export const AppendStatus = {
  OK: 0,
  /** No slab or budget left: nothing was written, wait until a batch is settled. */
  NO_MEMORY: 1,
  /** KIP-794: the topic's sticky partition has had its share; call setSticky, then go on. */
  CHOOSE_PARTITION: 2,
  /**
   * The record is larger than a slab and the budget has room: call provideLarge with `result[SIZE]` bytes,
   * repeat.
   */
  NEEDS_LARGE: 3,
  /**
   * Over the record limit given at creation (`max.request.size`); `result[SIZE]` is its upper bound in bytes.
   */
  TOO_LARGE: 4,
  /** The view's ArrayBuffer is detached. */
  DETACHED: 5,
  /** Key or value is neither string, Uint8Array nor null/undefined. */
  BAD_TYPE: 6,
  /** `close` has been called. */
  CLOSED: 7,
} as const

/**
 * Partition argument: by murmur2 of the key over all partitions of the topic (Java's `toPositive(hash) % n`).
 */
export const PARTITION_BY_KEY = -1
/** Partition argument: the topic's sticky partition. */
export const PARTITION_STICKY = -2

/** Of {@link Staged}: no place is promised. */
export const NO_BATCH = -1

/**
 * A staged record is ten int32 words in the staging descriptors, filled by JS.
 * The timestamp is a float64 over words 4 and 5. Key, value and encoded headers stand one after the other in
 * the staging bytes from OFFSET on; HEADER_BYTES 0 means none (native writes the zero count itself).
 * BATCH and INDEX are the place that JS has promised the record's owner, or {@link NO_BATCH}: native code
 * writes the record there or refuses the call.
 */
export const Staged = {
  WORDS: 10,
  TOPIC: 0,
  /** A partition, or PARTITION_BY_KEY / PARTITION_STICKY. */
  PARTITION: 1,
  /** Bytes, or -1 for null. */
  KEY_BYTES: 2,
  VALUE_BYTES: 3,
  TIMESTAMP: 4,
  /** Position in the staging bytes. */
  OFFSET: 6,
  /** Bytes of the encoded headers section. */
  HEADER_BYTES: 7,
  /** Handle of an open batch, or NO_BATCH. */
  BATCH: 8,
  /** The index that the record has to get in it. */
  INDEX: 9,
} as const

/**
 * A run of plain records, without headers, that share their topic and timestamp: one descriptor as above, of
 * which TOPIC, TIMESTAMP and PARTITION count, then two int32 words for each record. PARTITION is that of
 * records with a key, PARTITION_BY_KEY or PARTITION_STICKY; those without go to the sticky one. Keys and
 * values stand one after the other in the staging bytes.
 */
export const Run = {
  WORDS: 2,
  /** The first record's words. */
  FIRST: Staged.WORDS,
  /** Bytes, or -1 for null. */
  KEY_BYTES: 0,
  VALUE_BYTES: 1,
} as const

/** Where a staged record went: four int32 words per staged record, written by native code. */
export const Place = {
  WORDS: 4,
  /** Number of the record's batch among those touched by the call, counted from `touchBase`. */
  TOUCH: 0,
  /** The record's index in its batch. */
  INDEX: 1,
  KEY_BYTES: 2,
  VALUE_BYTES: 3,
} as const

/** A batch that a call has appended staged records to: five int32 words each, in order of first records. */
export const Touched = {
  WORDS: 5,
  BATCH: 0,
  /** Index of the call's first record in the batch: 0 if the batch is new. */
  FIRST_INDEX: 1,
  /** Records the call has appended to it. */
  RECORDS: 2,
  TOPIC: 3,
  PARTITION: 4,
} as const

/** Words of the shared result array, written by every append and by {@link NativeCore.describe}. */
export const Result = {
  WORDS: 16,
  BATCH: 0,
  INDEX: 1,
  PARTITION: 2,
  KEY_BYTES: 3,
  VALUE_BYTES: 4,
  /** Upper bound of the record's batch size in bytes: NEEDS_LARGE, TOO_LARGE. */
  SIZE: 5,
  /** Batches that drainStaged or drainRun has appended to. */
  TOUCHED: 6,
  /** Of drainRun: where the bytes begin of the first record that it has not appended. */
  POSITION: 7,
  /** Of describe: bytes of records that an open batch takes before it is closed or another is chosen. */
  ROOM: 8,
  /**
   * Of drainRun: 1 if all records it has appended are of one size and went to the sticky partition, so that
   * they stand one after another in the touched batches, in the order of those; else 0.
   */
  CONSECUTIVE: 9,
  /** Of describe: bytes of the batch's largest record, its length field included. */
  LARGEST_RECORD: 10,
} as const

export interface NativeCoreOptions {
  /**
   * One ArrayBuffer of slabCount × (slabMarginBytes + slabBytes): each slab has its margin in front of it.
   * Kept alive by the core.
   */
  arena: ArrayBuffer
  slabBytes: number
  /** Bytes in front of each slab that native code neither reads nor writes. */
  slabMarginBytes: number
  /** A batch is closed for appends once it holds this many bytes (`batch.size`, at most slabBytes). */
  batchLimitBytes: number
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
   * Writes header and CRC over a sealed batch and returns its size in bytes. The producer id is two int32
   * halves. May be repeated with other values while no reader is pinned (epoch bump).
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
   * Replaces a sealed batch's records region by its compressed form; false if it does not fit (unchanged).
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

/** Both write one frame into `output`, of at least `zstdBound(input.length)` bytes, and tell its size. */
interface ZstdEncoder {
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
  /** Java's murmur2 (seed 0x9747b28c) of bytes or of a string's UTF-8, as int32. */
  murmur2(key: string | Uint8Array): number
  /** CRC-32C of the bytes, continued from `seed` (default 0), as uint32. */
  crc32c(bytes: Uint8Array, seed?: number): number
  /**
   * Encodes at most 64 KiB as one raw LZ4 block at the start of `output`, whose length is at least
   * `input.length + input.length / 255 + 32`. Returns the block's size.
   */
  lz4Block(input: Uint8Array, output: Uint8Array): number
  /**
   * Decodes one raw LZ4 block of any size into `output`, which must not overlap it. Returns the bytes
   * written; {@link LZ4_MALFORMED} or {@link LZ4_TOO_LARGE} where the block is none, or holds more than
   * `output` takes.
   */
  lz4Decode(block: Uint8Array, output: Uint8Array): number
  /** An encoder of zstd's level (-131072 to 22; 0 is 3) that keeps its contexts between calls. */
  createZstdEncoder(level: number): ZstdEncoder
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
