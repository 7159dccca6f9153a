import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AuthenticationError, type OauthToken, Producer, type ProducerOptions } from '../../dist/index.js'
import { scram as scramMechanism } from '../../dist/security/sasl/scram.js'
import { type SaslAnswer, startBroker, type TestBroker } from '../../dist/testing/index.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import { eventually } from '../helpers/eventually.js'
import { StandingClock } from '../helpers/standing-clock.js'

const module = (path: string, password = 's3cret') =>
  `org.apache.kafka.common.security.${path} required username="alice" password="${password}";`
const scram = { saslMechanism: 'SCRAM-SHA-512', saslJaasConfig: module('scram.ScramLoginModule') }

/** Tells clients of shorter sessions than are kept, so that a busy machine is not late for them. */
function told(lifetimeMs: number) {
  const tamper = (answer: SaslAnswer): SaslAnswer => {
    const { authenticate } = answer
    if (authenticate === undefined || authenticate.sessionLifetimeMs === 0n) return answer
    return { ...answer, authenticate: { ...authenticate, sessionLifetimeMs: BigInt(lifetimeMs) } }
  }
  return { sessionLifetimeMs: lifetimeMs + 10_000, tamper }
}

function producerOf(broker: TestBroker, options: Partial<ProducerOptions>): Producer {
  return new Producer({
    bootstrapServers: broker.bootstrapServers,
    securityProtocol: 'SASL_PLAINTEXT',
    maxBlockMs: 30_000,
    deliveryTimeoutMs: 40_000,
    requestTimeoutMs: 15_000,
    lingerMs: 0,
    logger: new RecordingLogger(),
    ...options,
  })
}

const handshakes = (broker: TestBroker) => broker.counters().requests.SaslHandshake ?? 0

/** How many sessions were renewed. */
const renewals = (logger: RecordingLogger) =>
  logger.lines.filter(({ message }) => /^authenticated with broker .* again$/.test(message)).length

/**
 * Sends without a pause until something is so; every record is stored once and in order. Returns the longest
 * wait.
 */
async function flow(producer: Producer, broker: TestBroker, until: () => boolean): Promise<number> {
  const end = performance.now() + 30_000
  const sent: Promise<unknown>[] = []
  let longestMs = 0
  let isOver = false
  while (!isOver && !until()) {
    const startedMs = performance.now()
    for (let i = 0; i < 20; i++) {
      const record = { topic: 't', partition: 0, value: String(sent.length) }
      const stored = producer.send(record).then(
        () => {
          longestMs = Math.max(longestMs, performance.now() - startedMs)
        },
        error => {
          isOver = true
          throw error
        },
      )
      sent.push(stored)
    }
    await sleep(2)
    assert.ok(performance.now() < end, 'it did not happen within 30 s')
  }
  await Promise.all(sent)
  const values = Array.from(broker.records('t', 0), ({ value }) => String(Buffer.from(value as Uint8Array)))
  assert.deepEqual(
    values,
    sent.map((_, i) => String(i)),
  )
  return longestMs
}

