import assert from 'node:assert/strict'
import { Producer, type ProducerOptions } from '../../dist/index.js'
import { type BrokerOptions, startBroker, type TestBroker } from '../../dist/testing/index.js'

/** Both generations of the protocol, by the cluster's `transaction.version`. */
export const GENERATIONS = [1, 2] as const

export const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** A broker and a way to make transactional producers; all are closed whatever happens. */
export class Ground implements AsyncDisposable {
  readonly broker: TestBroker
  private readonly producers: Producer[] = []

  private constructor(broker: TestBroker) {
    this.broker = broker
  }

  static async start(options: BrokerOptions = {}): Promise<Ground> {
    const broker = await startBroker({ quiet: true, partitions: 2, verify: 'strict', ...options })
    broker.createTopic('out')
    return new Ground(broker)
  }

  producer(options: Partial<ProducerOptions> = {}): Producer {
    const producer = new Producer({
      bootstrapServers: this.broker.bootstrapServers,
      transactionalId: 'tx',
      lingerMs: 0,
      retryBackoffMs: 1,
      retryBackoffMaxMs: 5,
      reconnectBackoffMs: 1,
      reconnectBackoffMaxMs: 5,
      logger: silent,
      ...options,
    })
    this.producers.push(producer)
    return producer
  }

  /** One that may begin its first transaction. */
  async ready(options: Partial<ProducerOptions> = {}): Promise<Producer> {
    const producer = this.producer(options)
    await producer.initTransactions()
    return producer
  }

  committed(topic = 'out', partition?: number): string[] {
    return read(this.broker, topic, 'read_committed', partition)
  }

  stored(topic = 'out', partition?: number): string[] {
    return read(this.broker, topic, 'read_uncommitted', partition)
  }

  /** Names of the requests that come from now on, those of metadata and versions left out. */
  watch(): string[] {
    const seen: string[] = []
    this.broker.onRequest(({ api }) => {
      if (api !== 'Metadata' && api !== 'ApiVersions') seen.push(api)
    })
    return seen
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.broker.clearFaults()
    await Promise.all(this.producers.map(producer => producer.close({ timeoutMs: 0 })))
    await this.broker.close()
  }
}

function read(
  broker: TestBroker,
  topic: string,
  isolation: 'read_committed' | 'read_uncommitted',
  partition?: number,
): string[] {
  return Array.from(broker.records(topic, partition, { isolation }), ({ value }) =>
    Buffer.from(value ?? []).toString(),
  )
}

/** What an error is for who gets it. */
export type Kind = 'ok' | 'illegal' | 'abortable' | 'fatal' | 'fenced' | 'timeout' | 'authorization' | 'plain'

export function kindOf(error: unknown): Kind {
  const { name, code, fatal, abortable } = error as {
    name: string
    code: string
    fatal?: boolean
    abortable?: boolean
  }
  if (code === 'ILLEGAL_STATE') return 'illegal'
  if (code === 'TIMED_OUT') return 'timeout'
  if (code === 'AUTHORIZATION_FAILED') return 'authorization'
  if (name === 'ProducerFencedError') {
    assert.deepEqual([code, fatal, abortable], ['PRODUCER_FENCED', true, false])
    return 'fenced'
  }
  if (name !== 'TransactionError') return 'plain'
  if (fatal) return 'fatal'
  return abortable ? 'abortable' : 'plain'
}

/** How a call went. */
export async function outcomeOf(call: () => unknown): Promise<Kind> {
  try {
    await call()
    return 'ok'
  } catch (error) {
    return kindOf(error)
  }
}

export const OFFSETS = [{ topic: 'in', partition: 0, offset: 5 }]
export const GROUP = { groupId: 'group' }

/** How often races and the like are repeated; set MILLRACE_TRANSACTION_RACES for more. */
export const RACES = Number(process.env.MILLRACE_TRANSACTION_RACES ?? 20)
