/** The topics the client wants metadata of, each until it has not been asked for in a while. */
export class TrackedTopics {
  private readonly maxIdleMs: number
  /** Clock time of the last `track` of each topic. */
  private readonly trackedAtMs = new Map<string, number>()
  /** Of these nothing has been heard yet. */
  private readonly fresh = new Set<string>()

  constructor(maxIdleMs: number) {
    this.maxIdleMs = maxIdleMs
  }

  /** Starts the topic's idle time anew; true if it was not tracked. */
  track(name: string, now: number): boolean {
    const isNew = !this.trackedAtMs.has(name)
    this.trackedAtMs.set(name, now)
    if (isNew) this.fresh.add(name)
    return isNew
  }

  get size(): number {
    return this.trackedAtMs.size
  }

  has(name: string): boolean {
    return this.trackedAtMs.has(name)
  }

  get hasFresh(): boolean {
    return this.fresh.size > 0
  }

  all(): Set<string> {
    return new Set(this.trackedAtMs.keys())
  }

  allFresh(): Set<string> {
    return new Set(this.fresh)
  }

  /** A response to a request for these is there: what it did not say, a full update asks for. */
  answered(names: Iterable<string>): void {
    for (const name of names) this.fresh.delete(name)
  }

  /**
   * Forgets topics that are idle. Those in use stay (`lastUseMs`: when each last was, Infinity while
   * something of it is on its way), and those that no response has named yet.
   */
  expire(now: number, lastUseMs: (name: string) => number): void {
    for (const [name, trackedAtMs] of this.trackedAtMs) {
      const idleSinceMs = Math.max(trackedAtMs, lastUseMs(name))
      if (idleSinceMs + this.maxIdleMs <= now && !this.fresh.has(name)) this.trackedAtMs.delete(name)
    }
  }
}
