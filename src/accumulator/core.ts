import type { NativeCore } from '../native/addon.js'
import type { AccumulatorOptions } from './accumulator-options.js'
import type { Staging } from './append/staging.js'
import type { Arena } from './batch/arena.js'

/** How many times `batch.size` a batch may have before it is compressed. */
const BATCH_SLABS_MAX = 16

/** The native side of an accumulator: pool, open batches and appender, on memory that both sides see. */
export function createCore(options: AccumulatorOptions, arena: Arena, staging: Staging): NativeCore {
  return options.addon.createCore({
    arena: arena.buffer,
    slabBytes: arena.slabBytes,
    slabMarginBytes: arena.marginBytes,
    batchLimitBytes: options.batchBytes,
    batchSlabsMax: options.codec === null ? 1 : slabsMax(arena),
    budgetBytes: options.bufferBytes,
    recordLimitBytes: options.maxRequestBytes,
    descriptors: staging.descriptors.buffer,
    places: staging.places.buffer,
    touched: staging.touched.buffer,
    staging: staging.bytes.buffer as ArrayBuffer,
    result: staging.result.buffer,
    fillFreed: options.fillFreed,
  })
}

/** Lengths on the native side are 31 bits long. */
function slabsMax({ slabBytes, marginBytes }: Arena): number {
  return Math.max(1, Math.min(BATCH_SLABS_MAX, Math.floor((2 ** 31 - 1) / (slabBytes + marginBytes))))
}
