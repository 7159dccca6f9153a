// What a comparing scenario is, and what it may use.
import type * as Ours from '../../../dist/compat/kafkajs/index.js'
import type { TestBroker } from '../../../dist/testing/index.js'

/** KafkaJS by its names: the original, or ours. */
export type Library = typeof Ours

export interface Topic {
  readonly name: string
}

export interface Context {
  readonly library: Library
  /** Addresses of the cluster. */
  readonly brokers: string[]
  /** The scenario's topic, which has as many partitions as it asks for, one unless it says otherwise. */
  readonly topic: string
  /** A second one. */
  readonly otherTopic: string
  /** Text that no other run of a scenario has: for ids. */
  readonly unique: string
  /** A client that logs nothing, and whatever else is given. */
  kafka(config?: Partial<Ours.KafkaConfig>): Ours.Kafka
  /** A producer that is connected; it is disconnected when the scenario ends. */
  producer(config?: Ours.ProducerConfig, kafka?: Partial<Ours.KafkaConfig>): Promise<Ours.Producer>
  /** The offset that a group has committed of the topic's partition 0, as text; null if none. */
  committed(groupId: string): Promise<string | null>
  /** The in-process broker; scenarios that use it do not run on a real one. */
  readonly broker: TestBroker
}

export interface Scenario {
  readonly name: string
  readonly run: (context: Context) => Promise<unknown>
  /** Partitions of the topics; default 1. */
  readonly partitions?: number
  /** Configuration of the topics. */
  readonly config?: Readonly<Record<string, string>>
  /** Whether times of stored records are compared, too. */
  readonly comparesTimes?: true
  /** Whether what is stored is left out: it is not, or not in an order that can be compared. */
  readonly ignoresStored?: true
  /** Needs the faults of the in-process broker. */
  readonly needsFaults?: true
  /** Why it only runs on a real Kafka. */
  readonly onlyOnKafka?: string
  /** Why ours is different on purpose; then it has to be. */
  readonly different?: string
}

export const scenario = (
  name: string,
  run: Scenario['run'],
  more: Omit<Scenario, 'name' | 'run'> = {},
): Scenario => ({ name, run, ...more })

/** A value that TypeScript would not let through: what JavaScript code passes. */
// biome-ignore lint/suspicious/noExplicitAny: that is its purpose
export const untyped = (value: unknown): any => value
