import { NODE_GROUP, PRODUCER_GROUP, TOPIC_GROUP } from '../metrics/definitions.js'

export type FamilyType = 'counter' | 'gauge' | 'histogram'

/** A metric by Java's name as Prometheus gets it. */
interface ExportedMetric {
  readonly group: string
  /** Java's name. */
  readonly metric: string
  /** Without the prefix. */
  readonly name: string
  readonly type: FamilyType
  readonly help: string
  /** By what the value is multiplied to be in base units. */
  readonly scale: number
}

export const PREFIX = 'millrace_producer_'
const NS = 1e-9

function row(group: string, type: FamilyType) {
  return (metric: string, name: string, help: string, scale = 1): ExportedMetric => ({
    ...{ group, metric, name, type, help, scale },
  })
}

const total = row(PRODUCER_GROUP, 'counter')
const gauge = row(PRODUCER_GROUP, 'gauge')
const node = row(NODE_GROUP, 'counter')
const topic = row(TOPIC_GROUP, 'counter')

/**
 * What is exported of Java's metrics: totals, from which Prometheus makes rates, and gauges. Averages and
 * maxima over windows of the producer's own are not: histograms take their place.
 */
export const exportedMetrics: readonly ExportedMetric[] = [
  total('record-send-total', 'records_sent_total', 'Records sent, those sent again included.'),
  total('record-retry-total', 'records_retried_total', 'Records put back to be sent again.'),
  total('record-error-total', 'record_errors_total', "Records that failed, by Java's count."),
  total('batch-split-total', 'batches_split_total', 'Batches divided because a broker found them too large.'),
  total('buffer-exhausted-total', 'buffer_exhausted_total', 'Records that gave up waiting for memory.'),
  total(
    ...(['bufferpool-wait-time-ns-total', 'buffer_wait_seconds_total'] as const),
    ...(['Time in which records waited for memory.', NS] as const),
  ),
  total(
    ...(['metadata-wait-time-ns-total', 'metadata_wait_seconds_total'] as const),
    ...(['Time that records waited for metadata.', NS] as const),
  ),
  total('flush-time-ns-total', 'flush_seconds_total', 'Time spent in flush.', NS),
  total('txn-init-time-ns-total', 'txn_init_seconds_total', 'Time spent in initTransactions.', NS),
  total('txn-begin-time-ns-total', 'txn_begin_seconds_total', 'Time spent in beginTransaction.', NS),
  total(
    ...(['txn-send-offsets-time-ns-total', 'txn_send_offsets_seconds_total'] as const),
    ...(['Time spent in sendOffsetsToTransaction.', NS] as const),
  ),
  total('txn-commit-time-ns-total', 'txn_commit_seconds_total', 'Time spent in commitTransaction.', NS),
  total('txn-abort-time-ns-total', 'txn_abort_seconds_total', 'Time spent in abortTransaction.', NS),
  total('connection-creation-total', 'connections_created_total', 'Connections made.'),
  total('connection-close-total', 'connections_closed_total', 'Connections closed, attempts included.'),
  total('successful-authentication-total', 'authentications_total', 'Connections authenticated.'),
  total('failed-authentication-total', 'authentication_failures_total', 'Connections refused.'),
  total('successful-reauthentication-total', 'reauthentications_total', 'Sessions renewed.'),
  total(
    ...(['failed-reauthentication-total', 'reauthentication_failures_total'] as const),
    'Sessions that could not be renewed.',
  ),
  total('network-io-total', 'network_operations_total', 'Reads and writes of sockets.'),
  total('select-total', 'loop_turns_total', 'Turns of the event loop in which the sender looked for work.'),
  total('io-wait-time-ns-total', 'loop_idle_seconds_total', 'Idle time of the event loop.', NS),
  total('io-time-ns-total', 'loop_busy_seconds_total', 'Busy time of the event loop.', NS),
  gauge('buffer-total-bytes', 'buffer_limit_bytes', 'Bytes of memory that records may take (buffer.memory).'),
  gauge('buffer-available-bytes', 'buffer_available_bytes', 'Bytes of buffer.memory that hold no record.'),
  gauge('waiting-threads', 'waiting_records', 'Records that wait for memory.'),
  gauge('requests-in-flight', 'requests_in_flight', 'Requests that wait for their answer.'),
  gauge('metadata-age', 'metadata_age_seconds', 'Age of the metadata.'),
  gauge('connection-count', 'connections', 'Connections that are open or being made.'),
  node('request-total', 'requests_total', 'Requests sent to the broker.'),
  node('response-total', 'responses_total', 'Responses of the broker.'),
  node('outgoing-byte-total', 'sent_bytes_total', 'Bytes written to the broker.'),
  node('incoming-byte-total', 'received_bytes_total', 'Bytes read from the broker.'),
  topic('record-send-total', 'topic_records_sent_total', 'Records of the topic sent, again included.'),
  topic('byte-total', 'topic_sent_bytes_total', 'Bytes of the batches of the topic.'),
  topic('record-retry-total', 'topic_records_retried_total', 'Records of the topic put back.'),
  topic('record-error-total', 'topic_record_errors_total', 'Records of the topic that failed.'),
]
