import { readFileSync } from 'node:fs'
import {
  BrokerError,
  KafkaError,
  Producer,
  type ProducerOptions,
  type ProducerRecord,
  type RecordMetadata,
  SendManyError,
} from '../../dist/index.js'
import { sequenceNumberOf, sequenceOf, textOf } from '../record.js'
import { type Adapter, runClient, type Settle, type Stretch, type Wish } from './driver.js'
import type { Job } from './job.js'
import { plant } from './plants.js'

/** Broker errors after which nothing was appended, whatever earlier attempts did: those never get that far. */
const DEFINITE_ERRORS = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
])
const DEFINITE_CODES = new Set([
  'BUFFER_EXHAUSTED',
  'CONFIG_INVALID',
  'ILLEGAL_STATE',
  'RECORD_INVALID',
  'RECORD_TOO_LARGE',
  'SERIALIZATION_FAILED',
  'TOPIC_INVALID',
])

/** One record in so many has headers, which take it another way through the producer. */
const HEADERS_ONCE_IN = 32
const HEADERS = { rig: 'chaos' }
const SERVICE_HEADERS = { 'content-type': 'text/plain; charset=utf-8', source: 'rig' }

class MillraceAdapter implements Adapter {
  readonly copies = true
  readonly versions: Record<string, string>
  private readonly producer: Producer
  private readonly hasFreeLanes: boolean
  private readonly isService: boolean
  private records = 0

  constructor(job: Job) {
    this.hasFreeLanes = job.hasFreeLanes
    this.isService = job.isService
    const options = { bootstrapServers: job.bootstrapServers, ...job.options }
    this.producer = new Producer(options as unknown as ProducerOptions<Uint8Array, Uint8Array>) as Producer
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
    this.versions = {
      millrace: JSON.parse(manifest).version,
      node: [process.versions.node, ...process.execArgv].join(' '),
    }
  }

  async connect(): Promise<void> {}

  send(stretch: Stretch, settle: Settle): void {
    if (stretch.style === 'sendMany') this.sendMany(stretch, settle)
    else this.sendSingly(stretch, settle)
  }

  private sendSingly(stretch: Stretch, settle: Settle): void {
    const told = (index: number, error: Error | null, { partition, offset }: RecordMetadata) =>
      settle(index, partition, Number(offset), error)
    const failed = (index: number, error: Error) => settle(index, -1, -1, error)
    for (let i = 0; i < stretch.values.length; i++) {
      const record = this.recordOf(stretch, i)
      // Bound, not arrows: tens of thousands wait at a time, and this takes two thirds of the memory.
      if (stretch.style === 'promise') {
        this.producer.send(record).then(told.bind(undefined, i, null), failed.bind(undefined, i))
      } else this.producer.send(record, told.bind(undefined, i))
    }
  }

  private sendMany(stretch: Stretch, settle: Settle): void {
    const records = stretch.values.map((_, i) => this.recordOf(stretch, i))
    const { length } = records
    const settleAll = (
      at: (index: number) => RecordMetadata | undefined,
      errors: ReadonlyMap<number, Error>,
    ) => {
      for (let i = 0; i < length; i++) {
        const { partition = -1, offset = -1 } = at(i) ?? {}
        settle(i, partition, Number(offset), errors.get(i) ?? null)
      }
    }
    this.producer.sendMany(records).then(
      report => settleAll(i => report.at(i), new Map()),
      (error: Error) => {
        if (error instanceof SendManyError) settleAll(i => error.report.at(i), error.errors)
        else for (let i = 0; i < length; i++) settle(i, -1, -1, error)
      },
    )
  }

  private recordOf({ topic, partition, values, wishes }: Stretch, index: number): ProducerRecord {
    const value = values[index] as Buffer
    const wish = wishes[index]
    if (this.isService) return serviceRecord(topic, partition, value, wish)
    const hasHeaders = this.hasFreeLanes && ++this.records % HEADERS_ONCE_IN === 0
    const headers = hasHeaders ? { headers: HEADERS } : {}
    if (wish === 'named') return { topic, partition, value, ...headers }
    if (wish === 'keyed') return { topic, key: sequenceOf(value), value, ...headers }
    return { topic, value, ...headers }
  }

  close(): Promise<void> {
    return this.producer.close({ timeoutMs: 10_000 })
  }

  isDefinite(error: Error): boolean {
    if (!(error instanceof KafkaError)) return false
    if (error instanceof BrokerError) return DEFINITE_ERRORS.has(error.errorName)
    // A batch that expired in the queue, never tried, was never sent.
    if (error.code === 'TIMED_OUT') return /queued, after 0 retries|metadata/i.test(error.message)
    return DEFINITE_CODES.has(error.code)
  }

  isExhausted(error: Error): boolean {
    return error instanceof KafkaError && error.code === 'BUFFER_EXHAUSTED'
  }

  isInternal(error: Error): boolean {
    return error instanceof KafkaError && error.code === 'INTERNAL'
  }
}

/** The sequence is told in a header and in the key, too. */
function serviceRecord(
  topic: string,
  partition: number,
  value: Buffer,
  wish: Wish | undefined,
): ProducerRecord {
  const sequence = String(sequenceNumberOf(value))
  const record = { topic, value: textOf(value), headers: { ...SERVICE_HEADERS, sequence } }
  if (wish === 'named') return { ...record, partition, key: sequence }
  return wish === 'keyed' ? { ...record, key: sequence } : record
}

const planted = process.env.MILLRACE_PLANT
if (planted !== undefined) plant(planted)
await runClient(async job => new MillraceAdapter(job))
