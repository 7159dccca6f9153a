import { ErrorCodes, errorName } from '../../protocol/error-codes.js'
import { NO_LEADER } from '../../protocol/node-endpoint.js'
import {
  PRODUCE_TOPIC_IDS_FROM,
  type ProducePartitionData,
  type ProducePartitionResponse,
  type ProduceRequest,
  type ProduceResponse,
} from '../../protocol/produce.js'
import { BatchError } from '../batch-error.js'
import type { FailRule } from '../faults/fail.js'
import type { Appended, PartitionLog } from '../partition-log.js'
import { type BatchHeader, checkBatch, putRight, readBatchHeader, withoutSurplus } from '../record-batch.js'
import type { Topic } from '../topic.js'
import { Disconnect, NO_REPLY, type RequestContext } from './context.js'
import { LeaderHints } from './leaders.js'
import { checkTransaction } from './produce-in-txn.js'

const ZSTD_CODEC_ID = 4
/** First version in which a producer may send zstd. */
const ZSTD_FROM = 7

/** Refusals of what a client has written wrongly; before Produce version 8 the answer has no reason. */
const MALFORMED: ReadonlySet<number> = new Set([
  ErrorCodes.CORRUPT_MESSAGE,
  ErrorCodes.INVALID_RECORD,
  ErrorCodes.INVALID_TIMESTAMP,
  ErrorCodes.UNSUPPORTED_COMPRESSION_TYPE,
])

/** Appends one batch per partition; every partition has its own outcome. */
export function handleProduce(
  context: RequestContext,
  request: ProduceRequest,
): ProduceResponse | typeof NO_REPLY | Disconnect {
  const { cluster, version } = context
  const { acks, transactionalId } = request
  const hints = new LeaderHints(cluster)
  let reason: string | undefined
  const responses = request.topicData.map(({ name, topicId, partitionData }) => {
    const byId = version >= PRODUCE_TOPIC_IDS_FROM
    const topic = byId ? cluster.topicById(topicId) : cluster.topics.get(name)
    const partitionResponses = partitionData.map(partition => {
      const response = producePartition(context, { acks, transactionalId }, topic, partition, hints)
      if (response.errorCode !== ErrorCodes.NONE) {
        reason ??= `${topic?.name ?? name}-${partition.index}: ${reasonOf(response)}`
        cluster.counters.rejected++
      }
      return response
    })
    return { name, topicId, partitionResponses }
  })
  if (acks === 0) {
    return reason === undefined ? NO_REPLY : new Disconnect(`Produce with acks 0 failed, ${reason}`)
  }
  return { responses, throttleTimeMs: 0, nodeEndpoints: hints.endpoints() }
}

function reasonOf({ errorCode, errorMessage }: ProducePartitionResponse): string {
  return errorMessage === null ? errorName(errorCode) : `${errorName(errorCode)}, ${errorMessage}`
}

/** What all partitions of a request share. */
type ProduceTerms = Pick<ProduceRequest, 'acks' | 'transactionalId'>

