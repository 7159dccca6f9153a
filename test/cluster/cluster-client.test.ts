import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { ClusterClient } from '../../dist/cluster/cluster-client.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { Produce } from '../../dist/protocol/produce.js'
import { clusterOptions } from '../helpers/cluster-options.js'
import { eventually } from '../helpers/eventually.js'
import { metadataResponse, requestedTopics, ScriptedBroker } from '../helpers/scripted-broker.js'

describe('ClusterClient', () => {
  const cleanups: (() => Promise<void>)[] = []
  after(async () => {
    for (const cleanup of cleanups) await cleanup()
  })

  it('finds the leader of a topic through the bootstrap servers and becomes ready for it', async () => {
    const broker = await ScriptedBroker.start()
    cleanups.push(() => broker.close())
    broker.script = request => {
      if (request.apiKey !== Metadata.key) return false
      assert.deepEqual(requestedTopics(request), ['orders'])
      request.reply(
        Metadata,
        metadataResponse({
          brokers: [{ id: 7, host: '127.0.0.1', port: broker.port }],
          topics: { orders: { leaders: [7, 7, -1] } },
        }),
      )
      return true
    }
    const client = new ClusterClient(clusterOptions([broker.address]))
    cleanups.push(() => client.close())
    client.trackTopic('orders')
    await eventually('metadata', () => client.metadata.topic('orders') !== undefined)
    assert.deepEqual(
      client.metadata.topic('orders')?.partitions.map(partition => partition.leaderId),
      [7, 7, -1],
    )
    assert.equal(client.isReady(7), false)
    client.ensureConnection(7)
    await eventually('ready', () => client.isReady(7))
    assert.equal(client.apiVersion(7, Produce), Produce.maxVersion)
    assert.equal(client.brokerName(7), `127.0.0.1:${broker.port} (id 7)`)
  })
})
