/** The APIs that the in-process broker serves. */
export const apiNames = [
  'Produce',
  'Fetch',
  'ListOffsets',
  'Metadata',
  'FindCoordinator',
  'SaslHandshake',
  'ApiVersions',
  'CreateTopics',
  'InitProducerId',
  'AddPartitionsToTxn',
  'AddOffsetsToTxn',
  'EndTxn',
  'TxnOffsetCommit',
  'SaslAuthenticate',
  'DescribeTransactions',
  'GetTelemetrySubscriptions',
  'PushTelemetry',
] as const

/** Name of an API, as Kafka's documentation has it. */
export type ApiName = (typeof apiNames)[number]
