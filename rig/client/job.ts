import type { PayloadRange } from '../record.js'

/** What a client process is to do; its only argument, as JSON. */
export interface Job {
  bootstrapServers: string
  run: number
  /** Topic ids are the places in this list. With `partitions` they are the layout (layout.ts). */
  topics: readonly string[]
  partitions: number
  payload: PayloadRange
  /** Records to send unless told to stop earlier; then all are awaited. */
  records: number
  /** Records a second over all slots, `null` for as fast as the windows allow. */
  recordsPerSecond: number | null
  /** Records of one slot that may be unsettled; `null` for no limit. */
  window: number | null
  /**
   * Whether every topic has a free lane: records whose partition the producer chooses, by their key or without
   * one. They stand among those that name theirs. Millrace only.
   */
  hasFreeLanes: boolean
  /** Whether the next chunk of a slot waits until the one before is settled, for clients that keep no order else. */
  isSerial: boolean
  /** Whether sending starts by itself, or records are asked for one burst at a time. */
  isPaced: boolean
  /**
   * What services send: values are text (record.ts), every record has headers, of which one says its sequence, and
   * keys are text. Millrace and Java only.
   */
  isService: boolean
  /** What must be settled at the latest after this long: `delivery.timeout.ms` and 5 s. */
  graceMs: number
  /** Ways of sending, which change by chance within a chunk; clients other than millrace have one. */
  styles: readonly SendStyle[]
  /** The client's own options. */
  options: Readonly<Record<string, unknown>>
}

export type SendStyle = 'callback' | 'promise' | 'sendMany'

/** What a client process tells at its end. */
export interface ClientReport {
  versions: Record<string, string>
  /** Longest time that one slot with unsettled records went without an acknowledgement. */
  longestStallMs: number
  /** Longest time without any acknowledgement while records were unsettled. */
  longestBlackoutMs: number
  rssMaxBytes: number
  /** What the memory was made of when it was most; JavaScript clients only. */
  memoryAtMax?: Record<keyof NodeJS.MemoryUsage, number>
  seconds: number
  /** Waits of sends that were refused for want of memory, and whether those of each way were so in order. */
  blockedMs: { count: number; min: number; max: number; isInOrder: boolean }
  /** The first error by which the client says that it is broken itself; millrace only. */
  broken?: string
  /** Errors by their first words. */
  errors: Record<string, number>
}

/** Lines a client takes on standard input. */
export type ClientCommand = `burst ${number} ${number}` | `pace ${number}` | 'stop'
