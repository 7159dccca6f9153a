// What the lanes held-end and fencing share: producers in this process, and the account of what must be visible.
import { Producer, type ProducerOptions } from '../../dist/index.js'
import type { RpcIdentity } from '../../dist/transactions/rpc.js'
import { JavaClient } from '../../dist-test/kafka/java-client.js'
import { KafkaGround } from '../kafka-ground.js'
import type { LaneOptions } from '../lanes/lane.js'
import { GENERATIONS, type Generation, useGeneration } from './generations.js'
import type { TransactionResult } from './result.js'

export interface RaceOptions extends Pick<LaneOptions, 'seed' | 'isSmall' | 'faults' | 'say'> {
  /** Undefined: both. */
  generations?: readonly Generation[] | undefined
  /** Hears each result as soon as there is one. */
  onResult?: (result: TransactionResult) => void
  /** Takes from the producer what the lane tests. */
  sabotage?: (producer: Producer) => void
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** Runs a lane once on each generation, on clusters of its own or on one that changes from one to the other. */
export async function eachGeneration(
  { generations = GENERATIONS, onResult }: RaceOptions,
  shared: KafkaGround | undefined,
  run: (ground: KafkaGround, generation: Generation) => Promise<TransactionResult>,
): Promise<TransactionResult[]> {
  const results: TransactionResult[] = []
  for (const generation of generations) {
    await using own = shared
      ? null
      : await KafkaGround.start({ features: { 'transaction.version': generation } })
    const ground = shared ?? (own as KafkaGround)
    await useGeneration(ground, generation)
    const result = await run(ground, generation)
    results.push(result)
    onResult?.(result)
  }
  return results
}

/** Led through the proxies, as every client. */
export function transactionalProducer(
  { bootstrapServers }: KafkaGround,
  transactionalId: string,
  options: Readonly<Record<string, unknown>> = {},
): Producer {
  return new Producer({
    bootstrapServers,
    transactionalId,
    logger: silent,
    'linger.ms': 0,
    ...options,
  } as ProducerOptions)
}

interface Insides {
  readonly transactions: {
    readonly identity: { readonly current: RpcIdentity }
    readonly runner: { readonly coordinator: number | null }
  }
}

/** Under what the producer's next request of a transaction goes. */
export function identityOf(producer: Producer): RpcIdentity {
  return (producer as unknown as Insides).transactions.identity.current
}

/** Node id of the coordinator of a producer that is initialised. */
export function coordinatorOf(producer: Producer): number {
  return (producer as unknown as Insides).transactions.runner.coordinator ?? 1
}

const EXAMPLES_MAX = 10

/** Which values a read_committed consumer must see, and which it must not. Every value is unique. */
export class Account {
  private readonly fates = new Map<string, 'visible' | 'hidden'>()
  private readonly fails: string[] = []

  get size(): number {
    return this.fates.size
  }

  visible(...values: readonly string[]): void {
    for (const value of values) this.fates.set(value, 'visible')
  }

  hidden(...values: readonly string[]): void {
    for (const value of values) this.fates.set(value, 'hidden')
  }

  /** A call that should have gone otherwise. */
  fail(what: string): void {
    this.fails.push(what)
  }

  /** Reads the topic as Java's read_committed consumer sees it, and compares. */
  async judge({ directServers }: KafkaGround, topic: string) {
    await using java = new JavaClient()
    const seen = new Map<string, number>()
    for (const { value } of await java.read(directServers, topic, 'read_committed')) {
      seen.set(String(value), (seen.get(String(value)) ?? 0) + 1)
    }
    const classes = {
      missing: 0,
      duplicated: 0,
      wronglyCommitted: 0,
      foreign: 0,
      wrongOutcomes: this.fails.length,
    }
    const examples = [...this.fails]
    const find = (name: keyof typeof classes, value: string) => {
      classes[name]++
      examples.push(`${name}: ${value}`)
    }
    for (const [value, fate] of this.fates) {
      const times = seen.get(value) ?? 0
      if (fate === 'visible' && times === 0) find('missing', value)
      if (fate === 'visible' && times > 1) find('duplicated', value)
      if (fate === 'hidden' && times > 0) find('wronglyCommitted', value)
    }
    for (const value of seen.keys()) if (!this.fates.has(value)) find('foreign', value)
    return { classes, examples: examples.slice(0, EXAMPLES_MAX) }
  }
}
