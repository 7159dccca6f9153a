import { startBroker, type TestBroker } from '../../../dist/testing/index.js'
import type { StoredRecord } from './contents.js'
import type { Plan } from './plan.js'

export type Isolation = 'read_uncommitted' | 'read_committed'

/** A record in the log, with what its batch says of its producer where that can be read. */
export interface LoggedRecord extends StoredRecord {
  readonly producerId?: bigint
  readonly epoch?: number
  readonly sequence?: number
}

/** A cluster that a world sends to, and a way to read what it holds. */
export interface Ground {
  readonly bootstrapServers: string
  /** The in-process broker, which can be made to fail; null for a real one. */
  readonly broker: TestBroker | null
  /** Partition by partition, in the order of offsets. */
  records(
    topic: string,
    isolation: Isolation,
  ): AsyncIterable<readonly LoggedRecord[]> | Iterable<readonly LoggedRecord[]>
  close(): Promise<void>
}

const READ_AT_ONCE = 1000

/** The in-process broker with the topics of the plan. */
export async function inProcessGround(plan: Plan): Promise<Ground> {
  const broker = await startBroker({
    quiet: true,
    verify: 'strict',
    nodes: plan.nodes,
    autoCreateTopics: false,
    ...(plan.transactionVersion !== null && { transactionVersion: plan.transactionVersion }),
  })
  for (const { name, partitions, maxMessageBytes, isStampedByBroker } of plan.topics) {
    const config = {
      ...(maxMessageBytes !== null && { 'max.message.bytes': maxMessageBytes }),
      ...(isStampedByBroker && { 'message.timestamp.type': 'LogAppendTime' as const }),
    }
    broker.createTopic(name, { partitions, config })
  }
  return {
    bootstrapServers: broker.bootstrapServers,
    broker,
    *records(topic, isolation) {
      let some: LoggedRecord[] = []
      for (const record of broker.records(topic, undefined, { isolation })) {
        some.push(record)
        if (some.length < READ_AT_ONCE) continue
        yield some
        some = []
      }
      yield some
    },
    close: () => broker.close(),
  }
}