describe('a session that ends', () => {
  test('is renewed on the same connection while records flow, each stored once and in order', async () => {
    const sasl = { users: { alice: 's3cret' }, ...told(250) }
    await using broker = await startBroker({ quiet: true, sasl })
    await using producer = producerOf(broker, scram)
    const longestMs = await flow(producer, broker, () => handshakes(broker) >= 8)
    const { connections, duplicates } = broker.counters()
    // One connection by the bootstrap address, one by the broker's id.
    assert.equal(connections, 2)
    assert.equal(duplicates, 0)
    assert.ok(longestMs < 10_000, `a record waited ${longestMs} ms`)
  })

  test('is renewed behind requests in flight, whose answers are long in coming', async () => {
    const sasl = { users: { alice: 's3cret' }, ...told(400) }
    await using broker = await startBroker({ quiet: true, sasl })
    await using producer = producerOf(broker, scram)
    await producer.send({ topic: 't', partition: 0, value: 'first' })
    const held = broker.hold({ api: 'Produce' })
    const records = ['a', 'b', 'c'].map(value => ({ topic: 't', partition: 0, value }))
    const sent = records.map(record => producer.send(record))
    const before = handshakes(broker)
    await eventually('renewal is asked for', () => handshakes(broker) > before)
    held.release()
    await Promise.all(sent)
    await producer.send({ topic: 't', partition: 0, value: 'last' })
    assert.deepEqual(
      Array.from(broker.records('t'), ({ value }) => String(Buffer.from(value as Uint8Array))),
      ['first', 'a', 'b', 'c', 'last'],
    )
    assert.equal(broker.counters().connections, 2)
  })

  test('goes on while no credentials can be had, and is renewed as soon as they can', async () => {
    using clock = new StandingClock()
    let isDown = false
    const sasl = { acceptsToken: (token: string) => token === 'good', ...told(2500) }
    await using broker = await startBroker({ quiet: true, sasl })
    const logger = new RecordingLogger()
    await using producer = producerOf(broker, {
      logger,
      saslMechanism: 'OAUTHBEARER',
      saslOauthTokenProvider: () => {
        if (isDown) throw new Error('the token service is down')
        return 'good'
      },
    })
    let isRenewed = false
    const flowing = flow(producer, broker, () => isRenewed)
    await eventually('records are stored', () => broker.counters().records > 0)
    isDown = true
    // Asked for after 85 to 95 % of the session, and then again after half of what is left.
    await clock.advanceAsync(2400)
    await eventually('a warning', () => logger.lines.some(({ message }) => /asking once more/.test(message)))
    const { records } = broker.counters()
    await eventually('records go on being stored', () => broker.counters().records > records)
    assert.equal(renewals(logger), 0)
    isDown = false
    await clock.advanceAsync(99)
    await eventually('the session is renewed', () => renewals(logger) === 1)
    isRenewed = true
    await flowing
    assert.equal(broker.counters().connections, 2)
  })

  test('ends with the connection where the credentials are refused, and the next one takes new ones', async () => {
    const users: Record<string, string> = { alice: 'old' }
    await using broker = await startBroker({ quiet: true, sasl: { users, ...told(300) } })
    let password = 'old'
    await using producer = producerOf(broker, {
      saslMechanism: 'SCRAM-SHA-256',
      saslCredentialsProvider: () => ({ username: 'alice', password }),
    })
    await producer.send({ topic: 't', value: 'v' })
    users.alice = 'new'
    await eventually('the connections end', () => broker.counters().openConnections === 0)
    await assert.rejects(async () => {
      for (;;) await producer.partitionsFor(`unknown-${Math.random()}`)
    }, AuthenticationError)
    password = 'new'
    await producer.send({ topic: 't', value: 'w' })
    assert.equal([...broker.records('t')].length, 2)
  })

  test('does not keep an idle connection from being closed', async () => {
    using clock = new StandingClock()
    const sasl = { users: { alice: 's3cret' }, ...told(200) }
    await using broker = await startBroker({ quiet: true, sasl })
    const logger = new RecordingLogger()
    await using producer = producerOf(broker, { ...scram, connectionsMaxIdleMs: 820, logger })
    await producer.send({ topic: 't', value: 'v' })
    for (let round = 1; round <= 4; round++) {
      await clock.advanceAsync(200)
      await eventually('the session is renewed', () => renewals(logger) === round)
    }
    await clock.advanceAsync(19)
    assert.equal(broker.counters().openConnections, 1)
    await clock.advanceAsync(1)
    await eventually('the idle connection is closed', () => broker.counters().openConnections === 0)
  })
})

