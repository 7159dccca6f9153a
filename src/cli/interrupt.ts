/**
 * A terminal sends Ctrl-C to the whole process group and whoever started us may pass it on, so a second
 * signal counts as a second wish only after this long.
 */
const SAME_INTERRUPT_MS = 1_000

/**
 * Calls back on the first SIGINT or SIGTERM; a later one ends the process at once. Answers how to stop
 * listening.
 */
export function onInterrupt(callback: () => void): () => void {
  let firstAt: number | null = null
  const listener = (signal: NodeJS.Signals) => {
    if (firstAt === null) {
      firstAt = performance.now()
      callback()
    } else if (performance.now() - firstAt > SAME_INTERRUPT_MS) {
      process.exit(signal === 'SIGINT' ? 130 : 143)
    }
  }
  process.on('SIGINT', listener)
  process.on('SIGTERM', listener)
  return () => {
    process.off('SIGINT', listener)
    process.off('SIGTERM', listener)
  }
}
