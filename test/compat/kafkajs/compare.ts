// Runs scenarios on kafkajs and on ours, and compares what each saw and what each has stored.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import * as ours from '../../../dist/compat/kafkajs/index.js'
import type { TestBroker } from '../../../dist/testing/index.js'
import { plain } from './observe.js'
import type { Context, Library, Scenario } from './scenario.js'

export const original = createRequire(import.meta.url)('kafkajs') as Library
// Its codecs are extra packages; any that are right will do.
for (const type of [2, 3, 4]) original.CompressionCodecs[type] = ours.CompressionCodecs[type]

export interface StoredRecord {
  partition: number
  offset: string
  timestamp: number
  key: Uint8Array | null
  value: Uint8Array | null
  headers: readonly (readonly [name: string, value: Uint8Array | null])[]
}

/** A cluster to compare on. */
export interface Ground {
  readonly brokers: string[]
  stored(topics: readonly string[]): Promise<Map<string, StoredRecord[]>>
  /** The offset that a group has committed of partition 0, as text; null if none. */
  committed(groupId: string, topic: string): Promise<string | null>
  /** An in-process broker for a scenario that needs faults; null where such do not run. */
  readonly newBroker: (() => Promise<TestBroker>) | null
}

const SIDES = ['original', 'ours'] as const
type Side = (typeof SIDES)[number]

interface Trial {
  readonly scenario: Scenario
  readonly topics: Record<Side, readonly [string, string]>
  readonly saw: Partial<Record<Side, unknown>>
  /** What was stored on brokers of its own. */
  readonly stored: Map<string, StoredRecord[]>
}

export interface Comparison {
  readonly name: string
  readonly original: unknown
  readonly ours: unknown
  readonly isEqual: boolean
  readonly different: string | undefined
}

let runs = 0
const topicsOf = (trial: Trial) => SIDES.flatMap(side => trial.topics[side])

/** Runs all of them, a few at a time, on both libraries. */
export async function compareAll(scenarios: readonly Scenario[], ground: Ground): Promise<Comparison[]> {
  const trials = scenarios.map((scenario): Trial => {
    const number = ++runs
    const topicsFor = (side: Side) => [`s${number}-${side}`, `s${number}-${side}-other`] as const
    return {
      scenario,
      topics: { original: topicsFor('original'), ours: topicsFor('ours') },
      saw: {},
      stored: new Map(),
    }
  })
  const shared = trials.filter(({ scenario }) => !scenario.needsFaults)
  await createTopics(shared, ground)
  const waiting = [...trials]
  const work = async () => {
    for (let trial = waiting.shift(); trial !== undefined; trial = waiting.shift()) {
      for (const side of SIDES) {
        trial.saw[side] = trial.scenario.needsFaults
          ? await runWithFaults(trial, side, ground)
          : await runSide(trial, side, ground, null)
      }
    }
  }
  await Promise.all([work(), work(), work(), work()])
  const stored = await ground.stored(shared.flatMap(topicsOf))
  return trials.map(trial => judge(trial, trial.scenario.needsFaults ? trial.stored : stored))
}

async function createTopics(trials: readonly Trial[], { brokers }: Ground): Promise<void> {
  const admin = new original.Kafka({ brokers, logLevel: original.logLevel.NOTHING }).admin()
  await admin.connect()
  const topics = trials.flatMap(trial => {
    const { partitions: numPartitions = 1, config = {} } = trial.scenario
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
    return topicsOf(trial).map(topic => ({ topic, numPartitions, configEntries, replicationFactor: 1 }))
  })
  for (let start = 0; start < topics.length; start += 100) {
    const some = topics.slice(start, start + 100)
    await admin.createTopics({ waitForLeaders: false, timeout: 30_000, topics: some })
    // Brokers learn of new topics one after the other.
    const names = some.map(({ topic }) => topic)
    const isKnown = () =>
      admin.fetchTopicMetadata({ topics: names }).then(
        () => true,
        () => false,
      )
    await eventually(isKnown)
  }
  await admin.disconnect()
}

/** With a broker of its own: faults of one scenario must not reach another. */
async function runWithFaults(trial: Trial, side: Side, { newBroker }: Ground): Promise<unknown> {
  assert.ok(newBroker, 'scenarios with faults need the in-process broker')
  const broker = await newBroker()
  const { partitions = 1, config = {} } = trial.scenario
  for (const topic of trial.topics[side]) broker.createTopic(topic, { partitions, config })
  try {
    return await runSide(trial, side, groundOf(broker), broker)
  } finally {
    for (const [topic, records] of storedIn(broker, trial.topics[side])) trial.stored.set(topic, records)
    await broker.close()
  }
}

/** The in-process broker to compare on. */
export function groundOf(broker: TestBroker): Omit<Ground, 'newBroker'> {
  return {
    brokers: [broker.bootstrapServers],
    stored: async topics => storedIn(broker, topics),
    committed: async (groupId, topic) => {
      const offsets = broker.committedOffsets(groupId)
      const found = offsets.find(each => each.topic === topic && each.partition === 0)
      return found === undefined ? null : `${found.offset}`
    },
  }
}

/** What the in-process broker has, in its order. */
function storedIn(broker: TestBroker, topics: readonly string[]): Map<string, StoredRecord[]> {
  const records = (topic: string) =>
    [...broker.records(topic)].map(record => ({ ...record, offset: `${record.offset}` }))
  return new Map(topics.map(topic => [topic, records(topic)]))
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await holds()) return
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  throw new Error('the cluster does not know its new topics')
}

async function runSide(
  trial: Trial,
  side: Side,
  { brokers, committed }: Pick<Ground, 'brokers' | 'committed'>,
  broker: TestBroker | null,
): Promise<unknown> {
  const library: Library = side === 'ours' ? ours : original
  const connected: ours.Producer[] = []
  const [topic, otherTopic] = trial.topics[side]
  const context: Context = {
    library,
    brokers,
    topic,
    otherTopic,
    unique: topic,
    kafka: (config = {}) => new library.Kafka({ brokers, logLevel: library.logLevel.NOTHING, ...config }),
    async producer(config, kafka) {
      const producer = context.kafka(kafka).producer(config)
      connected.push(producer)
      await producer.connect()
      return producer
    },
    committed: groupId => committed(groupId, topic),
    get broker() {
      assert.ok(broker, `${trial.scenario.name} says needsFaults`)
      return broker
    },
  }
  try {
    return plain(await trial.scenario.run(context))
  } finally {
    await Promise.all(connected.map(producer => producer.disconnect()))
  }
}

function judge({ scenario, topics, saw }: Trial, stored: ReadonlyMap<string, StoredRecord[]>): Comparison {
  const of = (side: Side) => {
    const names = topics[side]
    const kept = scenario.ignoresStored
      ? {}
      : { stored: names.map(name => shown(stored.get(name), scenario)) }
    // Names of topics, and of what is named after them, are the only difference there has to be.
    const text = JSON.stringify({ saw: saw[side], ...kept }).replaceAll(names[0], 'TOPIC')
    return JSON.parse(text) as unknown
  }
  const [original, ours] = [of('original'), of('ours')]
  let isEqual = true
  try {
    assert.deepEqual(ours, original)
  } catch {
    isEqual = false
  }
  return { name: scenario.name, original, ours, isEqual, different: scenario.different }
}

function shown(records: readonly StoredRecord[] = [], { comparesTimes }: Scenario): unknown {
  return records.map(({ partition, offset, timestamp, key, value, headers }) => [
    partition,
    offset,
    ...(comparesTimes ? [timestamp] : []),
    plain(key),
    plain(value),
    plain(headers),
  ])
}
