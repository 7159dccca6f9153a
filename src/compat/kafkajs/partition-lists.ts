import type { Producer } from '../../index.js'
import type { PartitionMetadata } from './types.js'

/** A partitioner may see leaders as they were so long ago. */
const FRESH_MS = 1_000

interface Entry {
  list: PartitionMetadata[]
  asOf: number
}

/** The partitions of topics as KafkaJS's partitioners see them. */
export class PartitionLists {
  private readonly entries = new Map<string, Entry>()
  /** Calls that wait for a topic's list; later ones queue behind them, or they would overtake. */
  private readonly waiting = new Map<
    string,
    { readonly loaded: Promise<PartitionMetadata[]>; count: number }
  >()

  /** The topic's list if it is known and nobody waits for it. */
  current(engine: Producer, topic: string): PartitionMetadata[] | null {
    const entry = this.entries.get(topic)
    if (entry === undefined || this.waiting.has(topic)) return null
    if (Date.now() - entry.asOf > FRESH_MS) {
      entry.asOf = Date.now()
      this.load(engine, topic).catch(() => {})
    }
    return entry.list
  }

  /**
   * Calls `use` with the list when it is there, in the order of the calls; rejects as `partitionsFor` does.
   */
  async whenKnown<T>(
    engine: Producer,
    topic: string,
    use: (list: PartitionMetadata[]) => Promise<T>,
  ): Promise<T> {
    let waiting = this.waiting.get(topic)
    if (waiting === undefined) {
      waiting = { loaded: this.load(engine, topic), count: 0 }
      this.waiting.set(topic, waiting)
    }
    waiting.count++
    let list: PartitionMetadata[]
    try {
      list = await waiting.loaded
    } finally {
      if (--waiting.count === 0) this.waiting.delete(topic)
    }
    return use(list)
  }

  private async load(engine: Producer, topic: string): Promise<PartitionMetadata[]> {
    const partitions = await engine.partitionsFor(topic)
    const list = partitions.map(({ partition, leader, replicas, inSyncReplicas }) => ({
      partitionErrorCode: 0,
      partitionId: partition,
      leader,
      replicas: [...replicas],
      isr: [...inSyncReplicas],
      offlineReplicas: [],
    }))
    this.entries.set(topic, { list, asOf: Date.now() })
    return list
  }
}
