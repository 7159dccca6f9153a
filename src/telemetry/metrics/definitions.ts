import type { Stat } from './sensor.js'

/** One metric of a sensor: its name, what it makes of the values, and a description for people. */
export type MetricRow = readonly [name: string, stat: Stat, description: string]

type SensorRows = Readonly<Record<string, readonly MetricRow[]>>

/**
 * The metrics of Java's producer 4.3 (`SenderMetricsRegistry`, `KafkaProducerMetrics`, `Selector`,
 * `BufferPool`), by the event that they are measured at. Names, groups and tags are Java's, descriptions are
 * not. Units: sizes in bytes, times in milliseconds unless the name says `ns`.
 */
export const PRODUCER_GROUP = 'producer-metrics'
export const NODE_GROUP = 'producer-node-metrics'
export const TOPIC_GROUP = 'producer-topic-metrics'
export const APP_INFO_GROUP = 'app-info'
export const COUNT_GROUP = 'kafka-metrics-count'

/** Average and largest value. */
function avgMax(prefix: string, average: string, largest: string): readonly MetricRow[] {
  return [
    [`${prefix}-avg`, 'avg', average],
    [`${prefix}-max`, 'max', largest],
  ]
}

/** How many per second, and how many in all; the values are added. */
function meter(prefix: string, what: string): readonly MetricRow[] {
  return [
    [`${prefix}-rate`, 'rate', `${what}, per second`],
    [`${prefix}-total`, 'total', `${what}, in all`],
  ]
}

/** As {@link meter}, of events whatever their value. */
function eventMeter(prefix: string, what: string): readonly MetricRow[] {
  return [
    [`${prefix}-rate`, 'event-rate', `${what}, per second`],
    [`${prefix}-total`, 'event-total', `${what}, in all`],
  ]
}

function totalNs(name: string, what: string): readonly MetricRow[] {
  return [[`${name}-time-ns-total`, 'total', `${what}, in nanoseconds`]]
}

