import type { Appender } from '../../accumulator/append/appender.js'
import type { WaitingBudget } from '../../accumulator/append/waiting-budget.js'
import { abortable } from '../../common/abort.js'

/** Whether there is room for more records, and who waits for it: the producer's backpressure. */
export class Room {
  private readonly appender: Appender
  private readonly budget: WaitingBudget
  private readonly bufferBytes: number
  private waiters: (() => void)[] = []

  constructor(appender: Appender, budget: WaitingBudget, bufferBytes: number) {
    this.appender = appender
    this.budget = budget
    this.bufferBytes = bufferBytes
    budget.onFreed = () => this.freed()
  }

  /**
   * False while records wait for memory, or more than `buffer.memory` of them for metadata: what is sent now
   * is copied and waits behind them.
   */
  get isThere(): boolean {
    // Asked after each record, so the short way must be short enough to be inlined: what waits takes bytes.
    return this.budget.bytes === 0 || this.isLeft
  }

  private get isLeft(): boolean {
    return this.budget.bytes < this.bufferBytes && !this.appender.hasWaiting
  }

  /** Resolves when there is room. */
  ready(signal: AbortSignal | undefined): Promise<void> {
    if (this.isThere && signal?.aborted !== true) return Promise.resolve()
    return abortable(new Promise<void>(resolve => this.waiters.push(resolve)), signal)
  }

  private freed(): void {
    if (this.waiters.length === 0 || !this.isThere) return
    const { waiters } = this
    this.waiters = []
    for (const resolve of waiters) resolve()
  }
}
