import { BufferExhaustedError } from '../../errors/index.js'

/**
 * Bounds the copies of records that wait for metadata or memory (`maxBlockBytes`, an option of our own). Java
 * needs no such bound, because its `send` blocks the caller.
 */
export class WaitingBudget {
  readonly limitBytes: number
  private usedBytes = 0
  /** What records of one topic are refused with until some bytes have been given back. */
  private refusal: BufferExhaustedError | null = null
  /** Some bytes have been given back. Set by whoever waits for that. */
  onFreed: () => void = () => {}

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  get bytes(): number {
    return this.usedBytes
  }

  /**
   * Throws BufferExhaustedError where a record of that size may not wait: the same one for all records of a
   * topic, because a loop that does not wait has hundreds of thousands refused, and an error each takes more
   * memory than the records would.
   */
  check(bytes: number, topic: string): void {
    if (this.usedBytes + bytes <= this.limitBytes) return
    if (this.refusal?.topic !== topic) this.refusal = this.refuse(topic)
    throw this.refusal
  }

  take(bytes: number): void {
    this.usedBytes += bytes
  }

  giveBack(bytes: number): void {
    this.usedBytes -= bytes
    this.refusal = null
    this.onFreed()
  }

  private refuse(topic: string): BufferExhaustedError {
    return new BufferExhaustedError(
      `No room for a record to topic ${topic}: the records that wait already take ${this.usedBytes} of ` +
        `maxBlockBytes (${this.limitBytes} bytes). Wait for ready() where send answers false.`,
      { topic },
    )
  }
}