export const producerSensors = {
  batchSize: avgMax('batch-size', 'Average bytes of a batch sent', 'Bytes of the largest batch sent'),
  compression: [
    ['compression-rate-avg', 'avg', 'Average of compressed through uncompressed bytes of a batch'],
  ],
  queueTime: avgMax(
    'record-queue-time',
    'Average time of a batch from its first record to its sending',
    'Longest time of a batch from its first record to its sending',
  ),
  requestLatency: avgMax(
    'request-latency',
    'Average time from a Produce request to its answer',
    'Longest time from a Produce request to its answer',
  ),
  recordsPerRequest: [
    ...meter('record-send', 'Records sent, those sent again included'),
    ['records-per-request-avg', 'avg', 'Average number of records of a Produce request'],
  ],
  retries: meter('record-retry', 'Records put back to be sent again'),
  errors: meter('record-error', 'Records that failed'),
  largestRecord: avgMax(
    'record-size',
    'Average of the largest record of each batch',
    'Upper bound of the largest record',
  ),
  throttle: avgMax(
    'produce-throttle-time',
    'Average time that brokers asked to be left alone',
    'Longest time that a broker asked to be left alone',
  ),
  splits: meter('batch-split', 'Batches divided because a broker found them too large'),
  bufferExhausted: meter('buffer-exhausted', 'Records that gave up waiting for memory'),
  bufferWait: [
    ['bufferpool-wait-ratio', 'ratio', 'Share of the time in which records waited for memory'],
    ['bufferpool-wait-time-ns-total', 'total', 'Time in which records waited for memory, in nanoseconds'],
  ],
  metadataWait: totalNs('metadata-wait', 'Time that records waited for the metadata of a topic'),
  flush: totalNs('flush', 'Time spent in flush'),
  txnInit: totalNs('txn-init', 'Time spent in initTransactions'),
  txnBegin: totalNs('txn-begin', 'Time spent in beginTransaction'),
  txnSendOffsets: totalNs('txn-send-offsets', 'Time spent in sendOffsetsToTransaction'),
  txnCommit: totalNs('txn-commit', 'Time spent in commitTransaction'),
  txnAbort: totalNs('txn-abort', 'Time spent in abortTransaction'),
  txnPrepare: totalNs('txn-prepare', 'Time spent preparing transactions, which this producer cannot'),
  connectionsClosed: meter('connection-close', 'Connections closed, attempts at one included'),
  connectionsCreated: meter('connection-creation', 'Connections made'),
  authenticated: meter('successful-authentication', 'Connections authenticated by TLS or SASL'),
  authenticationFailed: meter('failed-authentication', 'Connections that a broker or this client refused'),
  reauthenticated: meter('successful-reauthentication', 'Sessions renewed'),
  reauthenticationFailed: meter('failed-reauthentication', 'Sessions that could not be renewed'),
  authenticatedNoReauth: [
    [
      'successful-authentication-no-reauth-total',
      'total',
      'Connections authenticated, counted where the peer renews no sessions: on this side all',
    ],
  ],
  reauthenticationLatency: avgMax(
    'reauthentication-latency',
    'Average time of renewing a session',
    'Longest time of renewing a session',
  ),
  networkIo: eventMeter('network-io', 'Reads and writes of sockets'),
  incomingBytes: meter('incoming-byte', 'Bytes read from all brokers'),
  requests: [
    ...eventMeter('request', 'Requests sent'),
    ...meter('outgoing-byte', 'Bytes written to all brokers'),
    ...avgMax('request-size', 'Average bytes of a request', 'Bytes of the largest request'),
  ],
  responses: eventMeter('response', 'Responses received'),
  polls: [
    ...eventMeter('select', 'Turns of the event loop in which the sender looked for work'),
    ['io-wait-time-ns-avg', 'avg', 'Idle time of the event loop for each of these turns, in nanoseconds'],
    ['io-wait-ratio', 'ratio', 'Share of the time in which the event loop was idle'],
    ['io-wait-time-ns-total', 'total', 'Idle time of the event loop, in nanoseconds'],
  ],
  busy: [
    ['io-time-ns-avg', 'avg', 'Busy time of the event loop for each of these turns, in nanoseconds'],
    ['io-ratio', 'ratio', 'Share of the time in which the event loop was busy'],
    ['io-time-ns-total', 'total', 'Busy time of the event loop, in nanoseconds'],
  ],
} as const satisfies SensorRows

export const nodeSensors = {
  incomingBytes: meter('incoming-byte', 'Bytes read from the broker'),
  requests: [
    ...eventMeter('request', 'Requests sent to the broker'),
    ...meter('outgoing-byte', 'Bytes written to the broker'),
    ...avgMax('request-size', 'Average bytes of a request', 'Bytes of the largest request'),
  ],
  responses: eventMeter('response', 'Responses of the broker'),
  latency: avgMax(
    'request-latency',
    'Average time from a Produce request to its answer',
    'Longest time from a Produce request to its answer',
  ),
} as const satisfies SensorRows

export const topicSensors = {
  records: meter('record-send', 'Records of the topic sent, those sent again included'),
  bytes: meter('byte', 'Bytes of the batches of the topic'),
  compression: [['compression-rate', 'avg', 'Average of compressed through uncompressed bytes of a batch']],
  retries: meter('record-retry', 'Records of the topic put back to be sent again'),
  errors: meter('record-error', 'Records of the topic that failed'),
} as const satisfies SensorRows

/** Metrics that are computed when they are read. */
export const producerGauges = {
  'buffer-total-bytes': 'Bytes of memory that records may take (buffer.memory)',
  'buffer-available-bytes': 'Bytes of buffer.memory that hold no record',
  'waiting-threads': 'Records that wait for memory',
  'requests-in-flight': 'Requests of any kind that wait for their answer',
  'metadata-age': 'Age of the metadata in seconds',
  'connection-count': 'Connections that are open or being made',
} as const
export type ProducerGauge = keyof typeof producerGauges
