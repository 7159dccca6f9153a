import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codecById } from '../../dist/compression/index.js'
import {
  IllegalStateError,
  NetworkError,
  TimeoutError,
  UnsupportedVersionError,
} from '../../dist/errors/index.js'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import {
  GetTelemetrySubscriptions,
  type GetTelemetrySubscriptionsRequest,
  type GetTelemetrySubscriptionsResponse,
} from '../../dist/protocol/get-telemetry-subscriptions.js'
import type { PushTelemetryRequest } from '../../dist/protocol/push-telemetry.js'
import { PushCodecs } from '../../dist/telemetry/push/codecs.js'
import { PushClient } from '../../dist/telemetry/push/push-client.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { type DecodedMetric, decodeMetrics } from './otlp.js'
import { batchOf, newTelemetry, node } from './support.js'

const INSTANCE = Uint8Array.from({ length: 16 }, (_, at) => at + 1)
const INTERVAL_MS = 10_000

type Answer = Partial<GetTelemetrySubscriptionsResponse> | Error

interface Push extends PushTelemetryRequest {
  atMs: number
  decoded: ReturnType<typeof decodeMetrics>
}

/** A push client whose cluster answers as the test says; time is the test's. */
function rig(options: { random?: number } = {}) {
  const clock = new FakeClock({ startMs: 0 })
  const telemetry = newTelemetry(clock)
  const logger = new RecordingLogger()
  const subscriptions: Answer[] = []
  const pushErrors: (number | Error)[] = []
  const gets: { atMs: number; id: Uint8Array }[] = []
  const pushes: Push[] = []
  const targets: (number | 'any')[] = []
  const ready = new Set([1, 2])
  let last: Answer = {}
  const request = async (target: number | 'any', api: { key: number }, body: unknown) => {
    targets.push(target)
    if (api.key === GetTelemetrySubscriptions.key) {
      gets.push({ atMs: clock.now(), id: (body as GetTelemetrySubscriptionsRequest).clientInstanceId })
      last = subscriptions.shift() ?? last
      if (last instanceof Error) throw last
      return {
        ...{ throttleTimeMs: 0, errorCode: 0, clientInstanceId: INSTANCE, subscriptionId: 7 },
        ...{ acceptedCompressionTypes: [], pushIntervalMs: INTERVAL_MS, telemetryMaxBytes: 1 << 20 },
        ...{ deltaTemporality: true, requestedMetrics: ['*'], ...last },
      }
    }
    const push = body as PushTelemetryRequest
    const plain = codecById(push.compressionType).decompress(push.metrics, 1 << 24)
    pushes.push({ ...push, atMs: clock.now(), decoded: decodeMetrics(plain) })
    const error = pushErrors.shift() ?? 0
    if (error instanceof Error) throw error
    return { throttleTimeMs: 0, errorCode: error }
  }
  const push = new PushClient({
    client: {
      request: request as never,
      isReady: id => ready.has(id),
      usableNode: () => [...ready][0] ?? null,
      lastError: null,
    },
    clock,
    logger,
    telemetry,
    requestTimeoutMs: 30_000,
    resource: [['transactional_id', 'billing']],
    random: () => options.random ?? 0.5,
  })
  return { clock, telemetry, logger, push, subscriptions, pushErrors, gets, pushes, targets, ready }
}

const metricIn = (push: Push | undefined, name: string): DecodedMetric | undefined =>
  push?.decoded.metrics.find(metric => metric.name === `org.apache.kafka.${name}`)

