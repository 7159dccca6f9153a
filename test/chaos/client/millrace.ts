import { readFileSync } from 'node:fs'
import {
  KafkaError,
  Producer,
  type ProducerOptions,
  type RecordMetadata,
  SendManyError,
} from '../../../dist/index.js'
import { type Adapter, type Chunk, runClient, type Settle } from './driver.js'
import type { Job, SendStyle } from './job.js'
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

class MillraceAdapter implements Adapter {
  readonly copies = true
  readonly versions: Record<string, string>
  private readonly producer: Producer
  private readonly styles: readonly SendStyle[]
  private chunks = 0

  constructor(job: Job) {
    this.styles = job.styles
    const options = { bootstrapServers: job.bootstrapServers, ...job.options }
    this.producer = new Producer(options as unknown as ProducerOptions<Uint8Array, Uint8Array>) as Producer
    const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
    this.versions = {
      millrace: JSON.parse(manifest).version,
      node: [process.versions.node, ...process.execArgv].join(' '),
    }
  }

  async connect(): Promise<void> {}

  send(chunk: Chunk, settle: Settle): void {
    const style = this.styles[this.chunks++ % this.styles.length]
    if (style === 'sendMany') this.sendMany(chunk, settle)
    else this.sendSingly(chunk, settle, style === 'promise')
  }

  private sendSingly(
    { topic, partition, sequence, values }: Chunk,
    settle: Settle,
    isPromised: boolean,
  ): void {
    const told = (each: number, error: Error | null, metadata: RecordMetadata) =>
      settle(each, Number(metadata.offset), error)
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as Buffer
      const each = sequence + i
      if (isPromised) {
        this.producer.send({ topic, partition, value }).then(
          metadata => settle(each, Number(metadata.offset), null),
          (error: Error) => settle(each, -1, error),
        )
      } else {
        // Bound, not an arrow: tens of thousands wait at a time, and this takes two thirds of the memory.
        this.producer.send({ topic, partition, value }, told.bind(undefined, each))
      }
    }
  }

  private sendMany({ topic, partition, sequence, values }: Chunk, settle: Settle): void {
    const records = values.map(value => ({ topic, partition, value }))
    const settleAll = (
      at: (index: number) => RecordMetadata | undefined,
      errors: ReadonlyMap<number, Error>,
    ) => {
      for (let i = 0; i < records.length; i++) {
        settle(sequence + i, Number(at(i)?.offset ?? -1), errors.get(i) ?? null)
      }
    }
    this.producer.sendMany(records).then(
      report => settleAll(i => report.at(i), new Map()),
      (error: Error) => {
        if (error instanceof SendManyError) settleAll(i => error.report.at(i), error.errors)
        else for (let i = 0; i < records.length; i++) settle(sequence + i, -1, error)
      },
    )
  }

  close(): Promise<void> {
    return this.producer.close({ timeoutMs: 10_000 })
  }

  isDefinite(error: Error): boolean {
    if (!(error instanceof KafkaError)) return false
    if (error.code === 'BROKER_ERROR')
      return DEFINITE_ERRORS.has((error as KafkaError & { errorName: string }).errorName)
    // A batch that expired in the queue, never tried, was never sent.
    if (error.code === 'TIMED_OUT') return /queued, after 0 retries|metadata/i.test(error.message)
    return DEFINITE_CODES.has(error.code)
  }

  isExhausted(error: Error): boolean {
    return error instanceof KafkaError && error.code === 'BUFFER_EXHAUSTED'
  }
}

const planted = process.env.MILLRACE_PLANT
if (planted !== undefined) plant(planted)
await runClient(async job => new MillraceAdapter(job))
