// Made from native/core/abi.h by scripts/abi.mjs. Change it there.

/** Answers of drainStaged and drainRun (why they stopped) and of append. */
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
   * Over the record limit given at creation (max.request.size); `result[SIZE]` is its upper bound in bytes.
   */
  TOO_LARGE: 4,
  /** The view's ArrayBuffer is detached. */
  DETACHED: 5,
  /** Key or value is neither string, Uint8Array nor null/undefined. */
  BAD_TYPE: 6,
  /** `close` has been called. */
  CLOSED: 7,
} as const

/** Bits of the answer to a drain that hold its status; the others count the records it has written. */
export const DRAIN_STATUS_BITS = 3

/**
 * Partition argument: by murmur2 of the key over all partitions of the topic (Java's `toPositive(hash) %
 * n`).
 */
export const PARTITION_BY_KEY = -1

/** Partition argument: the topic's sticky partition. */
export const PARTITION_STICKY = -2

/** Of a staged record: no place is promised. */
export const NO_BATCH = -1

/**
 * A staged record. Key, value and encoded headers stand one after the other in the staging bytes from
 * OFFSET on.
 */
export const Staged = {
  WORDS: 10,
  TOPIC: 0,
  /** A partition, PARTITION_BY_KEY or PARTITION_STICKY. */
  PARTITION: 1,
  /** Bytes, or -1 for null. */
  KEY_BYTES: 2,
  /** Bytes, or -1 for null. */
  VALUE_BYTES: 3,
  /** A float64 over two words. */
  TIMESTAMP: 4,
  /** Position in the staging bytes. */
  OFFSET: 6,
  /** Bytes of the encoded headers section; 0 for none, native code writes the zero count itself. */
  HEADER_BYTES: 7,
  /**
   * The place that JavaScript has promised: the handle of an open batch, or NO_BATCH. Native code writes
   * the record there or refuses the call.
   */
  BATCH: 8,
  /** The index that the record has to get in it. */
  INDEX: 9,
} as const

/**
 * A run of records that share topic and time: one descriptor as above, of which TOPIC, TIMESTAMP, PARTITION
 * and HEADER_BYTES count, then three words for each record. PARTITION is that of records with a key; those
 * without go to the sticky one. HEADER_BYTES of the descriptor is 0 where no record has headers: the words
 * of the records are not read then. Key, value and encoded headers stand one after the other in the staging
 * bytes.
 */
export const Run = {
  WORDS: 3,
  /** The first record's words. */
  FIRST: 10,
  /** Bytes, or -1 for null. */
  KEY_BYTES: 0,
  /** Bytes, or -1 for null. */
  VALUE_BYTES: 1,
  /** As of a staged record. Read only where the descriptor says that some record has headers. */
  HEADER_BYTES: 2,
} as const

/** Where a staged record went, written by native code. */
export const Place = {
  WORDS: 4,
  /** Number of the record's batch among those touched by the call, counted from `touchBase`. */
  TOUCH: 0,
  /** The record's index in its batch. */
  INDEX: 1,
  KEY_BYTES: 2,
  VALUE_BYTES: 3,
} as const

/** A batch that a call has appended staged records to, in the order of first records. */
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

/** The shared result array, written by every append and by describe. */
export const Result = {
  WORDS: 16,
  BATCH: 0,
  INDEX: 1,
  PARTITION: 2,
  KEY_BYTES: 3,
  VALUE_BYTES: 4,
  /** Upper bound of the record's batch size in bytes: NEEDS_LARGE, TOO_LARGE. Of describe: bytes so far. */
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
  /** Of describe and finish: bytes of the batch's largest record, its length field included. */
  LARGEST_RECORD: 10,
} as const
