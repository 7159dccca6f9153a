// Other clients on the in-process broker: whoever tests an application against it may have them beside millrace.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type BrokerOptions, startBroker, type TestBroker } from '../../dist/testing/index.js'

const peers = fileURLToPath(new URL('../../bench/peers/node/', import.meta.url))
const confluentAddon = 'node_modules/@confluentinc/kafka-javascript/build/Release'
// Written in JavaScript, so without types here.
const { programs } = (await import(new URL('../../test/runtimes/programs.mjs', import.meta.url).href)) as {
  programs: Record<string, string>
}
const node = programs.node24 as string
const RUN_MS = 60_000
const run = promisify(execFile)

/** Runs a program among the packages of the peers; it prints one JSON value. */
async function runPeer(program: string, broker: TestBroker): Promise<unknown> {
  const script = `const brokers = ${JSON.stringify(broker.bootstrapServers.split(','))}
    const say = value => console.log(JSON.stringify(value, (_, each) => typeof each === 'bigint' ? Number(each) : each))
    ${program}`
  const { stdout } = await run(node, ['--input-type=module', '-e', script], { cwd: peers, timeout: RUN_MS })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
}

/** A broker that keeps what it says. */
async function talkative(options: BrokerOptions = {}) {
  const lines: string[] = []
  return { lines, broker: await startBroker({ partitions: 2, log: line => lines.push(line), ...options }) }
}

const stored = (broker: TestBroker, topic: string) =>
  Array.from(broker.records(topic, undefined, { isolation: 'read_committed' }), ({ key, value, headers }) =>
    [key, value, headers[0]?.[1] ?? null].map(part => part && Buffer.from(part).toString()).join(),
  ).sort()

const kafkaJs = (importing: string, settings: string, transactional: string) => `
  ${importing}
  for (const idempotent of [false, true]) {
    for (const acks of idempotent ? [-1] : [-1, 1]) {
      const producer = kafka.producer(${settings})
      await producer.connect()
      const messages = [{ value: 'plain' }, { key: 'k', value: 'v', headers: { h: 'x' } }]
      await producer.send({ topic: 'sent', messages })
      await producer.disconnect()
    }
  }
  const producer = kafka.producer(${transactional})
  await producer.connect()
  for (const end of ['commit', 'abort']) {
    const transaction = await producer.transaction()
    await transaction.send({ topic: 'transacted', messages: [{ value: end }] })
    await transaction[end]()
  }
  await producer.disconnect()
  const admin = kafka.admin()
  await admin.connect()
  say(await admin.listTopics())
  await admin.disconnect()`

const thrice = (values: string[]) => values.flatMap(value => [value, value, value])

for (const [name, program, skip] of [
  [
    'kafkajs',
    kafkaJs(
      `import kafkajs from 'kafkajs'
       const kafka = new kafkajs.Kafka({ brokers, logLevel: 1, retry: { retries: 2 } })`,
      '{ idempotent }',
      "{ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true }",
    ).replaceAll("topic: 'sent', messages", "topic: 'sent', messages, acks"),
    false,
  ],
  [
    '@confluentinc/kafka-javascript',
    kafkaJs(
      `import confluent from '@confluentinc/kafka-javascript'
       const kafka = new confluent.KafkaJS.Kafka({ kafkaJS: { brokers, logLevel: 0 } })`,
      '{ kafkaJS: { idempotent, acks } }',
      "{ kafkaJS: { transactionalId: 'tx' } }",
    ),
    existsSync(`${peers}${confluentAddon}/confluent-kafka-javascript.node`)
      ? false
      : 'its addon is not compiled: node scripts/setup.mjs --runtimes --confluent',
  ],
] as const) {
  test(`${name} produces, plain and idempotent and in transactions`, { skip, timeout: RUN_MS }, async () => {
    const { broker, lines } = await talkative()
    await using _ = broker
    for (const topic of ['sent', 'transacted']) broker.createTopic(topic)
    assert.deepEqual(((await runPeer(program, broker)) as string[]).sort(), ['sent', 'transacted'])
    assert.deepEqual(stored(broker, 'sent'), thrice([',plain,', 'k,v,x']))
    assert.deepEqual(stored(broker, 'transacted'), [',commit,'])
    assert.equal(broker.counters().rejected, 0)
    assert.ok(!lines.some(line => line.includes('closes the connection')), lines.join('\n'))
  })
}

test('@platformatic/kafka produces with all acks, plain and idempotent', { timeout: RUN_MS }, async () => {
  const { broker, lines } = await talkative()
  await using _ = broker
  broker.createTopic('sent')
  const program = `
    import { Admin, Producer, stringSerializers } from '@platformatic/kafka'
    for (const [acks, idempotent] of [[-1, false], [1, false], [-1, true]]) {
      const options = { clientId: 'p', bootstrapBrokers: brokers, serializers: stringSerializers, retries: 1 }
      const producer = new Producer({ ...options, idempotent })
      const messages = [{ topic: 'sent', value: 'plain' }, { topic: 'sent', key: 'k', value: 'v', headers: { h: 'x' } }]
      await producer.send({ acks, messages })
      await producer.close()
    }
    const admin = new Admin({ clientId: 'a', bootstrapBrokers: brokers, retries: 1 })
    say(await admin.listTopics())
    await admin.close()`
  assert.deepEqual(await runPeer(program, broker), ['sent'])
  assert.deepEqual(stored(broker, 'sent'), thrice([',plain,', 'k,v,x']))
  assert.equal(broker.counters().rejected, 0)
  assert.ok(!lines.some(line => line.includes('closes the connection')), lines.join('\n'))
})
