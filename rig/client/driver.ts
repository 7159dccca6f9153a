import { createInterface } from 'node:readline'
import { FrameKind, FrameWriter } from '../frames.js'
import { freeSlotOf, slotsOf } from '../layout.js'
import { PLACE_UNKNOWN, placeOf } from '../place.js'
import { Random } from '../random.js'
import { FREE_PARTITION, RecordFactory } from '../record.js'
import type { ClientReport, Job, SendStyle } from './job.js'
import { Outcomes } from './outcomes.js'

const TICK_MS = 5
/** Records of one slot that are sent one after the other before the next slot has its turn. */
const CHUNK_RECORDS = 64
/** One chunk in so many has as many records of the topic's free lane among those that name the partition. */
const MIXED_ONCE_IN = 4
/** Records that are sent in one way before the next one is chosen; an array has as many. */
const STRETCHES = [1, 1, 2, 3, 8, CHUNK_RECORDS]
/** Of the records of a free lane, one in so many has a key. */
const KEYED_ONCE_IN = 3
const REPORT_EVERY_MS = 100
/** A stall of the rig itself must not look like a credit for more records than a second's. */
const CREDIT_SECONDS_MAX = 30

/** How a record says where it is to go. */
export type Wish = 'named' | 'keyed' | 'sticky'

/** Records of one topic that are sent one after the other and in one way, as an adapter is given them. */
export interface Stretch {
  topic: string
  /** For the records that name it. */
  partition: number
  values: readonly Buffer[]
  wishes: readonly Wish[]
  style: SendStyle
}

/** What a client's own API has to be translated to. */
export interface Adapter {
  versions: Record<string, string>
  /** Whether the values may be overwritten as soon as `send` has returned. */
  copies: boolean
  connect(): Promise<void>
  /** Sends the records in order; `settle` is called once for each. Must not throw. */
  send(stretch: Stretch, settle: Settle): void
  close(): Promise<void>
  /** Whether a record that failed so is certainly not stored. */
  isDefinite(error: Error): boolean
  /** Whether the error says that there was no memory in time. */
  isExhausted?(error: Error): boolean
  /** Whether the error says that the client itself is broken. */
  isInternal?(error: Error): boolean
}

/**
 * `index` is that in the stretch, `offset` is -1 where it is unknown; `error` is null for an acknowledgement.
 */
export type Settle = (index: number, partition: number, offset: number, error: Error | null) => void

interface Slot {
  readonly topicId: number
  /** {@link FREE_PARTITION} for a free lane. */
  readonly partition: number
  readonly outcomes: Outcomes
  sent: number
  settled: number
  /** Records it may send as far as the pace goes. */
  credit: number
  /** When the slot last made progress: was acknowledged, or had nothing unsettled. */
  progressAt: number
}

/** A record in a chunk. */
interface Entry {
  readonly slot: Slot
  readonly sequence: number
  readonly wish: Wish
}

/**
 * Sends self-describing records through an adapter, at a pace, and reports what became of each on standard
 * output. The same for all clients, so that they are measured alike.
 */
export class Driver {
  private readonly job: Job
  private readonly adapter: Adapter
  private readonly factory: RecordFactory
  private readonly slots: Slot[]
  private readonly out: FrameWriter
  private readonly startedAt = performance.now()
  private now = performance.now()
  private sent = 0
  private settled = 0
  private stretches = 0
  private progressAt = performance.now()
  private creditAt = performance.now()
  private recordsPerSecond: number | null
  private next = 0
  private isStopping = false
  private isTicking = false
  private readonly report: ClientReport
  /** When the record was sent that was refused last, by the way of sending. */
  private readonly lastRefused = new Map<SendStyle, number>()
  private readonly random: Random
  private scratch = Buffer.alloc(0)
  /** Views of the scratch memory by their place in a chunk: an object per record is garbage that counts. */
  private readonly views: Buffer[] = []
  /** The error told last, and its words: one error may be that of many records. */
  private lastError: Error | null = null
  private lastWords = ''
  private onDone: () => void = () => {}

