import type { NativeCore } from '../native/addon.js'
import type { AccumulatorOptions } from './accumulator-options.js'
import type { Staging } from './append/staging.js'
import type { Arena } from './batch/arena.js'

/** The native side of an accumulator: pool, open batches and appender, on memory that both sides see. */
export function createCore(options: AccumulatorOptions, arena: Arena, staging: Staging): NativeCore {
  return options.addon.createCore({
    arena: arena.buffer,
    slabBytes: arena.slabBytes,
    slabMarginBytes: arena.marginBytes,
    batchLimitBytes: options.batchBytes,
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
