import type { RecordAccumulator } from '../../dist/accumulator/accumulator.js'
import type { Staging } from '../../dist/accumulator/append/staging.js'
import type { NativeCore } from '../../dist/native/addon.js'

/** What an accumulator keeps to itself, for tests that have to look at it or make it lie. */
export function partsOf(accumulator: RecordAccumulator): { core: NativeCore; staging: Staging } {
  const { core, appender } = accumulator as unknown as { core: NativeCore; appender: { staging: Staging } }
  return { core, staging: appender.staging }
}