  constructor(job: Job, adapter: Adapter) {
    this.job = job
    this.adapter = adapter
    this.recordsPerSecond = job.recordsPerSecond
    this.factory = new RecordFactory(job.run, job.payload)
    this.out = new FrameWriter(bytes => process.stdout.write(bytes))
    this.random = new Random(job.run)
    const named = slotsOf(job, false)
    this.slots = Array.from({ length: slotsOf(job, job.hasFreeLanes) }, (_, slot) => ({
      topicId: slot < named ? Math.floor(slot / job.partitions) : slot - named,
      partition: slot < named ? slot % job.partitions : FREE_PARTITION,
      outcomes: new Outcomes(slot, this.out),
      sent: 0,
      settled: 0,
      credit: 0,
      progressAt: this.now,
    }))
    this.report = {
      versions: adapter.versions,
      longestStallMs: 0,
      longestBlackoutMs: 0,
      rssMaxBytes: 0,
      seconds: 0,
      blockedMs: { count: 0, min: Infinity, max: 0, isInOrder: true },
      errors: {},
    }
  }

  /** Ends when everything is settled, or the grace is over. */
  async run(): Promise<void> {
    this.listen()
    await this.adapter.connect()
    const done = new Promise<void>(resolve => {
      this.onDone = resolve
    })
    this.out.note({ ready: true, versions: this.adapter.versions })
    this.creditAt = performance.now()
    const reporting = setInterval(() => this.tell(), REPORT_EVERY_MS)
    const ticking = setInterval(() => this.tick(), TICK_MS)
    await done
    clearInterval(ticking)
    this.report.seconds = (performance.now() - this.startedAt) / 1000
    const closed = await withTimeout(this.adapter.close(), this.job.graceMs)
    clearInterval(reporting)
    this.tell()
    if (!closed) this.report.errors['close did not end'] = 1
    this.out.note({ report: this.report })
    await new Promise(resolve => process.stdout.write('', resolve))
  }

  private listen(): void {
    createInterface({ input: process.stdin }).on('line', line => {
      const [word, ...numbers] = line.split(' ')
      if (word === 'stop') this.stop()
      else if (word === 'pace') this.setPace(Number(numbers[0]))
      else if (word === 'burst') this.burst(Number(numbers[0]), Number(numbers[1]))
    })
  }

  private setPace(recordsPerSecond: number): void {
    this.recordsPerSecond = recordsPerSecond
    // Nothing is owed from the time before, least of all what was unlimited.
    for (const slot of this.slots) slot.credit = 0
  }

  private burst(slot: number, records: number): void {
    this.now = performance.now()
    for (let left = records; left > 0; left -= CHUNK_RECORDS)
      this.sendChunk(this.slots[slot] as Slot, Math.min(left, CHUNK_RECORDS))
    this.tell()
  }

  private stop(): void {
    if (this.isStopping) return
    this.isStopping = true
    setTimeout(() => this.onDone(), this.job.graceMs)
    this.checkDone()
  }

  private checkDone(): void {
    if (this.settled < this.sent) return
    if (this.isStopping) this.onDone()
    // Whoever asked for a burst waits for its end.
    else if (!this.job.isPaced) setImmediate(() => this.tell())
  }

  private tick(): void {
    this.now = performance.now()
    if (!this.job.isPaced || this.isStopping) return
    if (this.isTicking) return
    this.isTicking = true
    try {
      this.sendAllowed()
    } finally {
      this.isTicking = false
    }
  }

  /** Sends what pace and windows allow, chunk by chunk in rotation. */
  private sendAllowed(): void {
    this.earnCredit()
    // A turn is bounded, or an unlimited pace would never let the sockets have theirs.
    const turnEnds = this.now + TICK_MS * 4
    for (let idle = 0; idle < this.slots.length && performance.now() < turnEnds; ) {
      const slot = this.slots[this.next] as Slot
      this.next = (this.next + 1) % this.slots.length
      const room = this.roomOf(slot)
      if (room < 1) {
        idle++
        continue
      }
      idle = 0
      this.sendChunk(slot, Math.min(room, CHUNK_RECORDS))
    }
    if (this.sent >= this.job.records) this.stop()
  }