describe('what waits', () => {
  test('fails at once when the broker refuses the credentials, with and without idempotence', async () => {
    await using broker = await startBroker({ quiet: true, sasl: { users: { alice: 'other' } } })
    for (const enableIdempotence of [true, false]) {
      await using producer = producerOf(broker, { ...scram, enableIdempotence })
      const startedMs = performance.now()
      const sends = ['a', 'b'].map(topic => producer.send({ topic, value: 'v' }))
      for (const send of sends) await assert.rejects(send, AuthenticationError)
      await assert.rejects(producer.partitionsFor('c'), AuthenticationError)
      assert.ok(performance.now() - startedMs < 20_000, 'it took until max.block.ms')
    }
  })

  test('is sent after all when the credentials are put right', async () => {
    const users: Record<string, string> = { alice: 'other' }
    await using broker = await startBroker({ quiet: true, sasl: { users } })
    await using producer = producerOf(broker, scram)
    await assert.rejects(producer.send({ topic: 't', value: 'v' }), AuthenticationError)
    users.alice = 's3cret'
    await producer.send({ topic: 't', value: 'v' })
    assert.equal([...broker.records('t')].length, 1)
  })

  test('is told of a token function that never answers, in the time of a request', async () => {
    using clock = new StandingClock()
    await using broker = await startBroker({ quiet: true, sasl: { acceptsToken: () => true } })
    let asked = 0
    const logger = new RecordingLogger()
    await using producer = producerOf(broker, {
      saslMechanism: 'OAUTHBEARER',
      saslOauthTokenProvider: () => {
        asked++
        return new Promise<OauthToken>(() => {})
      },
      requestTimeoutMs: 300,
      deliveryTimeoutMs: 1000,
      maxBlockMs: 800,
      logger,
    })
    // That the token would be sent in the open is said at once.
    const before = logger.lines.length
    const sent = producer.send({ topic: 't', value: 'v' })
    const isTold = assert.rejects(sent, /no credentials within 300 ms/)
    await eventually('a token is asked for', () => asked === 1)
    await clock.advanceAsync(299)
    assert.deepEqual(logger.lines.slice(before), [])
    await clock.advanceAsync(1)
    await eventually('a warning', () => logger.lines.length > before)
    await clock.advanceAsync(500)
    await isTold
  })
})

test('a mechanism of the application delivers, and its sessions are renewed', async () => {
  const sasl = { users: { alice: 's3cret' }, mechanisms: ['GSSAPI'], ...told(250) }
  await using broker = await startBroker({ quiet: true, sasl })
  // What the in-process broker takes for an unknown mechanism is the other half of this one.
  const inner = scramMechanism('SCRAM-SHA-256', () => ({ username: 'alice', password: 's3cret' }))
  const own = { name: 'GSSAPI', begin: inner.begin }
  await using producer = producerOf(broker, { saslMechanism: 'GSSAPI', saslMechanisms: [own] })
  await flow(producer, broker, () => handshakes(broker) >= 4)
})

test('a mechanism of the application is spoken to its end, with the broker it is for', async () => {
  const seen: string[] = []
  const tamper = (answer: { step: number; mechanism: string }) => ({
    ...answer,
    ...(answer.step === 0 ? { handshake: { errorCode: 0, mechanisms: ['GSSAPI'] } } : {}),
  })
  // The server's half of PLAIN under another name: it takes the first message that is right.
  const sasl = { users: { alice: 's3cret' }, mechanisms: ['GSSAPI', 'PLAIN'], tamper }
  await using broker = await startBroker({ quiet: true, sasl })
  const challenges: string[] = []
  await using producer = producerOf(broker, {
    saslMechanism: 'GSSAPI',
    saslMechanisms: [
      {
        name: 'GSSAPI',
        begin: ({ host, port }) => {
          seen.push(`${host}:${port}`)
          return {
            start: () => Buffer.from('n,,n=alice,r=x'),
            step: challenge => {
              challenges.push(Buffer.from(challenge).toString())
              throw new Error('that is all this mechanism can do')
            },
          }
        },
      },
    ],
  })
  await assert.rejects(producer.send({ topic: 't', value: 'v' }), (error: Error) => {
    assert.ok(error instanceof AuthenticationError)
    assert.match(error.message, /by GSSAPI failed: that is all this mechanism can do/)
    return true
  })
  assert.deepEqual(seen, [broker.bootstrapServers])
  assert.match(String(challenges[0]), /^r=x/)
})
