// connect: what a service checks when it starts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, KafkaError, Producer } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'

test('tells the cluster, and gets the producer id, so that the first record need not', async () => {
  await using broker = await startBroker({ nodes: 3, quiet: true, clusterId: 'the-cluster' })
  const producer = new Producer({ bootstrapServers: broker.bootstrapServers })
  const cluster = await producer.connect()
  assert.equal(cluster.clusterId, 'the-cluster')
  assert.deepEqual(
    cluster.brokers.map(({ id }) => id),
    [1, 2, 3],
  )
  assert.equal(broker.counters().requests.InitProducerId, 1)
  await producer.send({ topic: 't', value: 'a' })
  assert.equal(broker.counters().requests.InitProducerId, 1)
  await producer.close()
})

test('rejects with what a broker says of the producer id, and records may be sent later', async () => {
  await using broker = await startBroker({ quiet: true })
  const producer = new Producer({ bootstrapServers: broker.bootstrapServers })
  broker.fail({ api: 'InitProducerId', error: 'CLUSTER_AUTHORIZATION_FAILED' })
  await assert.rejects(producer.connect(), (error: unknown) => error instanceof KafkaError)
  await producer.connect()
  assert.equal((await producer.send({ topic: 't', value: 'a' })).offset, 0n)
  await producer.close()
})

test('gives up by its time-out and by its signal, and refuses options that it has not', async () => {
  const producer = new Producer({ bootstrapServers: '127.0.0.1:1' })
  await assert.rejects(producer.connect({ timeoutMs: 100 }), KafkaError)
  const reason = new Error('enough')
  await assert.rejects(producer.connect({ signal: AbortSignal.abort(reason) }), reason)
  await assert.rejects(producer.connect({ timeout: 5 } as never), ConfigError)
  await producer.close({ timeoutMs: 0 })
})