  /** Every slot has its own share of the pace: what one does not use the others do not get. */
  private earnCredit(): void {
    const rate = this.recordsPerSecond === null ? Infinity : this.recordsPerSecond / this.slots.length
    const earned = ((this.now - this.creditAt) / 1000) * rate
    this.creditAt = this.now
    for (const slot of this.slots) {
      slot.credit = rate === Infinity ? Infinity : Math.min(slot.credit + earned, rate * CREDIT_SECONDS_MAX)
    }
  }

  /** Records that the slot may send now. */
  private roomOf({ sent, settled, credit }: Slot): number {
    const { window, records, isSerial, isPaced } = this.job
    if (isSerial && settled < sent) return 0
    const room = window === null ? Infinity : window - (sent - settled)
    return Math.floor(Math.min(room, records - this.sent, isPaced ? credit : Infinity))
  }

  /** Sends the next records of a slot; now and then some of the topic's free lane stand among them. */
  private sendChunk(slot: Slot, records: number): void {
    const entries = this.take(slot, records)
    const values: Buffer[] = []
    let bytes = 0
    for (const { slot: home, sequence } of entries) bytes += this.factory.sizeOf(home.partition, sequence)
    const memory = this.memoryFor(bytes)
    let at = 0
    for (const [i, { slot: home, sequence }] of entries.entries()) {
      const size = this.factory.write(memory, at, home.topicId, home.partition, sequence)
      values.push(this.viewOf(memory, i, at, size))
      at += size
    }
    const { styles } = this.job
    for (let from = 0; from < entries.length; ) {
      const count = styles.length === 1 ? entries.length : this.random.pick(STRETCHES)
      const end = Math.min(from + count, entries.length)
      this.sendStretch(slot, entries.slice(from, end), values.slice(from, end), this.random.pick(styles))
      from = end
    }
  }

  /** What the next chunk is made of; from here on its records count as sent. */
  private take(slot: Slot, records: number): Entry[] {
    const free = this.companionOf(slot)
    const room = free === null ? 0 : Math.min(this.roomOf(free), this.job.records - this.sent - records)
    let left = records
    let freeLeft = Math.max(0, Math.min(records, room))
    const entries: Entry[] = []
    while (left + freeLeft > 0) {
      const isCompanion = this.random.integer(1, left + freeLeft) <= freeLeft
      if (isCompanion) freeLeft--
      else left--
      entries.push(this.takeOne(isCompanion ? (free as Slot) : slot))
    }
    return entries
  }

  private takeOne(slot: Slot): Entry {
    if (slot.settled === slot.sent) slot.progressAt = this.now
    if (this.settled === this.sent) this.progressAt = this.now
    slot.credit--
    this.sent++
    const sequence = slot.sent++
    if (slot.partition !== FREE_PARTITION) return { slot, sequence, wish: 'named' }
    return { slot, sequence, wish: this.random.integer(1, KEYED_ONCE_IN) === 1 ? 'keyed' : 'sticky' }
  }

  /** The free lane whose records stand among this chunk's; null for none. */
  private companionOf(slot: Slot): Slot | null {
    if (!this.job.hasFreeLanes || slot.partition === FREE_PARTITION) return null
    if (this.random.integer(1, MIXED_ONCE_IN) !== 1) return null
    return this.slots[freeSlotOf(this.job, slot.topicId)] as Slot
  }

  private sendStretch(
    { topicId, partition }: Slot,
    entries: readonly Entry[],
    values: readonly Buffer[],
    style: SendStyle,
  ): void {
    const topic = this.job.topics[topicId] as string
    const wishes = entries.map(({ wish }) => wish)
    const sentAt = performance.now()
    const ordinal = this.stretches++
    // Tens of thousands of records wait at a time: two words of each are kept, not the entries.
    const slots = entries.map(({ slot }) => slot)
    const sequences = entries.map(({ sequence }) => sequence)
    this.adapter.send({ topic, partition, values, wishes, style }, (index, told, offset, error) => {
      if (error !== null) this.noteError(error, sentAt, style, ordinal)
      this.settle(slots[index] as Slot, sequences[index] as number, placeOf(told, offset), error)
    })
  }

