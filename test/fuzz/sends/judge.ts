import { BrokerError, type KafkaError } from '../../../dist/index.js'
import { partitionOfKey } from '../../../dist/partitioner/murmur2.js'
import { ErrorCodes } from '../../../dist/protocol/error-codes.js'
import { areHeaders, identify, isValue, keyBytesOf } from './contents.js'
import type { Ground, Isolation, LoggedRecord } from './ground.js'
import { type Ledger, Told, WAY_NAMES } from './ledger.js'
import { PARTITIONS_GROWN_MAX, type Plan } from './plan.js'

/** What became of a transaction, as its owner knows it; `failed`: the commit was refused. */
export type Fate = 'committed' | 'aborted' | 'failed' | 'unknown'

/** The kinds of what may be wrong; each count must be 0. */
export const FINDINGS = [
  'told wrong',
  'lost',
  'doubled',
  'out of order',
  'changed',
  'phantom',
  'never told',
  'failed without reason',
  'wrong sequence',
  'wrong transaction',
  'complaint',
] as const
export type FindingKind = (typeof FINDINGS)[number]

const EXAMPLES_MAX = 12

export class Findings {
  readonly counts = new Map<FindingKind, number>()
  readonly examples: string[] = []

  add(kind: FindingKind, text: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    if (this.examples.length < EXAMPLES_MAX) this.examples.push(`${kind}: ${text}`)
  }

  get total(): number {
    let total = 0
    for (const count of this.counts.values()) total += count
    return total
  }
}

/** Numbers of the broker's errors that the faults of a plan give. */
const GIVEN_ERRORS: ReadonlySet<number> = new Set([
  ErrorCodes.POLICY_VIOLATION,
  ErrorCodes.INVALID_RECORD,
  ErrorCodes.RECORD_LIST_TOO_LARGE,
])

/** Whether the plan gives reason for an error of a record, whatever became of others. */
function isReason(plan: Plan, { code, errorNumber }: Failure): boolean {
  if (code === 'RECORD_TOO_LARGE') return true
  if (code === 'BROKER_ERROR') return plan.faults.isFailing && GIVEN_ERRORS.has(errorNumber)
  // So few records wait for a serializer that scarce memory is not needed for a refusal.
  if (code === 'BUFFER_EXHAUSTED' && plan.plugIn === 'prepared serializer') return true
  // A metadata request waits as long as memory does.
  if (code === 'BUFFER_EXHAUSTED' || code === 'TIMED_OUT') return plan.isExhausting
  return code === 'PRODUCER_CLOSED' && plan.end === 'close at once'
}

interface Failure {
  readonly code: string
  /** Of a broker, -1 where it is none of its. */
  readonly errorNumber: number
}

function failureOf(error: KafkaError | undefined): Failure {
  return {
    code: error?.code ?? 'NO CODE',
    errorNumber: error instanceof BrokerError ? error.errorCode : -1,
  }
}

/** Errors after which a record is certainly in no log, where no answer was lost on the way. */
const DEFINITE = new Set(['RECORD_TOO_LARGE', 'BUFFER_EXHAUSTED', 'BROKER_ERROR', 'ILLEGAL_STATE'])

/** Compares what senders were told with what the log holds. Knows nothing of how either came about. */
export class Judge {
  readonly findings = new Findings()
  private readonly plan: Plan
  private readonly ledger: Ledger
  private readonly fates: readonly Fate[]
  private readonly window: { readonly fromMs: number; readonly toMs: number }
  private readonly excused = new Set<number>()
  /** Partitions of records that have failed. */
  private readonly failedIn = new Set<string>()
  private readonly stored: Uint8Array
  private readonly committed: Uint8Array

  constructor(
    plan: Plan,
    ledger: Ledger,
    fates: readonly Fate[],
    window: { readonly fromMs: number; readonly toMs: number },
  ) {
    this.plan = plan
    this.ledger = ledger
    this.fates = fates
    this.window = window
    this.stored = new Uint8Array(ledger.count)
    this.committed = new Uint8Array(ledger.count)
  }

  async judge(ground: Ground): Promise<Findings> {
    for (const complaint of this.ledger.complaints) this.findings.add('complaint', complaint)
    for (const { topic, partition } of this.ledger.failures.values())
      this.failedIn.add(`${topic}-${partition}`)
    for (const [index] of this.plan.topics.entries()) await this.read(ground, index)
    this.findReasons()
    for (let id = 0; id < this.ledger.count; id++) this.judgeRecord(id)
    for (const [index, fate] of this.fates.entries()) {
      if (fate === 'failed' && !this.excused.has(index)) {
        this.findings.add('failed without reason', `transaction ${index}: its commit was refused`)
      }
    }
    return this.findings
  }

