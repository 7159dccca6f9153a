import { PartitionLog } from './partition-log.js'

/** Topic configuration that the broker acts on; others are kept and told, and do nothing. */
export interface TopicConfig {
  /** `LogAppendTime` makes the broker stamp records. Default `CreateTime`. */
  'message.timestamp.type'?: 'CreateTime' | 'LogAppendTime'
  /** Largest batch taken, in bytes. Default: the broker's `maxMessageBytes`. */
  'max.message.bytes'?: number | string
  [key: string]: string | number | undefined
}

const LONGEST_NAME = 249
const LEGAL_NAME = /^[a-zA-Z0-9._-]+$/

/** Kafka's rule: 1 to 249 of letters, digits, `.`, `_` and `-`, and neither `.` nor `..`. */
export function isValidTopicName(name: string): boolean {
  return name.length <= LONGEST_NAME && LEGAL_NAME.test(name) && name !== '.' && name !== '..'
}

export class Topic {
  readonly name: string
  readonly id: Uint8Array
  readonly config: Readonly<TopicConfig>
  readonly maxMessageBytes: number
  readonly partitions: PartitionLog[] = []
  private readonly retain: boolean

  constructor(
    name: string,
    id: Uint8Array,
    config: Readonly<TopicConfig>,
    defaults: { readonly maxMessageBytes: number; readonly retain: boolean },
  ) {
    this.name = name
    this.id = id
    this.config = config
    this.maxMessageBytes = Number(config['max.message.bytes'] ?? defaults.maxMessageBytes)
    this.retain = defaults.retain
  }

  /** Adds a partition after the present ones. */
  addPartition(leaderId: number): void {
    const logAppendTime = this.config['message.timestamp.type'] === 'LogAppendTime'
    this.partitions.push(
      new PartitionLog(this.partitions.length, leaderId, { logAppendTime, retain: this.retain }),
    )
  }
}
