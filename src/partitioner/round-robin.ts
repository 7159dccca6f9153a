/** What a round robin asks of the cluster; leaders that are not known are -1. */
interface RoundRobinCluster {
  partitionCountForTopic(topic: string): number | undefined
  availablePartitionsForTopic(topic: string): readonly { readonly partition: number }[]
}

/** Chooses partitions in turn. */
interface RoundRobinPartitioner {
  partition(topic: string, keyBytes: unknown, valueBytes: unknown, cluster: RoundRobinCluster): number
}

/** Java's name of it, as `partitioner.class` takes it. */
export const ROUND_ROBIN_CLASS = 'org.apache.kafka.clients.producer.RoundRobinPartitioner'

/**
 * A value for `partitioner.class`: the records of a topic go to its partitions in turn, whatever their keys.
 * Partitions without a leader are left out while others have one. It gives small batches, since every record
 * goes elsewhere; without it records that have no key are spread evenly, too, but a batch at a time.
 * (Java: `RoundRobinPartitioner`)
 */
export function roundRobinPartitioner(): RoundRobinPartitioner {
  const turns = new Map<string, number>()
  return {
    partition(topic, _keyBytes, _valueBytes, cluster) {
      const turn = turns.get(topic) ?? 0
      turns.set(topic, (turn + 1) % Number.MAX_SAFE_INTEGER)
      const available = cluster.availablePartitionsForTopic(topic)
      const next = available[turn % available.length]
      return next === undefined ? turn % (cluster.partitionCountForTopic(topic) ?? 1) : next.partition
    },
  }
}