  /** Transactions in which a record has failed for a good reason: it takes the others with it. */
  private findReasons(): void {
    for (const [id, error] of this.ledger.failures) {
      const index = this.ledger.transaction[id] as number
      if (index >= 0 && isReason(this.plan, failureOf(error))) this.excused.add(index)
    }
  }

  /** Whether a record may have failed so because its transaction has, or because it was in none. */
  private isOfTransaction(id: number, { code }: Failure): boolean {
    if (this.plan.transactionVersion === null) return false
    const index = this.ledger.transaction[id] as number
    if (index < 0) return code === 'ILLEGAL_STATE' || code === 'TRANSACTION_FAILED'
    const isEnded = this.fates[index] === 'aborted' || this.excused.has(index)
    // What is in flight behind a record that has failed meets the gap.
    return isEnded && (code === 'TRANSACTION_FAILED' || code === 'ILLEGAL_STATE' || code === 'BROKER_ERROR')
  }

  private async read(ground: Ground, topic: number): Promise<void> {
    const { name } = this.plan.topics[topic] as Plan['topics'][number]
    const logs = new Map<number, LogReader>()
    for await (const records of ground.records(name, 'read_uncommitted')) {
      for (const record of records) {
        let log = logs.get(record.partition)
        if (log === undefined) {
          const isFailed = this.failedIn.has(`${name}-${record.partition}`)
          log = new LogReader(this.findings, `${name}-${record.partition}`, isFailed)
          logs.set(record.partition, log)
        }
        this.readOne(topic, record, log)
      }
    }
    if (this.plan.transactionVersion === null) return
    await this.readCommitted(ground, name, 'read_committed')
  }

  private async readCommitted(ground: Ground, name: string, isolation: Isolation): Promise<void> {
    for await (const records of ground.records(name, isolation)) {
      for (const record of records) {
        const id = identify(record)
        if (id >= 0 && id < this.ledger.count) this.committed[id] = (this.committed[id] as number) + 1
      }
    }
  }

  private readOne(topic: number, record: LoggedRecord, log: LogReader): void {
    const { ledger, findings, plan } = this
    const id = identify(record)
    const place = `${log.name}@${record.offset}`
    if (id < 0 || id >= ledger.count || ledger.topic[id] !== topic) {
      findings.add('phantom', `${place} holds what was never sent there (record ${id})`)
      return
    }
    this.stored[id] = (this.stored[id] as number) + 1
    if (plan.idempotent) log.followSequence(record)
    log.follow(id, ledger.order[id] as number)
    this.compareContent(id, record, place)
    if (ledger.told[id] === Told.STORED) this.compareTold(id, record, place)
  }

  private compareContent(id: number, record: LoggedRecord, place: string): void {
    const { ledger, findings } = this
    const key = keyBytesOf(ledger, id)
    const isKey =
      key === null || record.key === null ? key === record.key : Buffer.compare(key, record.key) === 0
    if (!isKey) findings.add('changed', `${place}: the key of record ${id}`)
    if (!isValue(ledger, id, record.value)) findings.add('changed', `${place}: the value of record ${id}`)
    if (!areHeaders(ledger, id, record.headers)) findings.add('changed', `${place}: headers of record ${id}`)
    if (!this.isTime(id, record.timestamp)) {
      findings.add('changed', `${place}: time ${record.timestamp} of record ${id}`)
    }
    const wanted = this.partitionsOf(id, key)
    if (wanted !== null && !wanted.includes(record.partition)) {
      findings.add('told wrong', `record ${id} belongs into partition ${wanted} and is at ${place}`)
    }
  }

  private isTime(id: number, timestamp: number): boolean {
    const given = this.ledger.timestamp[id] as number
    const { isStampedByBroker } = this.plan.topics[this.ledger.topic[id] as number] as Plan['topics'][number]
    if (!Number.isNaN(given) && !isStampedByBroker) return timestamp === given
    return timestamp >= this.window.fromMs && timestamp <= this.window.toMs
  }

  /** Where a record may be; null: it was the producer's choice. */
  private partitionsOf(id: number, key: Uint8Array | null): number[] | null {
    const { ledger, plan } = this
    if ((ledger.partition[id] as number) >= 0) return [ledger.partition[id] as number]
    if (plan.plugIn === 'partitioner' || plan.options.partitionerIgnoreKeys || key === null) return null
    const { partitions, grows } = plan.topics[ledger.topic[id] as number] as Plan['topics'][number]
    const counts = grows
      ? Array.from({ length: PARTITIONS_GROWN_MAX + 1 }, (_, more) => partitions + more)
      : [partitions]
    return counts.map(count => partitionOfKey(key, 0, key.length, count))
  }

