import type { Clock } from '../../common/clock.js'

/** Readings in a row, each at most a millisecond after the one before, that make sending dense. */
const DENSE_READINGS = 32
/** Records that share a reading while sending is dense. */
const RECORDS_PER_READING = 8
const DENSE_MS = 1

/**
 * The timestamps of records that bring none. Reading the time costs as much as hashing a key, so while many
 * records are sent in one turn of the event loop, within a millisecond each, every eighth of them reads it.
 * A caller that sends some dozen records at once and then computes for long without leaving the loop has at
 * most seven records dated back by that.
 */
export class RecordClock {
  private readonly clock: Clock
  private readMs = Number.NEGATIVE_INFINITY
  private denseReadings = 0
  /** Records that may still use the last reading. */
  private left = 0
  private endsWithTurn = false
  private readonly endTurn = () => {
    this.endsWithTurn = false
    this.denseReadings = 0
    this.left = 0
  }

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Milliseconds since the epoch, never before those of the record before unless the system's clock is. */
  now(): number {
    if (this.left === 0) return this.read()
    this.left--
    return this.readMs
  }

  /** As {@link now}, for the records of an array, which share one reading among themselves. */
  read(): number {
    const nowMs = this.clock.wallNow()
    const isDense = Math.abs(nowMs - this.readMs) <= DENSE_MS
    this.denseReadings = isDense ? this.denseReadings + 1 : 0
    this.readMs = nowMs
    this.left = 0
    if (this.denseReadings >= DENSE_READINGS) this.share()
    return nowMs
  }

  private share(): void {
    this.left = RECORDS_PER_READING - 1
    if (this.endsWithTurn) return
    this.endsWithTurn = true
    this.clock.setImmediate(this.endTurn)
  }
}