describe('the push of metrics', () => {
  test('asks with no id, and pushes after half to one and a half intervals, then after each', async () => {
    for (const [random, factor] of [
      [0, 0.5],
      [0.999, 1.499],
    ] as const) {
      const { push, clock, gets, pushes } = rig({ random })
      push.start()
      await clock.advanceAsync(factor * INTERVAL_MS - 1)
      assert.deepEqual(gets[0]?.id, new Uint8Array(16))
      assert.equal(pushes.length, 0)
      await clock.advanceAsync(1)
      assert.equal(pushes.length, 1)
      await clock.advanceAsync(INTERVAL_MS - 1)
      assert.equal(pushes.length, 1)
      await clock.advanceAsync(1)
      assert.equal(pushes.length, 2)
      assert.equal(gets.length, 1)
      assert.deepEqual(pushes[0]?.clientInstanceId, INSTANCE)
      assert.equal(pushes[0]?.subscriptionId, 7)
      await push.close()
    }
  })

  test('names metrics, labels and resource as Java does, without text and without averages of nothing', async () => {
    const { push, clock, pushes, telemetry } = rig()
    telemetry.requestSent(
      node,
      { api: { key: 0, name: 'Produce' }, version: 13, expectsResponse: true },
      60,
      0,
    )
    telemetry.batchesSent([batchOf({ topic: 'a"b' })], 1)
    push.start()
    await clock.advanceAsync(INTERVAL_MS)
    const [first] = pushes
    assert.deepEqual(first?.decoded.resource, { transactional_id: 'billing' })
    const sent = metricIn(first, 'producer.record.send.total')
    assert.equal(sent?.kind, 'sum')
    assert.equal(sent?.temporality, 1)
    assert.equal(sent?.isMonotonic, true)
    assert.deepEqual(sent?.points[0]?.labels, {})
    assert.equal(sent?.points[0]?.value, 10)
    assert.deepEqual(metricIn(first, 'producer.topic.byte.total')?.points[0]?.labels, { topic: 'a"b' })
    assert.deepEqual(metricIn(first, 'producer.node.request.size.avg')?.points[0]?.labels, {
      node_id: 'node-1',
    })
    assert.equal(metricIn(first, 'producer.node.request.size.avg')?.kind, 'gauge')
    assert.equal(metricIn(first, 'producer.node.request.latency.avg'), undefined)
    assert.equal(metricIn(first, 'app.info.version'), undefined)
    assert.equal(metricIn(first, 'app.info.start.time.ms')?.points[0]?.value, 1_700_000_000_000)
    assert.equal(metricIn(first, 'kafka.count.count')?.points[0]?.value, 77 + 12 + 9)
    for (const name of [
      ...['producer.connection.creation.rate', 'producer.connection.creation.total'],
      ...['producer.record.queue.time.avg', 'producer.record.queue.time.max'],
    ]) {
      assert.ok(metricIn(first, name), name)
    }
    await push.close()
  })

  test('sends what was added since the last push, and again what a push that failed had', async () => {
    const { push, clock, pushes, pushErrors, telemetry } = rig()
    const value = (at: number) => metricIn(pushes[at], 'producer.record.send.total')?.points[0]
    telemetry.batchesSent([batchOf()], 1)
    push.start()
    await clock.advanceAsync(INTERVAL_MS)
    telemetry.batchesSent([batchOf({ recordCount: 4 })], 1)
    pushErrors.push(ErrorCodes.UNKNOWN_SUBSCRIPTION_ID)
    await clock.advanceAsync(INTERVAL_MS)
    telemetry.batchesSent([batchOf({ recordCount: 1 })], 1)
    await clock.advanceAsync(INTERVAL_MS)
    assert.deepEqual(
      [0, 1, 2].map(at => value(at)?.value),
      [10, 4, 5],
    )
    assert.equal(value(1)?.startNs, value(0)?.timeNs)
    assert.equal(value(2)?.startNs, value(0)?.timeNs)
    await push.close()
  })

  test('sends totals since the beginning where the cluster wants that, and starts over when it changes', async () => {
    const { push, clock, pushes, pushErrors, subscriptions, telemetry } = rig()
    const value = (at: number) => metricIn(pushes[at], 'producer.record.send.total')
    subscriptions.push({ deltaTemporality: false }, { deltaTemporality: true })
    telemetry.batchesSent([batchOf()], 1)
    push.start()
    await clock.advanceAsync(2 * INTERVAL_MS)
    assert.deepEqual(
      [0, 1].map(at => value(at)?.points[0]?.value),
      [10, 10],
    )
    assert.equal(value(0)?.temporality, 2)
    assert.equal(value(1)?.points[0]?.startNs, value(0)?.points[0]?.startNs)
    pushErrors.push(ErrorCodes.UNKNOWN_SUBSCRIPTION_ID)
    await clock.advanceAsync(2 * INTERVAL_MS)
    assert.equal(value(3)?.temporality, 1)
    assert.equal(value(3)?.points[0]?.value, 10)
    await push.close()
  })

  test('pushes only names that begin as the cluster asks, and nothing where it asks for none', async () => {
    const { push, clock, pushes, subscriptions } = rig()
    subscriptions.push(
      { requestedMetrics: [] },
      { requestedMetrics: ['org.apache.kafka.producer.record.queue', 'org.apache.kafka.app'] },
    )
    push.start()
    await clock.advanceAsync(INTERVAL_MS - 1)
    assert.equal(push.state, 'SUBSCRIPTION_NEEDED')
    await clock.advanceAsync(1 + INTERVAL_MS)
    const names = pushes[0]?.decoded.metrics.map(({ name }) => name)
    assert.deepEqual(names, ['org.apache.kafka.app.info.start.time.ms'])
    await push.close()
  })

  test('takes the first codec of the list that works, and none where none does', async () => {
    for (const [acceptedCompressionTypes, used] of [
      [[4, 3, 1, 2], 4],
      [[99, 1, 4], 1],
      [[77], 0],
      [[0, 1], 0],
    ] as const) {
      const { push, clock, pushes, subscriptions } = rig()
      subscriptions.push({ acceptedCompressionTypes })
      push.start()
      await clock.advanceAsync(INTERVAL_MS)
      // Codecs may work on a thread.
      for (let tries = 0; pushes.length === 0 && tries < 1000; tries++) await new Promise(setImmediate)
      assert.equal(pushes[0]?.compressionType, used)
      assert.ok(metricIn(pushes[0], 'producer.record.send.total'))
      await push.close()
    }
  })

  test('compresses for several producers at once', async () => {
    const inputs = Array.from({ length: 5 }, (_, at) => Buffer.from(`${at} metrics `.repeat(100 + at)))
    for (const type of [1, 2, 3, 4]) {
      const outputs = await Promise.all(inputs.map(input => new PushCodecs().compress(input, [type])))
      for (const [at, { output }] of outputs.entries())
        assert.deepEqual(Buffer.from(codecById(type).decompress(output, 1 << 20)), inputs[at])
    }
  })

  test('stays with one broker until that takes no request', async () => {
    const { push, clock, targets, ready } = rig()
    push.start()
    await clock.advanceAsync(2 * INTERVAL_MS)
    ready.delete(1)
    await clock.advanceAsync(INTERVAL_MS)
    ready.clear()
    await clock.advanceAsync(INTERVAL_MS)
    assert.deepEqual(targets, [1, 1, 1, 2, 'any'])
    await push.close()
  })
})

