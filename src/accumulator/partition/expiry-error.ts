import { type KafkaError, TimeoutError } from '../../errors/index.js'
import { NO_LEADER, type PartitionBatch, type PartitionState } from './partition-state.js'

/** What the records of a batch hear when `delivery.timeout.ms` is over: where it stood, and what kept it. */
export function expiryError(
  batch: PartitionBatch,
  isInFlight: boolean,
  nowMs: number,
  cause: KafkaError | null,
): TimeoutError {
  const { partition, recordCount, attempts, createdMs } = batch
  const topic = partition.topic.name
  const where = isInFlight ? 'in flight' : attempts > 0 ? 'waiting to be retried' : 'queued'
  const reason = cause === null ? '' : ` The last error: ${cause.message}`
  return new TimeoutError(
    `${recordCount} record(s) for ${topic}-${partition.index} were not delivered within ` +
      `delivery.timeout.ms: ${Math.round(nowMs - createdMs)} ms old, ${where}, ` +
      `after ${attempts} retries; ${describeLeader(partition)}.${reason}`,
    { topic, partition: partition.index, ...(cause === null ? {} : { cause }) },
  )
}

function describeLeader({ topic, index, leaderId }: PartitionState): string {
  if (index >= topic.partitionCount) return `the topic has only ${topic.partitionCount} partition(s) now`
  return leaderId === NO_LEADER ? 'the partition has no leader' : `leader ${leaderId}`
}