  /** What a client copies is written into the same memory again and again, as an application might. */
  private memoryFor(bytes: number): Buffer {
    if (!this.adapter.copies) return Buffer.allocUnsafe(bytes)
    if (this.scratch.length < bytes) {
      this.scratch = Buffer.allocUnsafeSlow(bytes)
      this.views.length = 0
    }
    return this.scratch
  }

  private viewOf(memory: Buffer, index: number, at: number, size: number): Buffer {
    if (memory !== this.scratch) return memory.subarray(at, at + size)
    let view = this.views[index]
    if (view === undefined || view.byteOffset !== at || view.length !== size) {
      view = memory.subarray(at, at + size)
      this.views[index] = view
    }
    return view
  }

  private settle(slot: Slot, sequence: number, place: number, error: Error | null): void {
    slot.settled++
    this.settled++
    if (error === null) {
      this.noteProgress(slot)
      slot.outcomes.add(sequence, FrameKind.ACKED, place)
    } else {
      const kind = this.adapter.isDefinite(error) ? FrameKind.REFUSED : FrameKind.AMBIGUOUS
      slot.outcomes.add(sequence, kind, PLACE_UNKNOWN)
    }
    this.checkDone()
  }

  private noteProgress(slot: Slot): void {
    // The time of the last tick is old when this is the first thing after a blocked turn.
    const now = performance.now()
    const { report } = this
    if (now - slot.progressAt > report.longestStallMs) report.longestStallMs = now - slot.progressAt
    if (now - this.progressAt > report.longestBlackoutMs) report.longestBlackoutMs = now - this.progressAt
    slot.progressAt = now
    this.progressAt = now
  }

  private noteError(error: Error, sentAt: number, style: SendStyle, ordinal: number): void {
    const { errors, blockedMs } = this.report
    if (error !== this.lastError) {
      const code = (error as { code?: unknown }).code
      this.lastError = error
      this.lastWords = `${error.name} ${code ?? ''} ${error.message.replaceAll(/[\d.]+/g, '#').slice(0, 80)}`
    }
    errors[this.lastWords] = (errors[this.lastWords] ?? 0) + 1
    if (this.report.broken === undefined && this.adapter.isInternal?.(error)) {
      this.report.broken = this.lastWords
      // At once: whoever waits for records that are stored may wait in vain.
      this.out.note({ broken: this.lastWords })
    }
    if (this.adapter.isExhausted?.(error) !== true) return
    const waited = performance.now() - sentAt
    blockedMs.count++
    blockedMs.min = Math.min(blockedMs.min, waited)
    blockedMs.max = Math.max(blockedMs.max, waited)
    if (ordinal < (this.lastRefused.get(style) ?? -1)) blockedMs.isInOrder = false
    this.lastRefused.set(style, ordinal)
  }

  private tell(): void {
    const rss = process.memoryUsage.rss()
    if (rss > this.report.rssMaxBytes) this.report.memoryAtMax = process.memoryUsage()
    this.report.rssMaxBytes = Math.max(this.report.rssMaxBytes, rss)
    for (const [index, slot] of this.slots.entries()) {
      slot.outcomes.tell()
      this.out.frame(FrameKind.SENT, index, 0, slot.sent, 0)
    }
    this.out.flush()
  }
}

async function withTimeout(promise: Promise<void>, ms: number): Promise<boolean> {
  const timer = new AbortController()
  const late = new Promise<boolean>(resolve => {
    const timeout = setTimeout(() => resolve(false), ms)
    timer.signal.addEventListener('abort', () => clearTimeout(timeout))
  })
  const inTime = await Promise.race([promise.then(() => true), late])
  timer.abort()
  return inTime
}

/** Runs the job given on the command line and ends the process. */
export async function runClient(makeAdapter: (job: Job) => Promise<Adapter>): Promise<void> {
  const job = JSON.parse(process.argv[2] as string) as Job
  const driver = new Driver(job, await makeAdapter(job))
  await driver.run()
  process.exit(0)
}