describe('an error of the push of metrics', () => {
  const remedies = [
    [ErrorCodes.UNKNOWN_SUBSCRIPTION_ID, 'now'],
    [ErrorCodes.UNSUPPORTED_COMPRESSION_TYPE, 'now'],
    [ErrorCodes.TELEMETRY_TOO_LARGE, 'later'],
    [ErrorCodes.THROTTLING_QUOTA_EXCEEDED, 'later'],
    [ErrorCodes.INVALID_REQUEST, 'off'],
    [ErrorCodes.INVALID_RECORD, 'off'],
    [ErrorCodes.UNSUPPORTED_VERSION, 'off'],
    [ErrorCodes.UNKNOWN_SERVER_ERROR, 'off'],
  ] as const

  for (const [errorCode, remedy] of remedies) {
    test(`${errorCode} to a push: asks again ${remedy}`, async () => {
      const { push, clock, gets, pushErrors } = rig()
      pushErrors.push(errorCode)
      push.start()
      await clock.advanceAsync(INTERVAL_MS)
      await clock.advanceAsync(0)
      assert.equal(gets.length, remedy === 'now' ? 2 : 1)
      await clock.advanceAsync(INTERVAL_MS)
      assert.equal(gets.length, remedy === 'off' ? 1 : 2)
      assert.equal(push.state === 'TERMINATED', remedy === 'off')
      // The id is the client's for its life.
      if (remedy !== 'off') assert.deepEqual(gets[1]?.id, INSTANCE)
      await push.close()
    })

    test(`${errorCode} to the question: asks again ${remedy}`, async () => {
      const { push, clock, gets, subscriptions } = rig()
      subscriptions.push({ errorCode }, {})
      push.start()
      await clock.advanceAsync(0)
      await clock.advanceAsync(0)
      assert.equal(gets.length, remedy === 'now' ? 2 : 1)
      await clock.advanceAsync(300_000)
      assert.equal(gets.length, remedy === 'off' ? 1 : 2)
      assert.equal(push.state === 'TERMINATED', remedy === 'off')
      await push.close()
    })
  }

  test('a question that is always refused is not asked without end', async () => {
    const { push, clock, gets, subscriptions } = rig()
    subscriptions.push({ errorCode: ErrorCodes.UNKNOWN_SUBSCRIPTION_ID })
    push.start()
    await clock.advanceAsync(299_999)
    assert.equal(gets.length, 2)
    await push.close()
  })

  test('no answer: asks again after five minutes', async () => {
    const { push, clock, gets, subscriptions, logger } = rig()
    subscriptions.push(new NetworkError('gone'), {})
    push.start()
    await clock.advanceAsync(299_999)
    assert.equal(gets.length, 1)
    await clock.advanceAsync(1)
    assert.equal(gets.length, 2)
    assert.deepEqual(
      logger.lines.filter(({ level }) => level === 'warn'),
      [],
    )
    await push.close()
  })

  test('brokers that do not know it: off without a warning, and no id', async () => {
    const { push, clock, gets, subscriptions, logger } = rig()
    subscriptions.push(new UnsupportedVersionError('too old'))
    push.start()
    await clock.advanceAsync(600_000)
    assert.equal(gets.length, 1)
    assert.equal(push.state, 'TERMINATED')
    assert.deepEqual(
      logger.lines.filter(({ level }) => level === 'warn'),
      [],
    )
    await assert.rejects(push.clientInstanceId(1000), IllegalStateError)
  })

  test('an answer without an id: off with a warning', async () => {
    const { push, clock, subscriptions, logger } = rig()
    subscriptions.push({ clientInstanceId: new Uint8Array(16) })
    push.start()
    await clock.advanceAsync(0)
    assert.equal(push.state, 'TERMINATED')
    assert.equal(logger.lines.filter(({ level }) => level === 'warn').length, 1)
  })

  test('more than the broker takes: topics are left out', async () => {
    const { push, clock, pushes, subscriptions, telemetry } = rig()
    subscriptions.push({ telemetryMaxBytes: 20_000 })
    for (let topic = 0; topic < 500; topic++) telemetry.batchesSent([batchOf({ topic: `topic-${topic}` })], 1)
    push.start()
    await clock.advanceAsync(INTERVAL_MS)
    assert.ok(metricIn(pushes[0], 'producer.record.send.total'))
    assert.equal(metricIn(pushes[0], 'producer.topic.byte.total'), undefined)
    await push.close()
  })
})

