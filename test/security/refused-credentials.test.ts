// Credentials that are refused are not tried again and again while nothing waits for them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Producer, type ProducerOptions } from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'
import { setTimeouts } from '../helpers/timeouts.js'
import { silent } from '../transactions/support.js'

const LOGIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required'

function producerOf(broker: TestBroker, password: string, options: Partial<ProducerOptions> = {}) {
  return new Producer({
    bootstrapServers: broker.bootstrapServers,
    securityProtocol: 'SASL_PLAINTEXT',
    saslMechanism: 'PLAIN',
    saslJaasConfig: `${LOGIN} username="ann" password="${password}";`,
    reconnectBackoffMs: 10,
    reconnectBackoffMaxMs: 20,
    retryBackoffMs: 10,
    retryBackoffMaxMs: 20,
    lingerMs: 0,
    logger: silent,
    ...options,
  })
}

const attempts = (broker: TestBroker) => broker.counters().requests.SaslAuthenticate ?? 0

/** So long nobody may try: many backoffs. */
const QUIET_MS = 700

async function staysQuiet(broker: TestBroker, most: number): Promise<void> {
  const before = attempts(broker)
  await sleep(QUIET_MS)
  assert.ok(attempts(broker) - before <= most, `${attempts(broker) - before} attempts, and nothing waits`)
}

const calls: Record<string, (producer: Producer) => Promise<unknown>> = {
  send: producer => producer.send({ topic: 't', value: 'v' }),
  sendMany: producer => producer.sendMany([{ topic: 't', value: 'v' }]),
  partitionsFor: producer => producer.partitionsFor('t'),
  connect: producer => producer.connect(),
}

for (const [name, call] of Object.entries(calls)) {
  test(`after a refused ${name} nobody tries again until something is asked, and then it works`, async () => {
    const users: Record<string, string> = { ann: 'other' }
    await using broker = await startBroker({ quiet: true, nodes: 2, sasl: { users } })
    await using producer = producerOf(broker, 'hers')
    for (let round = 0; round < 2; round++) {
      await assert.rejects(call(producer), /AUTHENTICATION_FAILED/)
      // A connection to the other broker may have been on its way.
      await staysQuiet(broker, 1)
    }
    users.ann = 'hers'
    await call(producer)
    await producer.send({ topic: 't', value: 'stored' })
    assert.equal([...broker.records('t')].length, name.startsWith('send') ? 2 : 1)
  })
}

test('so it is after initTransactions', async () => {
  const users: Record<string, string> = { ann: 'other' }
  await using broker = await startBroker({ quiet: true, sasl: { users } })
  await using producer = producerOf(broker, 'hers', { transactionalId: 'tx' })
  await assert.rejects(producer.initTransactions(), { code: 'AUTHENTICATION_FAILED' })
  await staysQuiet(broker, 0)
  users.ann = 'hers'
  await producer.initTransactions()
  await producer.transaction(() => producer.send({ topic: 't', value: 'stored' }))
})

test('a password that is changed later is tried once while nothing waits; what waits is stored in the end', async () => {
  const users: Record<string, string> = { ann: 'hers' }
  await using broker = await startBroker({ quiet: true, sasl: { users } })
  await using producer = producerOf(broker, 'hers')
  await producer.send({ topic: 't', value: 'before' })
  users.ann = 'other'
  broker.disconnect()
  await staysQuiet(broker, 2)
  const waits = producer.send({ topic: 't', value: 'waits' })
  const tried = attempts(broker)
  await sleep(300)
  assert.ok(attempts(broker) > tried, 'it is tried while a record waits')
  users.ann = 'hers'
  await waits
  assert.equal([...broker.records('t')].length, 2)
})

test('one broker that refuses does not keep the others from telling what is new', async () => {
  const users: Record<string, string> = { ann: 'hers' }
  await using broker = await startBroker({ quiet: true, nodes: 2, sasl: { users } })
  broker.createTopic('led', { leaders: [1, 2] })
  await using producer = producerOf(broker, 'hers', { metadataMaxAgeMs: 100 })
  await producer.send({ topic: 'led', partition: 0, value: 'before' })
  users.ann = 'other'
  setTimeouts(producer, { deliveryTimeoutMs: 200 })
  // Broker 1 has let it in, broker 2 does not.
  await assert.rejects(producer.send({ topic: 'led', partition: 1, value: 'lost' }), { code: 'TIMED_OUT' })
  await sleep(200)
  const asked = () => broker.counters().requests.Metadata ?? 0
  const before = asked()
  await eventually('metadata are asked for again', () => asked() > before + 2)
})
