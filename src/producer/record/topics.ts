import type { RecordAccumulator } from '../../accumulator/accumulator.js'
import type { TopicState } from '../../accumulator/partition/topic-state.js'
import type { MetadataCache } from '../../cluster/metadata-cache.js'
import { checkTopic } from './record-checks.js'

/** The topics that a producer has been asked to send to, kept in step with the cluster's metadata. */
export class Topics {
  private readonly accumulator: RecordAccumulator
  private readonly metadata: MetadataCache
  private readonly byName = new Map<string, TopicState>()
  private followedVersion = -1

  constructor(accumulator: RecordAccumulator, metadata: MetadataCache) {
    this.accumulator = accumulator
    this.metadata = metadata
  }

  /** The topic of this name; new to the producer at first use. Throws if no topic can have the name. */
  of(name: unknown): TopicState {
    const known = this.byName.get(name as string)
    if (known !== undefined) return known
    checkTopic(name)
    const topic = this.accumulator.addTopic(name)
    this.byName.set(name, topic)
    this.follow(topic)
    return topic
  }

  /** The topic of this name if the producer has been asked to send to it. */
  find(name: string): TopicState | undefined {
    return this.byName.get(name)
  }

  /** Takes over metadata that has changed since the last call. False if none has. */
  followMetadata(): boolean {
    if (this.metadata.version === this.followedVersion) return false
    this.followedVersion = this.metadata.version
    let hasMoved = false
    for (const topic of this.byName.values()) if (this.follow(topic)) hasMoved = true
    if (hasMoved) this.accumulator.leadersChanged()
    return true
  }

  /** A broker has named the topic's new leaders; they are in the metadata. */
  followLeaders(name: string): void {
    const topic = this.byName.get(name)
    if (topic !== undefined && this.follow(topic)) this.accumulator.leadersChanged()
  }

  /** True if the topic's leaders have moved. */
  private follow(topic: TopicState): boolean {
    const metadata = this.metadata.topic(topic.name) ?? null
    if (metadata === topic.metadata) return false
    return this.accumulator.updateTopic(topic, metadata)
  }
}