describe('the last push of metrics', () => {
  test('is sent at once, whatever the interval, and nothing follows it', async () => {
    const { push, clock, pushes } = rig()
    push.start()
    await clock.advanceAsync(1)
    await push.close()
    assert.deepEqual(
      pushes.map(({ terminating }) => terminating),
      [true],
    )
    await clock.advanceAsync(10 * INTERVAL_MS)
    assert.equal(pushes.length, 1)
    assert.equal(clock.pendingTimers, 0)
  })

  test('is not sent where nothing was asked for', async () => {
    const { push, clock, pushes, subscriptions } = rig()
    subscriptions.push({ requestedMetrics: [] })
    push.start()
    await clock.advanceAsync(1)
    await push.close()
    assert.equal(pushes.length, 0)
  })

  test('holds a close up for a tenth of a second at most', async () => {
    const { push, clock, telemetry } = rig()
    telemetry.batchesSent([batchOf()], 1)
    push.start()
    await clock.advanceAsync(1)
    const options = (push as unknown as { options: { client: { request: unknown } } }).options
    options.client.request = () => new Promise(() => {})
    let isClosed = false
    const closing = push.close().then(() => {
      isClosed = true
    })
    await clock.advanceAsync(99)
    assert.equal(isClosed, false)
    await clock.advanceAsync(1)
    await closing
    assert.equal(push.state, 'TERMINATED')
  })
})

describe('the id of a client', () => {
  test('is known when a broker has given it, in 22 characters', async () => {
    const { push } = rig()
    assert.equal(await push.clientInstanceId(1000), Buffer.from(INSTANCE).toString('base64url'))
    assert.equal(await push.clientInstanceId(0), 'AQIDBAUGBwgJCgsMDQ4PEA')
    await push.close()
  })

  test('is not waited for longer than asked', async () => {
    const { push, clock } = rig()
    const options = (push as unknown as { options: { client: { request: unknown } } }).options
    options.client.request = () => new Promise(() => {})
    const id = push.clientInstanceId(50)
    const refused = assert.rejects(id, TimeoutError)
    await clock.advanceAsync(50)
    await refused
    await assert.rejects(push.clientInstanceId(-1), /timeoutMs/)
    await push.close()
  })
})

describe('a metric of the application', () => {
  test('is pushed until it is taken back, unless its name is one of the producer’s', async () => {
    const { push, clock, pushes } = rig()
    const own = { name: 'queue-depth', group: 'my-app', description: '', tags: { shard: '3' }, value: 12 }
    const colliding = {
      ...{ name: 'record-send-total', group: 'producer-metrics', description: '', value: 99 },
      tags: { 'client-id': 'test-client' },
    }
    push.addMetric(own)
    push.addMetric(colliding)
    push.start()
    await clock.advanceAsync(INTERVAL_MS)
    assert.deepEqual(metricIn(pushes[0], 'my.app.queue.depth')?.points[0]?.labels, { shard: '3' })
    assert.equal(metricIn(pushes[0], 'my.app.queue.depth')?.points[0]?.value, 12)
    assert.deepEqual(
      metricIn(pushes[0], 'producer.record.send.total')?.points.map(({ value }) => value),
      [0],
    )
    push.removeMetric(own)
    await clock.advanceAsync(INTERVAL_MS)
    assert.equal(metricIn(pushes[1], 'my.app.queue.depth'), undefined)
    await push.close()
  })
})
