import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { startBroker } from '../../dist/testing/index.js'
import { encodeBatch, numbered, quietBroker, RawClient, valuesOf } from './support.js'

const everything = {
  topics: null,
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
}

async function leadersSeen(client: RawClient): Promise<[leader: number, epoch: number][]> {
  const { topics } = await client.request(Metadata, 9, everything)
  return (topics[0]?.partitions ?? []).map(({ leaderId, leaderEpoch }) => [leaderId, leaderEpoch])
}

test('the broker says once, by itself, that it is for development only and where it listens', async () => {
  const lines: string[] = []
  await using broker = await startBroker({ nodes: 2, log: line => lines.push(line) })
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /development and tests only; listening on 127\.0\.0\.1:\d+,127\.0\.0\.1:\d+$/)
  assert.ok(lines[0]?.endsWith(broker.bootstrapServers))
})

for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com', '']) {
  test(`the broker refuses to listen on ${JSON.stringify(host)}`, async () => {
    await assert.rejects(startBroker({ host, quiet: true }), { code: 'CONFIG_INVALID', key: 'host' })
  })
}

const wrongOptions: readonly [key: string, options: object][] = [
  ['nodes', { nodes: 0 }],
  ['nodes', { nodes: 1.5 }],
  ['partitions', { partitions: 0 }],
  ['port', { port: -1 }],
  ['port', { port: 65_536 }],
  ['port', { port: 65_535, nodes: 2 }],
  ['retain', { retain: 'some' }],
  ['maxMessageBytes', { maxMessageBytes: 0 }],
  ['verify', { verify: 'lax' }],
]

for (const [key, options] of wrongOptions) {
  test(`the options ${JSON.stringify(options)} are refused, naming ${key}`, async () => {
    await assert.rejects(startBroker({ quiet: true, ...options }), { code: 'CONFIG_INVALID', key })
  })
}

test('a port that is taken rejects', async () => {
  await using first = await quietBroker()
  const port = first.nodes[0]?.port as number
  await assert.rejects(quietBroker({ port }), { code: 'EADDRINUSE' })
})

test('moveLeader makes a new leader epoch, and the old leader sends clients on', async () => {
  await using broker = await quietBroker({ nodes: 3 })
  broker.createTopic('t', { partitions: 3 })
  using client = await RawClient.connect(broker, 1)
  assert.deepEqual(await leadersSeen(client), [
    [1, 0],
    [2, 0],
    [3, 0],
  ])
  broker.moveLeader('t', 0, 2)
  assert.deepEqual((await leadersSeen(client))[0], [2, 1])
  const refused = await client.produce('t', 0, encodeBatch(numbered(1)), 11)
  assert.equal(refused.errorCode, ErrorCodes.NOT_LEADER_OR_FOLLOWER)
  assert.deepEqual(refused.currentLeader, { leaderId: 2, leaderEpoch: 1 })
  using leader = await RawClient.connect(broker, 2)
  assert.equal((await leader.produce('t', 0, encodeBatch(numbered(1)))).errorCode, ErrorCodes.NONE)
})

test('a stopped node refuses connections, others lead its partitions, and it comes back on its port', async () => {
  await using broker = await quietBroker({ nodes: 2 })
  broker.createTopic('t', { partitions: 2 })
  using victim = await RawClient.connect(broker, 1)
  using survivor = await RawClient.connect(broker, 2)
  await victim.produce('t', 0, encodeBatch(numbered(1)))
  const { port } = broker.nodes[0] as { port: number }
  await broker.stopNode(1)
  await victim.end()
  await assert.rejects(
    new Promise((resolve, reject) => connect(port, '127.0.0.1', () => resolve(null)).on('error', reject)),
    { code: 'ECONNREFUSED' },
  )
  assert.deepEqual(await leadersSeen(survivor), [
    [2, 1],
    [2, 0],
  ])
  const { brokers, controllerId, topics } = await survivor.request(Metadata, 9, everything)
  assert.deepEqual(
    brokers.map(({ nodeId }) => nodeId),
    [2],
  )
  assert.equal(controllerId, 2)
  assert.deepEqual(topics[0]?.partitions[0]?.offlineReplicas, [1])
  assert.equal((await survivor.produce('t', 0, encodeBatch(numbered(1, 1)))).baseOffset, 1n)

  await broker.startNode(1)
  assert.equal(broker.nodes[0]?.port, port)
  using back = await RawClient.connect(broker, 1)
  assert.deepEqual(await leadersSeen(back), [
    [2, 1],
    [2, 0],
  ])
  assert.deepEqual(valuesOf(broker, 't'), ['0', '1'])
})

test('when the last node stops nobody leads, and the first to come back does', async () => {
  await using broker = await quietBroker()
  broker.createTopic('t')
  await broker.stopNode(1)
  assert.deepEqual(broker.partitions('t')[0]?.leader, -1)
  assert.throws(() => broker.moveLeader('t', 0, 1), { code: 'CONFIG_INVALID' })
  await broker.startNode(1)
  assert.deepEqual(broker.partitions('t')[0]?.leader, 1)
  assert.deepEqual(broker.partitions('t')[0]?.leaderEpoch, 2)
})

test('stopping what is stopped and starting what is up do nothing', async () => {
  await using broker = await quietBroker()
  broker.createTopic('t')
  await broker.startNode(1)
  await broker.stopNode(1)
  await broker.stopNode(1)
  await broker.startNode(1)
  using client = await RawClient.connect(broker)
  assert.equal((await leadersSeen(client)).length, 1)
})

test('advertise tells clients another address than the one that is listened on', async () => {
  await using broker = await quietBroker({
    nodes: 2,
    advertise: ({ id }) => ({ host: `proxy-${id}`, port: 9000 + id }),
  })
  assert.equal(broker.bootstrapServers, 'proxy-1:9001,proxy-2:9002')
  using client = await RawClient.connect(broker)
  const { brokers } = await client.request(Metadata, 9, everything)
  assert.deepEqual(
    brokers.map(({ host, port }) => `${host}:${port}`),
    ['proxy-1:9001', 'proxy-2:9002'],
  )
})

test('connections are counted, and none is left after close', async () => {
  const broker = await quietBroker()
  using client = await RawClient.connect(broker)
  await client.request(Metadata, 9, everything)
  assert.equal(broker.counters().openConnections, 1)
  await broker.close()
  await client.end()
  assert.equal(broker.counters().openConnections, 0)
  assert.equal(broker.counters().connections, 1)
  await broker.close()
})

test('a process ends although its broker was not closed, if it was started with unref', async () => {
  const testing = new URL('../../dist/testing/index.js', import.meta.url).href
  const script = `import { startBroker } from '${testing}'; await startBroker({ unref: true, quiet: true })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 })
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
})
