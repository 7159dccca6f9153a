// Brokers before Kafka 0.11: they are found out at the first contact, and whoever waits hears of it at once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'

/** What Kafka 0.10.2 announces of the APIs that are served here. */
const KAFKA_0_10_2 = {
  Produce: [0, 2],
  Fetch: [0, 3],
  Metadata: [0, 2],
  FindCoordinator: [0, 0],
  SaslHandshake: [0, 0],
  ApiVersions: [0, 0],
  CreateTopics: [0, 1],
  ListOffsets: [0, 1],
  InitProducerId: null,
  AddPartitionsToTxn: null,
  AddOffsetsToTxn: null,
  EndTxn: null,
  TxnOffsetCommit: null,
  SaslAuthenticate: null,
  DescribeTransactions: null,
} as const

/** Far beyond what the test waits: whoever hears nothing at once times out the test. */
const NEVER_MS = 3_600_000
const TOLD = {
  name: 'UnsupportedVersionError',
  code: 'UNSUPPORTED_VERSION',
  message: /older than Kafka 0\.11, which this client needs: it takes Metadata in versions 0 to 2/,
}

const forms: Readonly<Record<string, (producer: Producer) => Promise<unknown>>> = {
  'send with a promise': producer => producer.send({ topic: 't', value: 'v' }),
  'send with a callback': producer =>
    new Promise((resolve, reject) => {
      producer.send({ topic: 't', value: 'v' }, (error, metadata) =>
        error ? reject(error) : resolve(metadata),
      )
    }),
  partitionsFor: producer => producer.partitionsFor('t'),
}

for (const [name, act] of Object.entries(forms)) {
  test(`${name} fails at once on a broker that is too old, again and again`, {
    timeout: 60_000,
  }, async () => {
    await using broker = await startBroker({ quiet: true, apiVersions: KAFKA_0_10_2 })
    await using producer = new Producer({
      bootstrapServers: broker.bootstrapServers,
      maxBlockMs: NEVER_MS,
      deliveryTimeoutMs: NEVER_MS,
    })
    for (let i = 0; i < 3; i++) await assert.rejects(act(producer), TOLD)
  })
}

test('sendMany says so for every record', { timeout: 60_000 }, async () => {
  await using broker = await startBroker({ quiet: true, apiVersions: KAFKA_0_10_2 })
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, maxBlockMs: NEVER_MS })
  const records = [
    { topic: 't', value: 'a' },
    { topic: 'u', value: 'b' },
  ]
  await assert.rejects(producer.sendMany(records), (error: Error & { errors?: Map<number, unknown> }) => {
    assert.equal(error.name, 'SendManyError')
    assert.match(String(error.cause ?? error.message), /older than Kafka 0\.11/)
    return true
  })
})

test('initTransactions says so, too', { timeout: 60_000 }, async () => {
  await using broker = await startBroker({ quiet: true, apiVersions: KAFKA_0_10_2 })
  await using producer = new Producer({
    bootstrapServers: broker.bootstrapServers,
    transactionalId: 'tx',
    maxBlockMs: NEVER_MS,
  })
  await assert.rejects(producer.initTransactions(), (error: Error) => {
    assert.match(error.message, /is older than Kafka 0\.11, which this client needs/)
    assert.equal((error.cause as Error).name, 'UnsupportedVersionError')
    return true
  })
})
