import { ConfigError } from '../../errors/index.js'

/**
 * A slab is not cut smaller than this, whatever `batch.size` says, or their table would outgrow their bytes.
 */
const SLAB_BYTES_MIN = 1024
/**
 * In front of each slab, beyond `buffer.memory`: enough for the beginning of a Produce request with a client
 * id of usual length, and batches begin where a cache line does.
 */
const MARGIN_BYTES = 128

/** Where a batch stands. */
export interface BatchMemory {
  readonly buffer: ArrayBuffer
  readonly offset: number
  /** Bytes that are the batch's own. One that has grown beyond a slab may have more. */
  readonly bytes: number
  /** Bytes in front of the batch that are its own, too, for its requests to write to. */
  readonly marginBytes: number
}

/** The memory of a batch that has a buffer to itself. */
export function wholeOf(buffer: ArrayBuffer): BatchMemory {
  return { buffer, offset: 0, bytes: buffer.byteLength, marginBytes: 0 }
}

/** `buffer.memory` in one piece: slabs for one batch each, with a margin in front of each. */
export class Arena {
  readonly buffer: ArrayBuffer
  readonly slabBytes: number
  readonly marginBytes = MARGIN_BYTES
  private readonly slabs: (BatchMemory | undefined)[] = []

  /** Throws ConfigError where the runtime has no such buffer. */
  constructor(bufferBytes: number, batchBytes: number) {
    this.slabBytes = Math.max(batchBytes, SLAB_BYTES_MIN)
    const slabCount = Math.floor(bufferBytes / this.slabBytes)
    this.buffer = allocate(slabCount * (MARGIN_BYTES + this.slabBytes))
  }

  slab(handle: number): BatchMemory {
    let slab = this.slabs[handle]
    if (slab === undefined) {
      const { buffer, slabBytes: bytes, marginBytes } = this
      const offset = marginBytes + handle * (marginBytes + bytes)
      slab = { buffer, offset, bytes, marginBytes }
      this.slabs[handle] = slab
    }
    return slab
  }
}

function allocate(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes)
  } catch (cause) {
    throw new ConfigError(
      `buffer.memory: this runtime cannot allocate ${bytes} bytes in one piece; use a smaller value.`,
      'buffer.memory',
      { cause },
    )
  }
}
