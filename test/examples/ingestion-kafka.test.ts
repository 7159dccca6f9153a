// examples/ingestion on three nodes of a real Kafka: leaders are killed under load, then the service is stopped.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PartitionInfo, Producer } from '../../dist/index.js'
import { type Kafka, startKafka } from '../kafka/broker.js'
import { kafkaSkip } from '../kafka/java.js'
import { JavaClient } from '../kafka/java-client.js'
import { compare, Load } from './load.js'
import { exampleFile, Program } from './program.js'

const TOPIC = 'events'
const KILLS = 3
const WORKERS = 24
/** From the kill of a leader to the first answers again; the cluster itself needs some 6 s. */
const RECOVERY_MS_MAX = 120_000
const SHUTDOWN_MS_MAX = 10_000

/** What makes a cluster notice a dead broker within a few seconds, and keep what is acknowledged. */
const PROPERTIES = {
  'broker.session.timeout.ms': 4000,
  'broker.heartbeat.interval.ms': 800,
  'unclean.leader.election.enable': false,
  'auto.create.topics.enable': false,
}

/** How the cluster is now, which a client with older metadata would not see. */
async function describeTopic(kafka: Kafka): Promise<readonly PartitionInfo[]> {
  await using producer = new Producer({ bootstrapServers: kafka.bootstrapServers, maxBlockMs: 5000 })
  return await producer.partitionsFor(TOPIC)
}

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + RECOVERY_MS_MAX
  while (!(await isTrue())) {
    assert.ok(performance.now() < deadline, `not within ${RECOVERY_MS_MAX} ms: ${what}`)
    await sleep(200)
  }
}

/** Users of whom several events have been taken since so many were answered. */
function takenSince(load: Load, answered: number): number {
  const counts = new Map<string, number>()
  for (const { user, status } of load.sent.slice(answered)) {
    if (status === 200 || status === 202) counts.set(user, (counts.get(user) ?? 0) + 1)
  }
  return Array.from(counts.values()).filter(count => count >= 3).length
}

test('leaders killed under load, then SIGTERM under load', {
  skip: kafkaSkip(),
  timeout: 480_000,
}, async () => {
  await using kafka = await startKafka({ nodes: 3, heapMb: 384, properties: PROPERTIES })
  await using java = new JavaClient()
  const { bootstrapServers } = kafka
  const layout = { partitions: 3, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } }
  await java.createTopic(bootstrapServers, TOPIC, layout)
  await using service = new Program(process.execPath, [exampleFile('ingestion/src/main.js')], {
    HOST: '127.0.0.1',
    PORT: '0',
    KAFKA_BROKERS: bootstrapServers,
    TOPIC,
    DRAIN_DELAY_MS: '1500',
  })
  const port = Number((await service.line(/listening at http:\/\/127\.0\.0\.1:(\d+)/))[1])
  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/ready`)).ok
  await until('ready', isReady)

  const load = new Load({ port, workers: WORKERS, everyMs: 25, asyncOnceIn: 4 })
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(1000)
    const leader = (await describeTopic(kafka)).find(({ partition }) => partition === 0)?.leader ?? -1
    const node = kafka.nodes.find(({ id }) => id === leader)
    assert.ok(node, `partition 0 is led by ${leader}`)
    const answeredBefore = load.sent.length
    await node.stop('SIGKILL')
    await until('events of every user are taken again', () => takenSince(load, answeredBefore) === WORKERS)
    await node.start()
    await until('all replicas in sync', async () =>
      (await describeTopic(kafka)).every(({ inSyncReplicas }) => inSyncReplicas.length === 3),
    )
  }

  const stopped = service.stop('SIGTERM')
  const notReady = sleep(300).then(isReady)
  // Every worker ends with the answer that ends its connection; none is without an answer.
  await until('every connection ended by its answer', () => load.closing === WORKERS)
  await load.stop()
  const tookMs = await stopped
  assert.equal(await notReady, false)
  assert.equal(service.exitCode, 0, service.output)
  assert.ok(tookMs <= SHUTDOWN_MS_MAX, `${tookMs} ms to end`)

  const stored = await java.read(bootstrapServers, TOPIC)
  assert.deepEqual(compare(load.sent, stored).slice(0, 10), [])
  const unanswered = load.sent.filter(({ status }) => typeof status === 'string')
  assert.deepEqual(unanswered, [])
  console.log(`${load.summary()}; ${stored.length} stored; stopped in ${Math.round(tookMs)} ms`)
  assert.ok(load.count(200) > 500 && load.count(202) > 200)
})
