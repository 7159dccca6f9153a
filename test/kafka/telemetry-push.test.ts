import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Producer } from '../../dist/index.js'
import { eventually } from '../helpers/eventually.js'
import { decodeMetrics } from '../telemetry/otlp.js'
import { type Kafka, startKafka } from './broker.js'
import { kafkaSkip } from './java.js'
import { JavaClient } from './java-client.js'

const PREFIX = 'org.apache.kafka.'

describe('client metrics (KIP-714) with a real Kafka', { skip: kafkaSkip() }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-telemetry-'))
  const file = join(folder, 'pushes')
  let kafka: Kafka
  let java: JavaClient

  /** What the broker's plug-in has been given, of one client. */
  const pushesOf = (clientId: string) =>
    (existsSync(file) ? readFileSync(file, 'utf8') : '')
      .split('\n')
      .filter(line => line !== '')
      .map(line => line.split('\t') as [string, string, string, string])
      .filter(([, , client]) => client === clientId)
      .map(([id, terminating, , data]) => ({
        ...{ id, terminating: terminating === 'true' },
        ...decodeMetrics(Buffer.from(data, 'base64')),
      }))

  const producer = (clientId: string) =>
    new Producer({ bootstrapServers: kafka.bootstrapServers, clientId, lingerMs: 0 })

  before(async () => {
    kafka = await startKafka({
      properties: { 'metric.reporters': 'TelemetryReceiver', 'telemetry.file': file },
    })
    java = new JavaClient()
    await java.createTopic(kafka.bootstrapServers, 'orders')
    await java.subscribe(kafka.bootstrapServers, 'all', '*', 1000)
  })
  after(async () => {
    await java?.close()
    await kafka?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  test('pushes hold the metrics that the cluster asks for, as deltas', async () => {
    await using sender = producer('pusher')
    await sender.send({ topic: 'orders', value: 'one' })
    await eventually('a first push', () => pushesOf('pusher').length > 0)
    await sender.sendMany(Array.from({ length: 7 }, () => ({ topic: 'orders', value: 'more' })))
    const sent = () =>
      pushesOf('pusher').map(
        ({ metrics }) =>
          metrics.find(({ name }) => name === `${PREFIX}producer.record.send.total`)?.points[0]?.value,
      )
    await eventually('the other records', () => sent().reduce((sum = 0, value = 0) => sum + value, 0) === 8)
    const [first] = pushesOf('pusher')
    assert.equal(first?.id, await sender.clientInstanceId())
    const names = new Set(first?.metrics.map(({ name }) => name))
    for (const name of [
      ...['connection.creation.rate', 'connection.creation.total', 'node.request.latency.avg'],
      ...['node.request.latency.max', 'produce.throttle.time.avg', 'produce.throttle.time.max'],
      ...['record.queue.time.avg', 'record.queue.time.max', 'topic.byte.total'],
    ]) {
      assert.ok(names.has(`${PREFIX}producer.${name}`), name)
    }
  })

  test('five producers closed at once send five last pushes', async () => {
    const clients = ['one', 'two', 'three', 'four', 'five']
    const producers = clients.map(producer)
    await Promise.all(producers.map(each => each.send({ topic: 'orders', value: 'v' })))
    await Promise.all(producers.map(each => each.clientInstanceId()))
    await Promise.all(producers.map(each => each.close()))
    const isLast = (clientId: string) =>
      pushesOf(clientId).filter(({ terminating }) => terminating).length === 1
    await eventually('five last pushes', () => clients.every(isLast))
  })
})
