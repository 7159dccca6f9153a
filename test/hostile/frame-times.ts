import { Connection } from '../../dist/cluster/connection.js'

interface Patchable {
  onData(chunk: Uint8Array): void
}

/** Longest that one piece may hold the event loop. */
export const LOOP_HELD_MS_MAX = 50

/** How long the event loop was held for each piece that came in, while installed. */
export class FrameTimes {
  /** CPU time in ms, which other processes of the machine do not add to. */
  readonly cpuMs: number[] = []
  private readonly original: Patchable['onData']

  /** `onSlow` is told of each piece that took more than {@link LOOP_HELD_MS_MAX}. */
  constructor(onSlow: (chunk: Uint8Array) => void = () => {}) {
    const prototype = Connection.prototype as unknown as Patchable
    const { original, cpuMs } = { original: prototype.onData, cpuMs: this.cpuMs }
    this.original = original
    prototype.onData = function (this: Patchable, chunk) {
      const before = process.cpuUsage()
      original.call(this, chunk)
      const { user, system } = process.cpuUsage(before)
      const ms = (user + system) / 1000
      cpuMs.push(ms)
      if (ms > LOOP_HELD_MS_MAX) onSlow(chunk)
    }
  }

  restore(): void {
    ;(Connection.prototype as unknown as Patchable).onData = this.original
  }

  get longestMs(): number {
    return this.cpuMs.reduce((longest, ms) => Math.max(longest, ms), 0)
  }

  /** How many took longer. */
  over(ms: number): number {
    return this.cpuMs.filter(each => each > ms).length
  }
}
