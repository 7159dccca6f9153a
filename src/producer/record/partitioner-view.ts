import type { TopicState } from '../../accumulator/partition/topic-state.js'
import type { MetadataCache } from '../../cluster/metadata-cache.js'
import type { Partitioner, PartitionerCluster, PluginPartition } from '../../config/index.js'
import { InvalidRecordError } from '../../errors/index.js'
import type { NativeBytes } from '../../native/addon.js'
import { storedBytes } from '../../serialization/index.js'
import { checkPartition } from './record-checks.js'

/** A custom partitioner and the view of the cluster it is given. */
export class PartitionerView implements PartitionerCluster {
  private readonly partitioner: Partitioner
  private readonly metadata: MetadataCache

  constructor(partitioner: Partitioner, metadata: MetadataCache) {
    this.partitioner = partitioner
    this.metadata = metadata
  }

  /** Asks the partitioner; refuses what is not a partition of the topic. */
  choose(topic: TopicState, key: NativeBytes, value: NativeBytes): number {
    let answer: unknown
    try {
      answer = this.partitioner.partition(topic.name, storedBytes(key), storedBytes(value), this)
    } catch (cause) {
      throw new InvalidRecordError(`The custom partitioner threw for a record to topic ${topic.name}.`, {
        topic: topic.name,
        cause,
      })
    }
    const partition = checkPartition(answer, topic.name, 'The custom partition')
    if (partition < topic.partitionCount) return partition
    throw new InvalidRecordError(
      `The custom partitioner chose partition ${partition} of topic ${topic.name}, which has ` +
        `${topic.partitionCount}.`,
      { topic: topic.name, partition },
    )
  }

  partitionCountForTopic(topic: string): number | undefined {
    return this.metadata.topic(topic)?.partitions.length
  }

  partitionsForTopic(topic: string): readonly PluginPartition[] {
    const partitions = this.metadata.topic(topic)?.partitions ?? []
    return partitions.map(({ index, leaderId }) => ({ topic, partition: index, leader: leaderId }))
  }

  availablePartitionsForTopic(topic: string): readonly PluginPartition[] {
    return this.partitionsForTopic(topic).filter(({ leader }) => leader >= 0)
  }
}
