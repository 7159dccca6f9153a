// reference/protocol.md: the APIs that are spoken, and the brokers that have been tested.
import { built, code, generatedBy, source, table, tablesOf } from './support.mjs'

/** What each API is used for; those of the in-process broker alone are not a producer's. */
const PURPOSES = {
  Produce: 'records',
  Metadata: 'brokers, topics, partitions and leaders',
  FindCoordinator: 'the coordinator of a transactional id or group',
  SaslHandshake: 'the mechanism of authentication',
  ApiVersions: 'what a broker supports',
  InitProducerId: 'producer id and epoch',
  AddPartitionsToTxn: 'transactions, where the cluster is older than 4.0',
  AddOffsetsToTxn: 'transactions with offsets of a consumer group',
  EndTxn: 'commit and abort',
  TxnOffsetCommit: 'transactions with offsets of a consumer group',
  SaslAuthenticate: 'authentication, and its renewal',
  DescribeTransactions: 'how an earlier transaction has ended',
  GetTelemetrySubscriptions: 'metrics for the cluster (KIP-714)',
  PushTelemetry: 'metrics for the cluster (KIP-714)',
}

/** Features by the version of Kafka that they need. */
const FEATURES = [
  ['sending, with and without idempotence; headers; `acks` 0, 1 and all', '0.11'],
  ['transactions', '0.11'],
  ['`compression.type` gzip, snappy, lz4', '0.11'],
  ['`compression.type` zstd', '2.1'],
  ['recovery of a transactional producer after a failed batch (KIP-360)', '2.5'],
  ['idempotence without the right IDEMPOTENT_WRITE (KIP-679)', '2.8'],
  ['names of the bad records of a batch (KIP-467)', '2.4'],
  ['hints to the new leader (KIP-951)', '3.7'],
  ['metrics for the cluster (KIP-714)', '3.7'],
  ['transactions of the second generation (KIP-890)', '4.0'],
  ['topic ids in Produce (KIP-516)', '4.1'],
]

export async function protocolPage() {
  const { apis } = await built('protocol/apis.js')
  const matrix = [...tablesOf(source('test/brokers/results.md')).values()][0]
  const checks = matrix.head.slice(2, -1)
  const rows = matrix.rows.map(([broker, version, ...results]) => {
    const passed = results.slice(0, checks.length).filter(result => result === 'ok').length
    return [broker, version, `${passed} of ${checks.length}`]
  })
  return `${[
    '# Protocol and brokers',
    generatedBy('src/protocol and test/brokers/results.md'),
    '## Which brokers work',
    `One suite of ${checks.length} checks runs on each of these. \`npm run brokers\` repeats it; [the matrix](../../test/brokers/results.md)
has every check. \`npm test\` runs the oldest and the newest Apache Kafka.`,
    table(['broker', 'version', 'checks passed'], rows),
    `Redpanda, Confluent Cloud, Amazon MSK, Azure Event Hubs, Aiven and Strimzi speak the same protocol. They have not been
tested here. [Security recipes](../security-recipes.md) has their options.`,
    '## What needs which version of Kafka',
    table(['feature', 'from Kafka'], FEATURES),
    `What a broker lacks is refused with [\`UNSUPPORTED_VERSION\`](errors.md#unsupported_version). Features without an error are not
used with brokers that lack them.`,
    '## APIs',
    'The client asks each broker for the versions that it supports, and uses the highest that both know.',
    table(
      ['API', 'key', 'versions', 'used for'],
      apis
        .filter(({ name }) => PURPOSES[name])
        .map(({ name, key, minVersion, maxVersion }) => [
          code(name),
          key,
          minVersion === maxVersion ? minVersion : `${minVersion} to ${maxVersion}`,
          PURPOSES[name],
        ]),
    ),
    `\`startBroker\` of \`millrace/testing\` answers these and ${apis
      .filter(({ name }) => !PURPOSES[name])
      .map(({ name }) => code(name))
      .join(', ')}.
Records are written as batches of format 2 alone.`,
  ].join('\n\n')}\n`
}
