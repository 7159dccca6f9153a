import { createInterface } from 'node:readline'
import { FrameKind, FrameWriter } from '../frames.js'
import { RecordFactory } from '../record.js'
import type { ClientReport, Job } from './job.js'

const TICK_MS = 5
/** Records of one slot that are sent one after the other before the next slot has its turn. */
const CHUNK_RECORDS = 64
const REPORT_EVERY_MS = 100
/** A stall of the rig itself must not look like a credit for more records than a second's. */
const CREDIT_SECONDS_MAX = 30

/** One chunk of one slot's records, as an adapter is given it. */
export interface Chunk {
  slot: number
  topic: string
  partition: number
  /** Sequence of the first value. */
  sequence: number
  values: readonly Buffer[]
}

/** What a client's own API has to be translated to. */
export interface Adapter {
  versions: Record<string, string>
  /** Whether the values may be overwritten as soon as `send` has returned. */
  copies: boolean
  connect(): Promise<void>
  /** Sends the records in order; `settle` is called once for each. Must not throw. */
  send(chunk: Chunk, settle: Settle): void
  close(): Promise<void>
  /** Whether a record that failed so is certainly not stored. */
  isDefinite(error: Error): boolean
  /** Whether the error says that there was no memory in time. */
  isExhausted?(error: Error): boolean
}

/** `offset` is -1 where it is unknown; `error` is null for an acknowledgement. */
export type Settle = (sequence: number, offset: number, error: Error | null) => void

interface Slot {
  topicId: number
  partition: number
  sent: number
  settled: number
  /** Records it may send as far as the pace goes. */
  credit: number
  isBusy: boolean
  /** When the slot last made progress: was acknowledged, or had nothing unsettled. */
  progressAt: number
  /** The stretch of outcomes that is still growing. */
  kind: number
  first: number
  count: number
  offset: number
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
  private progressAt = performance.now()
  private creditAt = performance.now()
  private recordsPerSecond: number | null
  private next = 0
  private isStopping = false
  private isTicking = false
  private readonly report: ClientReport
  private readonly orderOfRefusals = { last: -1 }
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
    this.slots = Array.from({ length: job.topics.length * job.partitions }, (_, slot) => ({
      topicId: Math.floor(slot / job.partitions),
      partition: slot % job.partitions,
      sent: 0,
      settled: 0,
      credit: 0,
      isBusy: false,
      progressAt: this.now,
      kind: 0,
      first: 0,
      count: 0,
      offset: 0,
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
      this.sendChunk(slot, Math.min(left, CHUNK_RECORDS))
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
      const index = this.next
      this.next = (this.next + 1) % this.slots.length
      const slot = this.slots[index] as Slot
      const room = Math.floor(Math.min(this.roomOf(slot), this.job.records - this.sent, slot.credit))
      if (room < 1) {
        idle++
        continue
      }
      idle = 0
      const records = Math.min(room, CHUNK_RECORDS)
      slot.credit -= records
      this.sendChunk(index, records)
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

  private roomOf(slot: Slot): number {
    if (this.job.isSerial && slot.isBusy) return 0
    return this.job.window === null ? Infinity : this.job.window - (slot.sent - slot.settled)
  }

  private sendChunk(index: number, records: number): void {
    const slot = this.slots[index] as Slot
    const { topicId, partition, sent: sequence } = slot
    const values: Buffer[] = []
    let bytes = 0
    for (let i = 0; i < records; i++) bytes += this.factory.sizeOf(sequence + i)
    const memory = this.memoryFor(bytes)
    let at = 0
    for (let i = 0; i < records; i++) {
      const size = this.factory.write(memory, at, topicId, partition, sequence + i)
      values.push(this.viewOf(memory, i, at, size))
      at += size
    }
    if (slot.settled === slot.sent) slot.progressAt = this.now
    if (this.settled === this.sent) this.progressAt = this.now
    slot.sent += records
    this.sent += records
    slot.isBusy = true
    let left = records
    const sentAt = performance.now()
    const ordinal = this.sent
    this.adapter.send(
      { slot: index, topic: this.job.topics[topicId] as string, partition, sequence, values },
      (settled, offset, error) => {
        if (--left === 0) slot.isBusy = false
        this.settle(index, settled, offset, error, sentAt, ordinal)
      },
    )
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

  private settle(
    index: number,
    sequence: number,
    offset: number,
    error: Error | null,
    sentAt: number,
    ordinal: number,
  ): void {
    const slot = this.slots[index] as Slot
    let kind: number = FrameKind.ACKED
    if (error !== null) {
      kind = this.adapter.isDefinite(error) ? FrameKind.REFUSED : FrameKind.AMBIGUOUS
      this.noteError(error, sentAt, ordinal)
    } else this.noteProgress(slot)
    slot.settled++
    this.settled++
    const continues =
      slot.count > 0 &&
      slot.kind === kind &&
      slot.first + slot.count === sequence &&
      (offset < 0 ? slot.offset < 0 : slot.offset >= 0 && slot.offset + slot.count === offset)
    if (continues) slot.count++
    else {
      this.flushSlot(index, slot)
      slot.kind = kind
      slot.first = sequence
      slot.count = 1
      slot.offset = kind === FrameKind.ACKED ? offset : -1
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

  private noteError(error: Error, sentAt: number, ordinal: number): void {
    const { errors, blockedMs } = this.report
    if (error !== this.lastError) {
      const code = (error as { code?: unknown }).code
      this.lastError = error
      this.lastWords = `${error.name} ${code ?? ''} ${error.message.replaceAll(/[\d.]+/g, '#').slice(0, 80)}`
    }
    errors[this.lastWords] = (errors[this.lastWords] ?? 0) + 1
    if (this.adapter.isExhausted?.(error) !== true) return
    const waited = performance.now() - sentAt
    blockedMs.count++
    blockedMs.min = Math.min(blockedMs.min, waited)
    blockedMs.max = Math.max(blockedMs.max, waited)
    if (ordinal < this.orderOfRefusals.last) blockedMs.isInOrder = false
    this.orderOfRefusals.last = ordinal
  }

  private flushSlot(index: number, slot: Slot): void {
    if (slot.count > 0) this.out.frame(slot.kind as FrameKind, index, slot.count, slot.first, slot.offset)
    slot.count = 0
  }

  private tell(): void {
    const rss = process.memoryUsage.rss()
    if (rss > this.report.rssMaxBytes) this.report.memoryAtMax = process.memoryUsage()
    this.report.rssMaxBytes = Math.max(this.report.rssMaxBytes, rss)
    for (const [index, slot] of this.slots.entries()) {
      this.flushSlot(index, slot)
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
