/** The topics the client wants metadata of, each until it has not been asked for in a while. */
export class TrackedTopics {
  private readonly maxIdleMs: number
  /** Clock time at which a topic is forgotten. */
  private readonly deadlines = new Map<string, number>()
  /** Of these nothing has been heard yet. */
  private readonly fresh = new Set<string>()

  constructor(maxIdleMs: number) {
    this.maxIdleMs = maxIdleMs
  }

  /** Starts the topic's idle time anew; true if it was not tracked. */
  track(name: string, now: number): boolean {
    const isNew = !this.deadlines.has(name)
    this.deadlines.set(name, now + this.maxIdleMs)
    if (isNew) this.fresh.add(name)
    return isNew
  }

  has(name: string): boolean {
    return this.deadlines.has(name)
  }

  get hasFresh(): boolean {
    return this.fresh.size > 0
  }

  all(): Set<string> {
    return new Set(this.deadlines.keys())
  }

  allFresh(): Set<string> {
    return new Set(this.fresh)
  }

  /** A response to a request for these is there: what it did not say, a full update asks for. */
  answered(names: Iterable<string>): void {
    for (const name of names) this.fresh.delete(name)
  }

  /** Forgets what nobody asked for in time; topics nothing has been heard of yet stay. */
  expire(now: number): void {
    for (const [name, deadline] of this.deadlines) {
      if (deadline <= now && !this.fresh.has(name)) this.deadlines.delete(name)
    }
  }
}
