import { KafkaError, type RecordMetadata } from '../../../dist/index.js'

export const Way = { PROMISE: 0, CALLBACK: 1, MANY: 2 } as const
export type Way = (typeof Way)[keyof typeof Way]

export const Told = { NOTHING: 0, STORED: 1, FAILED: 2 } as const

export const WAY_NAMES = ['promise', 'callback', 'array'] as const

/** Where a key or value comes from; with its length it says all its bytes. */
export const Content = { NULL: 0, BYTES: 1, ASCII: 2, WIDE: 3, BARE: 4 } as const
export type Content = (typeof Content)[keyof typeof Content]

export const HeaderKind = { NONE: 0, OBJECT: 1, PAIRS: 2, IDENTITY: 3 } as const
export type HeaderKind = (typeof HeaderKind)[keyof typeof HeaderKind]

const GROWTH = 2

/**
 * What was sent and what its sender has been told, a row a record, by the number of the record. Columns, so
 * that a hundred thousand of them leave little to collect.
 */
export class Ledger {
  count = 0
  settled = 0
  /** What was told in ways that must not be: twice, or without a code. */
  readonly complaints: string[] = []
  readonly failures = new Map<number, KafkaError>()

  topic = new Uint8Array(1024)
  way = new Uint8Array(1024)
  /** Place in the order of the calls: a record sent from inside of another's getter stands before it. */
  order = new Float64Array(1024)
  /** -1: left to the producer. */
  partition = new Int32Array(1024)
  key = new Uint8Array(1024)
  keyNumber = new Int32Array(1024)
  value = new Uint8Array(1024)
  valueLength = new Int32Array(1024)
  headers = new Uint8Array(1024)
  /** NaN: left to the producer. */
  timestamp = new Float64Array(1024)
  /** Index of the transaction, -1 outside. */
  transaction = new Int32Array(1024)

  told = new Uint8Array(1024)
  toldPartition = new Int32Array(1024)
  toldOffset = new Float64Array(1024)
  toldTimestamp = new Float64Array(1024)
  toldKeyBytes = new Int32Array(1024)
  toldValueBytes = new Int32Array(1024)
  toldTopic: (string | undefined)[] = []

  private waiters: { until: number; resolve: () => void }[] = []

  /** The number of a new record. */
  next(): number {
    if (this.count === this.topic.length) this.grow()
    return this.count++
  }

  get unsettled(): number {
    return this.count - this.settled
  }

  stored(id: number, metadata: RecordMetadata): void {
    if (!this.settle(id, Told.STORED)) return
    this.toldTopic[id] = metadata.topic
    this.toldPartition[id] = metadata.partition
    this.toldOffset[id] = Number(metadata.offset)
    this.toldTimestamp[id] = metadata.timestamp
    this.toldKeyBytes[id] = metadata.serializedKeySize
    this.toldValueBytes[id] = metadata.serializedValueSize
  }

  failed(id: number, error: unknown): void {
    if (!this.settle(id, Told.FAILED)) return
    if (error instanceof KafkaError) this.failures.set(id, error)
    else this.complaints.push(`record ${id} failed without a code: ${String(error)}`)
  }

  /** Resolves once no more than so many records are unsettled. */
  async settledTo(unsettled: number): Promise<void> {
    if (this.unsettled <= unsettled) return
    await new Promise<void>(resolve => this.waiters.push({ until: this.count - unsettled, resolve }))
  }

  private settle(id: number, told: number): boolean {
    if (this.told[id] !== Told.NOTHING) {
      this.complaints.push(`record ${id} was settled twice`)
      return false
    }
    this.told[id] = told
    this.settled++
    if (this.waiters.length > 0) this.wake()
    return true
  }

  private wake(): void {
    const { settled } = this
    const due = this.waiters.filter(({ until }) => until <= settled)
    if (due.length === 0) return
    this.waiters = this.waiters.filter(({ until }) => until > settled)
    for (const { resolve } of due) resolve()
  }

  private grow(): void {
    const columns = this as unknown as Record<string, unknown>
    for (const [name, column] of Object.entries(columns)) {
      if (!ArrayBuffer.isView(column)) continue
      const from = column as Float64Array
      const grown = new (from.constructor as new (length: number) => Float64Array)(from.length * GROWTH)
      grown.set(from)
      columns[name] = grown
    }
  }
}