function producePartition(
  context: RequestContext,
  { acks, transactionalId }: ProduceTerms,
  topic: Topic | undefined,
  { index, records }: ProducePartitionData,
  hints: LeaderHints,
): ProducePartitionResponse {
  const failure = context.failures.match(topic?.name, index)
  if (failure !== undefined && !failure.afterAppend) return failedBy(failure, index)
  if (acks < -1 || acks > 1) return failed(index, ErrorCodes.INVALID_REQUIRED_ACKS, `acks is ${acks}`)
  const byId = context.version >= PRODUCE_TOPIC_IDS_FROM
  if (topic === undefined) {
    return failed(index, byId ? ErrorCodes.UNKNOWN_TOPIC_ID : ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  }
  const log = topic.partitions[index]
  if (log === undefined) return failed(index, ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  if (log.leaderId !== context.node.id) {
    return { ...failed(index, ErrorCodes.NOT_LEADER_OR_FOLLOWER), currentLeader: hints.leaderOf(log) }
  }
  try {
    const appended = appendBatch(context, transactionalId, topic, log, records)
    return failure === undefined ? succeeded(log, appended) : failedBy(failure, index)
  } catch (error) {
    if (!(error instanceof BatchError)) throw error
    const response = failed(index, error.errorCode, error.message)
    if (MALFORMED.has(error.errorCode)) {
      context.warn(`a batch for ${topic.name}-${index} is refused: ${reasonOf(response)}`)
    }
    return response
  }
}

function appendBatch(
  context: RequestContext,
  transactionalId: string | null,
  topic: Topic,
  log: PartitionLog,
  received: Uint8Array | null,
): Appended {
  const { cluster, version } = context
  const { verify } = cluster.settings
  const { counters } = cluster
  if (received === null) throw new BatchError(ErrorCodes.INVALID_RECORD, 'no batch')
  let records = verify === 'strict' ? received : withoutSurplus(received)
  let header = readBatchHeader(records)
  if (records.length > topic.maxMessageBytes) {
    throw new BatchError(
      ErrorCodes.MESSAGE_TOO_LARGE,
      `the batch has ${records.length} bytes, ${topic.name} takes at most ${topic.maxMessageBytes}`,
    )
  }
  if (header.codecId === ZSTD_CODEC_ID && version < ZSTD_FROM) {
    throw new BatchError(ErrorCodes.UNSUPPORTED_COMPRESSION_TYPE, `zstd needs Produce version ${ZSTD_FROM}`)
  }
  if (verify) ({ records, header } = checked(context, records, header))
  checkTransaction(context, transactionalId, header, log)
  if (verify && header.producerId >= 0n) {
    const duplicate = log.producers.check(header)
    if (duplicate !== null) {
      counters.duplicates++
      return duplicate
    }
  }
  const appended = log.append(records, header)
  counters.records += header.recordCount
  counters.batches++
  counters.bytes += records.length
  if (verify && header.producerId >= 0n) {
    log.producers.appended(header, appended.baseOffset, appended.logAppendTimeMs)
  }
  return appended
}

/** The batch as it is to be stored. */
function checked(
  { cluster, warn }: RequestContext,
  records: Uint8Array,
  header: BatchHeader,
): { records: Uint8Array; header: BatchHeader } {
  const check = checkBatch(records, header)
  const [oddity] = check.oddities
  if (oddity === undefined) return { records, header }
  if (cluster.settings.verify === 'strict') throw new BatchError(ErrorCodes.INVALID_RECORD, oddity)
  warn(`its batches are odd and taken, as Kafka takes them: ${check.oddities.join('; ')}`)
  const right = putRight(records, check)
  return { records: right, header: readBatchHeader(right) }
}

function succeeded(log: PartitionLog, { baseOffset, logAppendTimeMs }: Appended): ProducePartitionResponse {
  return {
    index: log.index,
    errorCode: ErrorCodes.NONE,
    baseOffset: BigInt(baseOffset),
    logAppendTimeMs: BigInt(logAppendTimeMs),
    logStartOffset: BigInt(log.startOffset),
    recordErrors: [],
    errorMessage: null,
    currentLeader: NO_LEADER,
  }
}

function failed(
  index: number,
  errorCode: number,
  errorMessage: string | null = null,
): ProducePartitionResponse {
  return {
    index,
    errorCode,
    baseOffset: -1n,
    logAppendTimeMs: -1n,
    logStartOffset: -1n,
    recordErrors: [],
    errorMessage,
    currentLeader: NO_LEADER,
  }
}

function failedBy(failure: FailRule, index: number): ProducePartitionResponse {
  const { errorCode, message, recordErrors, logStartOffset } = failure
  return { ...failed(index, errorCode, message), recordErrors, logStartOffset }
}
