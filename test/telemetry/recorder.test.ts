import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BufferExhaustedError, NetworkError } from '../../dist/errors/index.js'
import type { Metric } from '../../dist/telemetry/metrics/metric.js'
import { eventually } from '../helpers/eventually.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { batchOf, bootstrapNode, metadata, metricValue, newTelemetry, node, produce } from './support.js'

describe('the metrics of a producer', () => {
  test('are 77 at first and 110 after one topic and one broker, as in Java', () => {
    const clock = new FakeClock()
    const telemetry = newTelemetry(clock)
    assert.equal(telemetry.metrics().length, 77)
    telemetry.connectBegan(bootstrapNode)
    telemetry.connectBegan(node)
    telemetry.batchesSent([batchOf()], 1)
    const metrics = telemetry.metrics()
    assert.equal(metrics.length, 110)
    assert.equal(metricValue(telemetry, 'count', 'kafka-metrics-count'), 110)
    const groups = new Map<string, number>()
    for (const { group } of metrics) groups.set(group, (groups.get(group) ?? 0) + 1)
    assert.deepEqual(Object.fromEntries(groups), {
      'app-info': 3,
      'kafka-metrics-count': 1,
      'producer-metrics': 73,
      'producer-node-metrics': 24,
      'producer-topic-metrics': 9,
    })
    const nodeIds = new Set(metrics.flatMap(({ tags }) => tags['node-id'] ?? []))
    assert.deepEqual([...nodeIds], ['node--1', 'node-1'])
  })

  test('have unique names, and every rate its total', () => {
    const metrics = newTelemetry(new FakeClock()).metrics()
    const names = metrics.map(({ group, name }) => `${group} ${name}`)
    assert.equal(new Set(names).size, names.length)
    for (const name of names.filter(name => name.endsWith('-rate')))
      assert.ok(names.includes(name.replace(/-rate$/, '-total')), name)
  })

  test('count records, bytes and sizes of batches when they are sent', async () => {
    const clock = new FakeClock({ startMs: 0 })
    const telemetry = newTelemetry(clock)
    await clock.advance(20)
    telemetry.loopTurn(clock.now())
    telemetry.batchesSent(
      [batchOf({ createdMs: 5 }), batchOf({ createdMs: 15, recordCount: 30, bytes: 961, topic: 'clicks' })],
      1,
    )
    const read = (name: string) => metricValue(telemetry, name)
    assert.equal(read('record-send-total'), 40)
    assert.equal(read('records-per-request-avg'), 40)
    assert.equal(read('batch-size-avg'), 761)
    assert.equal(read('batch-size-max'), 961)
    assert.equal(read('record-queue-time-avg'), 10)
    assert.equal(read('record-queue-time-max'), 15)
    assert.equal(read('compression-rate-avg'), 0.7)
    assert.equal(read('record-size-max'), 120)
    const clicks = (name: string) =>
      metricValue(telemetry, name, 'producer-topic-metrics', { topic: 'clicks' })
    assert.equal(clicks('record-send-total'), 30)
    assert.equal(clicks('byte-total'), 961)
    assert.equal(clicks('compression-rate'), 0.9)
  })

  test('take the latency of Produce only, but every request for the rest', () => {
    const clock = new FakeClock({ startMs: 100 })
    const telemetry = newTelemetry(clock)
    telemetry.requestSent(node, metadata, 40, 100)
    telemetry.requestAnswered(node, metadata, 50, null)
    telemetry.requestSent(node, produce, 60, 100)
    telemetry.requestAnswered(node, produce, 7.9, null)
    telemetry.requestAnswered(node, produce, 9000, new NetworkError('gone'))
    const ofNode = (name: string) =>
      metricValue(telemetry, name, 'producer-node-metrics', { 'node-id': 'node-1' })
    assert.equal(ofNode('request-total'), 2)
    assert.equal(ofNode('response-total'), 2)
    assert.equal(ofNode('request-size-avg'), 50)
    assert.equal(ofNode('outgoing-byte-total'), 100)
    assert.equal(ofNode('request-latency-max'), 7)
    assert.equal(metricValue(telemetry, 'request-latency-avg'), 7)
  })

  test('count errors as Java does: by answer or time-out, and one for each record refused', () => {
    const telemetry = newTelemetry(new FakeClock())
    telemetry.batchesSent([batchOf()], 1)
    telemetry.batchFailed(batchOf(), new NetworkError('gone'))
    telemetry.batchExpired(batchOf({ recordCount: 2 }), new NetworkError('late'))
    telemetry.batchAborted(batchOf({ recordCount: 100 }), new NetworkError('closed'))
    telemetry.recordsRefused('orders', 3, new BufferExhaustedError('full'))
    assert.equal(metricValue(telemetry, 'record-error-total'), 15)
    assert.equal(metricValue(telemetry, 'buffer-exhausted-total'), 3)
    const ofTopic = metricValue(telemetry, 'record-error-total', 'producer-topic-metrics', {
      topic: 'orders',
    })
    assert.equal(ofTopic, 12)
    assert.deepEqual(Object.fromEntries(telemetry.recorder.failures), { NETWORK: 112, BUFFER_EXHAUSTED: 3 })
  })

  test('keep errors of a topic that was never sent to at the client', () => {
    const telemetry = newTelemetry(new FakeClock())
    telemetry.batchFailed(batchOf({ topic: 'unseen' }), new NetworkError('gone'))
    assert.equal(metricValue(telemetry, 'record-error-total'), 10)
    assert.equal(metricValue(telemetry, 'record-error-total', 'producer-topic-metrics'), undefined)
  })

  test('count connections as they begin and end', () => {
    const telemetry = newTelemetry(new FakeClock())
    telemetry.connectBegan(node)
    telemetry.connectionOpened(node)
    telemetry.authenticated(node, 12, false)
    telemetry.authenticated(node, 8.5, true)
    telemetry.authenticationFailed(node, new NetworkError('no'), true)
    assert.equal(metricValue(telemetry, 'connection-count'), 1)
    telemetry.connectionClosed(node, null)
    assert.equal(metricValue(telemetry, 'connection-count'), 0)
    assert.equal(metricValue(telemetry, 'connection-creation-total'), 1)
    assert.equal(metricValue(telemetry, 'connection-close-total'), 1)
    assert.equal(metricValue(telemetry, 'successful-authentication-total'), 1)
    assert.equal(metricValue(telemetry, 'successful-reauthentication-total'), 1)
    assert.equal(metricValue(telemetry, 'failed-reauthentication-total'), 1)
    assert.equal(metricValue(telemetry, 'reauthentication-latency-max'), 8)
  })

  test('measure calls and waits in nanoseconds, and calls only if they succeed', () => {
    const telemetry = newTelemetry(new FakeClock())
    telemetry.flushed(2.5)
    telemetry.memoryWaited(3, false)
    telemetry.metadataWaited('orders', 4)
    telemetry.transactionCallEnded('commitTransaction', 5, null)
    telemetry.transactionCallEnded('commitTransaction', 50, new NetworkError('no'))
    assert.equal(metricValue(telemetry, 'flush-time-ns-total'), 2_500_000)
    assert.equal(metricValue(telemetry, 'bufferpool-wait-time-ns-total'), 3_000_000)
    assert.equal(metricValue(telemetry, 'metadata-wait-time-ns-total'), 4_000_000)
    assert.equal(metricValue(telemetry, 'txn-commit-time-ns-total'), 5_000_000)
  })

  test('count the turns of the loop and its times', async () => {
    const clock = new FakeClock({ startMs: 0 })
    const telemetry = newTelemetry(clock)
    for (let turn = 0; turn < 5; turn++) telemetry.loopTurn(clock.now())
    assert.equal(metricValue(telemetry, 'select-total'), 5)
    // A busy machine may leave the loop no idle time for a while.
    await eventually('the event loop is idle for a moment', () => {
      telemetry.loopTurn(clock.now())
      return (metricValue(telemetry, 'io-wait-time-ns-total') as number) > 0
    })
    assert.ok((metricValue(telemetry, 'io-time-ns-total') as number) > 0)
  })

  test('reach reporters: those there are at first, later ones one by one, and all again at the end', () => {
    const told: string[] = []
    const live: Metric[] = []
    const telemetry = newTelemetry(new FakeClock(), {
      reporters: [
        {
          init: metrics => {
            live.push(...metrics)
            told.push(`init ${metrics.length}`)
          },
          metricChange: ({ name, tags }) => told.push(`change ${name} ${tags.topic}`),
          metricRemoval: () => told.push('removal'),
          close: () => told.push('close'),
        },
        {
          metricChange() {
            throw new Error('a reporter of the application that fails')
          },
        },
      ],
    })
    telemetry.batchesSent([batchOf()], 1)
    telemetry.close()
    telemetry.close()
    assert.equal(told[0], 'init 77')
    assert.equal(told.filter(line => line.startsWith('change') && line.endsWith('orders')).length, 9)
    assert.equal(told.filter(line => line === 'removal').length, 86)
    assert.equal(told.at(-1), 'close')
    assert.equal(live.find(({ name }) => name === 'record-send-total')?.value, 10)
  })
})