  private compareTold(id: number, record: LoggedRecord, place: string): void {
    const { ledger, findings, plan } = this
    const offset = ledger.toldOffset[id] as number
    const isUnknown = offset === -1 && (plan.acks === '0' || plan.faults.isAmbiguous)
    const told = `${ledger.toldTopic[id]}-${ledger.toldPartition[id]}@${offset}`
    const isPlace = isUnknown ? told === place.replace(/@.*/, '@-1') : told === place
    if (!isPlace) {
      const way = WAY_NAMES[ledger.way[id] as number]
      findings.add('told wrong', `record ${id} (${way}) is at ${place}, told was ${told}`)
    }
    const time = ledger.toldTimestamp[id] as number
    // Of an answer that tells no offset, the broker's time is not known either.
    if (time !== record.timestamp && !isUnknown) {
      findings.add('told wrong', `record ${id} has time ${record.timestamp}, told was ${time}`)
    }
    if (
      ledger.toldKeyBytes[id] !== (record.key?.length ?? -1) ||
      ledger.toldValueBytes[id] !== (record.value?.length ?? -1)
    ) {
      findings.add('told wrong', `record ${id} at ${place}: the sizes`)
    }
  }

  private judgeRecord(id: number): void {
    const { ledger, findings, plan } = this
    const count = this.stored[id] as number
    const way = WAY_NAMES[ledger.way[id] as number]
    if (count > 1) findings.add('doubled', `record ${id} (${way}) is stored ${count} times`)
    if (ledger.told[id] === Told.NOTHING) findings.add('never told', `record ${id} (${way})`)
    else if (ledger.told[id] === Told.STORED) {
      if (count === 0) findings.add('lost', `record ${id} (${way}) was told to be stored`)
    } else {
      const error = ledger.failures.get(id)
      const failure = failureOf(error)
      const { code } = failure
      if (!isReason(plan, failure) && !this.isOfTransaction(id, failure))
        findings.add('failed without reason', `record ${id} (${way}): ${code} ${error?.message}`)
      if (count > 0 && DEFINITE.has(code) && !plan.faults.isAmbiguous) {
        findings.add('phantom', `record ${id} (${way}) failed with ${code}, and is stored`)
      }
    }
    if (plan.transactionVersion !== null) this.judgeTransaction(id)
  }

  private judgeTransaction(id: number): void {
    const { ledger, findings } = this
    const index = ledger.transaction[id] as number
    const fate = index < 0 ? 'aborted' : (this.fates[index] ?? 'unknown')
    const isVisible = (this.committed[id] as number) > 0
    if ((fate === 'aborted' || fate === 'failed') && isVisible) {
      findings.add('wrong transaction', `record ${id} of transaction ${index}, ${fate}, is visible`)
    } else if (fate === 'committed' && !isVisible) {
      findings.add('wrong transaction', `record ${id} of transaction ${index}, committed, is not visible`)
    }
  }
}

/** One partition, read from its first record on. */
class LogReader {
  readonly name: string
  private readonly findings: Findings
  private lastId = -1
  private lastOrder = Number.NEGATIVE_INFINITY
  private readonly nextSequences = new Map<string, number>()
  /** Where the first records were refused, what is behind them may be stored under the sequences it had. */
  private readonly mayBeginLate: boolean

  constructor(findings: Findings, name: string, mayBeginLate: boolean) {
    this.findings = findings
    this.name = name
    this.mayBeginLate = mayBeginLate
  }

  follow(id: number, order: number): void {
    if (order < this.lastOrder) {
      this.findings.add('out of order', `${this.name}: record ${id} stands behind record ${this.lastId}`)
    }
    this.lastOrder = order
    this.lastId = id
  }

  /** Of one producer id and epoch every sequence comes. */
  followSequence({ producerId, epoch, sequence, offset }: LoggedRecord): void {
    if (sequence === undefined) return
    const producer = `${producerId} ${epoch}`
    const next = this.nextSequences.get(producer) ?? (this.mayBeginLate ? sequence : 0)
    if (sequence !== next) {
      const found = `sequence ${sequence} of producer ${producer} instead of ${next}`
      this.findings.add('wrong sequence', `${this.name}@${offset}: ${found}`)
    }
    this.nextSequences.set(producer, sequence + 1)
  }
}
