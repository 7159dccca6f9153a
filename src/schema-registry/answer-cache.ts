interface Entry<T> {
  readonly value: T
  readonly expiresAtMs: number
}

/**
 * Answers to questions, the least recently used ones forgotten first, with one question in flight at a
 * time.
 */
export class AnswerCache {
  private readonly size: number
  private readonly answers = new Map<string, Entry<unknown>>()
  private readonly failures = new Map<string, Entry<Error>>()
  private readonly inFlight = new Map<string, Promise<unknown>>()

  constructor(size: number) {
    this.size = size
  }

  /**
   * The answer kept under `key`, else that of `ask`, which is asked once for all who want it meanwhile.
   * `ttlMs` says how long the answer is good, `failureTtlMs` how long a failure is.
   */
  get<T>(
    key: string,
    ttlMs: number,
    failureTtlMs: (error: unknown) => number,
    ask: () => Promise<T>,
  ): Promise<T> {
    const kept = this.fresh(this.answers, key)
    if (kept !== undefined) return Promise.resolve(kept.value as T)
    const failure = this.fresh(this.failures, key)
    if (failure !== undefined) return Promise.reject(failure.value)
    const asked = this.inFlight.get(key)
    if (asked !== undefined) return asked as Promise<T>
    const answer = this.ask(key, ttlMs, failureTtlMs, ask)
    this.inFlight.set(key, answer)
    return answer
  }

  /** Keeps what another question has told. */
  set(key: string, value: unknown, ttlMs: number): void {
    this.keep(this.answers, key, value, ttlMs)
  }

  /** Forgets all answers; questions in flight go on. */
  clear(): void {
    this.answers.clear()
    this.failures.clear()
  }

  private async ask<T>(
    key: string,
    ttlMs: number,
    failureTtlMs: (error: unknown) => number,
    ask: () => Promise<T>,
  ): Promise<T> {
    try {
      const value = await ask()
      this.keep(this.answers, key, value, ttlMs)
      return value
    } catch (error) {
      const forMs = failureTtlMs(error)
      if (forMs > 0 && error instanceof Error) this.keep(this.failures, key, error, forMs)
      throw error
    } finally {
      this.inFlight.delete(key)
    }
  }

  private fresh<T>(entries: Map<string, Entry<T>>, key: string): Entry<T> | undefined {
    const entry = entries.get(key)
    if (entry === undefined) return undefined
    entries.delete(key)
    if (entry.expiresAtMs <= performance.now()) return undefined
    entries.set(key, entry)
    return entry
  }

  private keep<T>(entries: Map<string, Entry<T>>, key: string, value: T, ttlMs: number): void {
    entries.delete(key)
    entries.set(key, { value, expiresAtMs: performance.now() + ttlMs })
    if (entries.size <= this.size) return
    const [oldest] = entries.keys()
    if (oldest !== undefined) entries.delete(oldest)
  }
}
