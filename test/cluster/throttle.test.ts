// Throttle times in the answers of every API (KIP-219): which of them a client has to keep, and that it does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClusterClient } from '../../dist/cluster/cluster-client.js'
import { ApiVersions } from '../../dist/protocol/api-versions.js'
import { apis } from '../../dist/protocol/apis.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { Produce } from '../../dist/protocol/produce.js'
import { startBroker } from '../../dist/testing/index.js'
import { clusterOptions } from '../helpers/cluster-options.js'
import { eventually } from '../helpers/eventually.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { apiVersionsResponse, metadataResponse, ScriptedBroker } from '../helpers/scripted-broker.js'
import { everyMessage, type Message } from '../protocol/every-message.js'
import { randomOf } from '../protocol/schema-codec.js'
import { SenderRig, stored } from '../sender/rig.js'

const THROTTLE_MS = 700

/**
 * First versions whose throttle time is the client's to keep, as Kafka's own client has it. What is younger
 * than KIP-219 is kept in all versions, for brokers keep quiet as long, whatever the API.
 */
const KEPT_FROM: Readonly<Record<string, number>> = {
  Produce: 6,
  Metadata: 6,
  FindCoordinator: 2,
  InitProducerId: 1,
  AddPartitionsToTxn: 1,
  AddOffsetsToTxn: 1,
  EndTxn: 1,
  TxnOffsetCommit: 1,
  DescribeTransactions: 0,
  GetTelemetrySubscriptions: 0,
  PushTelemetry: 0,
}

/** A node 7 that answers what it is asked at random, but for the throttle time. */
async function throttlingBroker(): Promise<ScriptedBroker> {
  const random = randomOf(7)
  const broker = await ScriptedBroker.start()
  const ranges = apis.map(({ key, minVersion, maxVersion }) => [key, minVersion, maxVersion] as const)
  let isFirst = true
  broker.script = request => {
    const { apiKey, version } = request
    if (apiKey === ApiVersions.key) {
      request.reply(ApiVersions, apiVersionsResponse(ranges.map(range => [...range])))
    } else if (apiKey === Metadata.key && isFirst) {
      isFirst = false
      const topics = { orders: { leaders: [7] } }
      request.reply(Metadata, metadataResponse({ brokers: [{ id: 7, ...broker.address }], topics }))
    } else {
      const message = everyMessage.find(
        each => each.api.key === apiKey && each.version === version && !each.isRequest,
      ) as Message
      const body = message.codecBody(message.random(random))
      request.reply(message.api, { ...body, throttleTimeMs: THROTTLE_MS })
    }
    return true
  }
  return broker
}

for (const [name, keptFrom] of Object.entries(KEPT_FROM)) {
  test(`a throttle time of ${name} is kept from version ${keptFrom} on`, async () => {
    const random = randomOf(1)
    const broker = await throttlingBroker()
    const clock = new FakeClock({ realImmediates: true })
    const client = new ClusterClient(clusterOptions([broker.address], { clock }))
    try {
      client.trackTopic('orders')
      await eventually('metadata', () => client.metadata.topic('orders') !== undefined)
      client.ensureConnection(7)
      await eventually('a connection', () => client.isReady(7))
      const requests = everyMessage.filter(({ api, isRequest }) => isRequest && api.name === name)
      assert.ok(requests.length > 0)
      for (const message of requests) {
        const { api, version } = message
        const body = message.codecBody(message.random(random))
        await client.request(7, api, body, { minVersion: version, maxVersion: version })
        assert.equal(client.isReady(7), version < keptFrom, `version ${version}`)
        if (version < keptFrom) continue
        await clock.advanceAsync(THROTTLE_MS - 1)
        assert.equal(client.isReady(7), false, `version ${version} to the end`)
        await clock.advanceAsync(1)
        assert.equal(client.isReady(7), true, `version ${version} and no longer`)
      }
    } finally {
      await client.close()
      await broker.close()
    }
  })
}

test('a throttle time in the first answer of a connection is kept before anything is asked', async () => {
  await using broker = await startBroker({ quiet: true })
  const clock = new FakeClock({ realImmediates: true })
  const client = new ClusterClient(
    clusterOptions(
      broker.nodes.map(({ host, port }) => ({ host, port })),
      { clock },
    ),
  )
  const asked: string[] = []
  broker.onRequest(({ api }) => asked.push(api))
  broker.throttle({ api: 'ApiVersions', ms: THROTTLE_MS })
  try {
    client.trackTopic('t')
    await eventually('ApiVersions', () => asked.length === 1)
    await clock.advanceAsync(THROTTLE_MS - 1)
    assert.deepEqual(asked, ['ApiVersions'])
    await eventually('metadata', () => {
      clock.advance(1)
      return client.metadata.topic('t') !== undefined
    })
  } finally {
    await client.close()
  }
})

for (const [version, waits] of [
  [5, false],
  [6, true],
] as const) {
  test(`an answer to Produce version ${version} ${waits ? 'makes' : 'does not make'} the next one wait`, async () => {
    await using broker = await startBroker({ quiet: true, apiVersions: { Produce: [3, version] } })
    const clock = new FakeClock({ realImmediates: true })
    await using rig = new SenderRig(broker, { clock, maxInFlight: 1, batchBytes: 1 })
    const topic = await rig.topic('t')
    broker.throttle({ api: Produce.name as 'Produce', ms: THROTTLE_MS })
    await rig.send(topic, 'a')
    const second = rig.send(topic, 'b')
    if (waits) {
      await clock.advanceAsync(THROTTLE_MS - 1)
      assert.deepEqual(stored(broker, 't'), ['a'])
      await clock.advanceAsync(1)
    }
    assert.equal((await second).error, null)
    assert.deepEqual(stored(broker, 't'), ['a', 'b'])
  })
}
