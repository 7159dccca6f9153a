/**
 * Delay before attempt n + 1: `initial · 2ⁿ`, at most `max`, with ±20 % jitter.
 * Constant and without jitter where `max` is not above `initial` (Java: `ExponentialBackoff`).
 */
export class ExponentialBackoff {
  private readonly initialMs: number
  private readonly maxMs: number
  private readonly exponentMax: number
  private readonly random: () => number

  constructor(initialMs: number, maxMs: number, random: () => number = Math.random) {
    this.initialMs = Math.min(initialMs, maxMs)
    this.maxMs = maxMs
    this.exponentMax = maxMs > initialMs ? Math.log2(maxMs / Math.max(initialMs, 1)) : 0
    this.random = random
  }

  /** Milliseconds to wait after `attempts` failed attempts beyond the first (0 = after the first failure). */
  delayMs(attempts: number): number {
    if (this.exponentMax === 0) return this.initialMs
    const term = this.initialMs * 2 ** Math.min(attempts, this.exponentMax)
    const jitter = 0.8 + 0.4 * this.random()
    return Math.min(this.maxMs, Math.floor(jitter * term))
  }
}
