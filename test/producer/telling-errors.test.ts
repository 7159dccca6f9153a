// Errors and lines of log that name what to mend.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type KafkaError, Producer, type ProducerOptions } from '../../dist/index.js'
import { type BrokerOptions, startBroker, type TestBroker } from '../../dist/testing/index.js'
import { Authority, opensslSkip } from '../helpers/certificates.js'
import { RecordingLogger } from '../helpers/cluster-options.js'

async function withProducer(
  brokerOptions: BrokerOptions,
  options: Partial<ProducerOptions>,
  work: (producer: Producer, broker: TestBroker, logger: RecordingLogger) => Promise<void>,
): Promise<void> {
  await using broker = await startBroker({ quiet: true, ...brokerOptions })
  const logger = new RecordingLogger()
  const { bootstrapServers } = broker
  const producer = new Producer({ bootstrapServers, lingerMs: 0, logger, ...options })
  try {
    await work(producer, broker, logger)
  } finally {
    await producer.close({ timeoutMs: 0 })
  }
}

function rejectionOf(promise: Promise<unknown>): Promise<KafkaError> {
  return promise.then(
    () => assert.fail('it was resolved'),
    (error: KafkaError) => error,
  )
}

const record = { topic: 't', value: 'v' }

describe('a client that speaks plain text', () => {
  test('at a port with TLS says which option to set', { skip: opensslSkip() }, () => {
    const { cert, key } = new Authority().issue()
    return withProducer({ tls: { cert, key } }, { maxBlockMs: 1000 }, async (producer, _broker, logger) => {
      const error = await rejectionOf(producer.send(record))
      assert.equal(error.code, 'TIMED_OUT')
      assert.match(error.message, /TLS.*security\.protocol/)
      assert.ok(logger.lines.some(({ message }) => /security\.protocol/.test(message)))
    })
  })

  test('at a port that wants authentication says so', () =>
    withProducer({ sasl: { users: { ann: 'hers' } } }, { maxBlockMs: 1000 }, async producer => {
      const error = await rejectionOf(producer.send(record))
      assert.match(error.message, /authentication.*security\.protocol and sasl\.mechanism/)
    }))

  test('at its own port hears nothing of that when the broker goes', () =>
    withProducer({}, { reconnectBackoffMs: 5 }, async (producer, broker, logger) => {
      await producer.send(record)
      broker.disconnect()
      await producer.send(record)
      assert.ok(!logger.lines.some(({ message }) => /security\.protocol/.test(message)))
    }))
})

test('a broker without producer ids is told by the option that does without', () =>
  withProducer({ apiVersions: { InitProducerId: null } }, {}, async producer => {
    const error = await rejectionOf(producer.send(record))
    assert.equal(error.code, 'UNSUPPORTED_VERSION')
    assert.match(error.message, /enable\.idempotence: false/)
  }))

test('and without idempotence it takes records', () =>
  withProducer({ apiVersions: { InitProducerId: null } }, { enableIdempotence: false }, async producer => {
    assert.equal((await producer.send(record)).offset, 0n)
  }))

test('a refused producer id is told in the words of the broker, not in ours', () =>
  withProducer({}, {}, async (producer, broker) => {
    broker.fail({ api: 'InitProducerId', error: 'CLUSTER_AUTHORIZATION_FAILED' })
    const error = await rejectionOf(producer.send(record))
    assert.equal(error.code, 'AUTHORIZATION_FAILED')
    assert.doesNotMatch(error.message, /the broker says/)
  }))

for (const [error, times] of [
  ['NOT_ENOUGH_REPLICAS', 1],
  ['NOT_ENOUGH_REPLICAS', 5],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 1],
  ['KAFKA_STORAGE_ERROR', 1],
] as const) {
  test(`records that are refused with ${error} ${times} times are one line of log, and one when stored`, () => {
    const backoff = { retryBackoffMs: 1, retryBackoffMaxMs: 2 }
    return withProducer({}, backoff, async (producer, broker, logger) => {
      await producer.send(record)
      const lines = () => logger.lines.map(({ message }) => message).filter(each => /topic t are/.test(each))
      broker.fail({ api: 'Produce', error, times })
      await producer.send(record)
      const [first, second, ...more] = lines()
      assert.match(first ?? '', new RegExp(`not stored.*${error} from broker`))
      assert.match(second ?? '', /stored again/)
      assert.deepEqual(more, [])
    })
  })
}

test('a leader that has just moved is no line of the log', () =>
  withProducer({}, { retryBackoffMs: 1 }, async (producer, broker, logger) => {
    broker.fail({ api: 'Produce', error: 'NOT_LEADER_OR_FOLLOWER', times: 2 })
    await producer.send(record)
    assert.ok(!logger.lines.some(({ message }) => /not stored/.test(message)))
  }))

test('a first record without a topic is refused by name, in every way to send', () =>
  withProducer({}, {}, async producer => {
    for (const topic of [undefined, null, 3, '', {}] as never[]) {
      const sends = [
        () => producer.send({ topic, value: 'v' }),
        () => new Promise((done, fail) => producer.send({ topic, value: 'v' }, e => (e ? fail(e) : done(e)))),
        () => producer.sendMany([{ topic, value: 'v' }]),
      ]
      for (const send of sends) assert.match((await rejectionOf(send())).message, /topic/)
    }
  }))

test('clientInstanceId that times out says what has kept it', () =>
  withProducer({}, {}, async (producer, broker) => {
    await broker.stopNode(1)
    const error = await rejectionOf(producer.clientInstanceId({ timeoutMs: 500 }))
    assert.equal(error.code, 'TIMED_OUT')
    assert.match(error.message, /within 500 ms.*ECONNREFUSED/)
  }))
