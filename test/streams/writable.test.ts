import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { KafkaError, ProducerClosedError, serializers, TimeoutError } from '../../dist/index.js'
import { toWritable } from '../../dist/streams/index.js'
import { MockProducer } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'
import { linesOf, valuesOf, Watch, withProducer } from './support.js'

/** Accepted and not acknowledged, the sink's own queue, and what the source has read ahead. */
const AHEAD = 16 + 4

test('a pipeline resolves when all lines are acknowledged, each stored once and in order', () =>
  withProducer({}, async (producer, broker) => {
    const lines = linesOf(20_000)
    const sink = toWritable(producer, { topic: 'lines' })
    await pipeline(Readable.from(lines), sink)
    assert.deepEqual(valuesOf(broker, 'lines'), lines)
    assert.deepEqual(sink.counts, { accepted: 20_000, acknowledged: 20_000, failed: 0, pending: 0 })
  }))

test('a write is called back when it is accepted, the end only when all is acknowledged', () =>
  withProducer({}, async (producer, broker) => {
    await producer.partitionsFor('held')
    const held = broker.hold({ api: 'Produce' })
    const sink = toWritable(producer, { topic: 'held' })
    let isFinished = false
    sink.on('finish', () => {
      isFinished = true
    })
    await new Promise(resolve => {
      sink.write('first', resolve)
    })
    assert.equal(sink.counts.pending, 1)
    sink.end('last')
    await eventually('both are stored', () => valuesOf(broker, 'held').length === 2)
    assert.equal(isFinished, false)
    held.release()
    await finished(sink)
    assert.equal(sink.counts.acknowledged, 2)
  }))

test('under a slow broker no more is pulled than highWaterMark allows', () =>
  withProducer({}, async (producer, broker) => {
    broker.delay({ api: 'Produce', ms: 5, times: Number.POSITIVE_INFINITY })
    const sink = toWritable(producer, { topic: 'slow', highWaterMark: 100 })
    const watch = new Watch()
    await pipeline(Readable.from(watch.lines(3000, () => sink.counts.acknowledged)), sink)
    assert.ok(watch.peak >= 100, `${watch.peak} at most were on their way`)
    assert.ok(watch.peak <= 100 + AHEAD, `${watch.peak} were on their way`)
    assert.deepEqual(valuesOf(broker, 'slow'), linesOf(3000))
  }))

test('highWaterMarkBytes counts keys, values and headers', () =>
  withProducer({}, async (producer, broker) => {
    broker.delay({ api: 'Produce', ms: 5, times: Number.POSITIVE_INFINITY })
    const sink = toWritable(producer, { highWaterMarkBytes: 10_000 })
    const record = {
      topic: 'bytes',
      key: 'k'.repeat(200),
      value: 'v'.repeat(500),
      headers: { h: 'x'.repeat(299) },
    }
    let peak = 0
    function* source() {
      for (let i = 0; i < 400; i++) {
        peak = Math.max(peak, i - sink.counts.acknowledged)
        yield record
      }
    }
    await pipeline(Readable.from(source()), sink)
    assert.ok(peak >= 10 && peak <= 10 + AHEAD, `${peak} of 1,000 bytes were on their way`)
  }))

test('write answers false once the sink is full, and drain says when it is not', async () => {
  const mock = new MockProducer({ autoComplete: false })
  const sink = toWritable(mock, { topic: 't', highWaterMark: 10 })
  let written = 0
  while (sink.write(`${written}`)) written++
  assert.ok(written >= 10 && written <= 10 + AHEAD, `${written} were taken`)
  assert.equal(mock.history().length, 10)
  const drained = once(sink, 'drain')
  let isDrained = false
  sink.on('drain', () => {
    isDrained = true
  })
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(isDrained, false)
  while (!isDrained && mock.completeNext()) await new Promise(resolve => setImmediate(resolve))
  await drained
  assert.ok(sink.counts.acknowledged > 0)
  sink.end()
  await finished(sink)
})

test('a full buffer.memory holds the source until the producer is ready', async () => {
  const mock = new MockProducer({ bufferMemory: 1000 })
  mock.bufferAvailableBytes = 0
  const sink = toWritable(mock, { topic: 't' })
  const done = pipeline(Readable.from(linesOf(100)), sink)
  await new Promise(resolve => setTimeout(resolve, 20))
  assert.equal(mock.history().length, 1)
  mock.bufferAvailableBytes = 1000
  await done
  assert.equal(mock.history().length, 100)
})

test('a small buffer.memory bounds a sink, too: little waits beside it', () =>
  withProducer({ bufferMemory: 65_536, batchSize: 16_384 }, async (producer, broker) => {
    broker.delay({ api: 'Produce', ms: 5, times: Number.POSITIVE_INFINITY })
    let waitingBytes = 0
    function* source() {
      for (let i = 0; i < 1500; i++) {
        waitingBytes = Math.max(waitingBytes, producer.waitingBytes)
        yield `${i} `.padEnd(1000, 'x')
      }
    }
    await pipeline(Readable.from(source()), toWritable(producer, { topic: 'full', highWaterMarkBytes: 1e9 }))
    assert.equal(valuesOf(broker, 'full').length, 1500)
    // Those before the topic is known, a full `buffer.memory` at most; or those that are staged when it is
    // found full, which are as many. Each counts 300 bytes beside its own.
    const records = 65_536 / 1000 + 1
    assert.ok(waitingBytes <= records * 1300, `${waitingBytes} bytes waited`)
  }))

test('the end does not wait for linger.ms', () =>
  withProducer({ lingerMs: 600_000, deliveryTimeoutMs: 700_000 }, async (producer, broker) => {
    await pipeline(Readable.from(linesOf(10)), toWritable(producer, { topic: 'lingering' }))
    assert.equal(valuesOf(broker, 'lingering').length, 10)
  }))

test("a source's error rejects the pipeline, and what was accepted is stored", () =>
  withProducer({}, async (producer, broker) => {
    const broken = new Error('the source broke')
    function* source() {
      yield* linesOf(50)
      throw broken
    }
    const sink = toWritable(producer, { topic: 'broken' })
    await assert.rejects(pipeline(Readable.from(source()), sink), error => error === broken)
    assert.ok(sink.destroyed)
    await producer.flush()
    const stored = valuesOf(broker, 'broken')
    assert.equal(stored.length, sink.counts.accepted)
    assert.deepEqual(stored, linesOf(stored.length))
  }))

test("a record's error rejects the pipeline with itself and closes the source", () =>
  withProducer({}, async (producer, broker) => {
    await producer.partitionsFor('refused')
    broker.fail({ api: 'Produce', error: 'INVALID_RECORD', times: Number.POSITIVE_INFINITY })
    const sink = toWritable(producer, { topic: 'refused', highWaterMark: 20 })
    const watch = new Watch()
    await assert.rejects(
      pipeline(Readable.from(watch.lines(100_000, () => sink.counts.acknowledged)), sink),
      (error: unknown) => error instanceof KafkaError && error.code === 'BROKER_ERROR',
    )
    await eventually('the source is closed', () => watch.isClosed)
    assert.ok(watch.pulled < 1000, `${watch.pulled} were pulled`)
    assert.deepEqual(valuesOf(broker, 'refused'), [])
  }))

test('continue counts failures and stores the rest', () =>
  withProducer({}, async (producer, broker) => {
    const elements = [...linesOf(3), { value: 7 as never }, 'last']
    const sink = toWritable(producer, { topic: 'some', onError: 'continue' })
    await pipeline(Readable.from(elements), sink)
    assert.deepEqual(sink.counts, { accepted: 5, acknowledged: 4, failed: 1, pending: 0 })
    assert.deepEqual(valuesOf(broker, 'some'), [...linesOf(3), 'last'])
  }))

test('a function is told of each failure, and the end waits for its promise', () =>
  withProducer({}, async (producer, broker) => {
    const bad = { topic: 'no such topic!', value: 'bad' }
    const onError = async (error: KafkaError, record: unknown) => {
      assert.equal(error.code, 'TOPIC_INVALID')
      assert.equal(record, bad)
      await new Promise(resolve => setTimeout(resolve, 20))
      await producer.send({ topic: 'dead-letters', value: bad.value })
    }
    await pipeline(Readable.from(['good', bad, 'good too']), toWritable(producer, { topic: 'good', onError }))
    assert.deepEqual(valuesOf(broker, 'good'), ['good', 'good too'])
    assert.deepEqual(valuesOf(broker, 'dead-letters'), ['bad'])
  }))

for (const how of ['throws', 'rejects']) {
  test(`a function that ${how} ends the stream with that`, () =>
    withProducer({}, async producer => {
      const own = new Error('enough')
      const onError = () => {
        if (how === 'throws') throw own
        return Promise.reject(own)
      }
      const sink = toWritable(producer, { topic: 't', onError })
      await assert.rejects(pipeline(Readable.from([[1]]), sink), error => error === own)
    }))
}

test('a closed producer ends even a stream that goes on after failures', () =>
  withProducer({}, async producer => {
    await producer.close()
    const watch = new Watch()
    const sink = toWritable(producer, { topic: 't', onError: 'continue', highWaterMark: 10 })
    await assert.rejects(
      pipeline(Readable.from(watch.lines(100_000, () => sink.counts.failed)), sink),
      (error: unknown) => error instanceof ProducerClosedError,
    )
    assert.ok(watch.pulled < 100, `${watch.pulled} were pulled`)
  }))

test('a close of the producer in the middle ends the stream, and what was accepted is stored', () =>
  withProducer({}, async (producer, broker) => {
    const sink = toWritable(producer, { topic: 'closed' })
    const endless = Readable.from(
      (function* () {
        for (let i = 0; ; i++) yield `line ${i}`
      })(),
    )
    const rejected = assert.rejects(
      pipeline(endless, sink),
      (error: unknown) => error instanceof ProducerClosedError,
    )
    await eventually('some are stored', () => sink.counts.acknowledged > 100)
    await producer.close()
    await rejected
    const stored = valuesOf(broker, 'closed')
    assert.deepEqual(stored, linesOf(stored.length))
    assert.equal(stored.length, sink.counts.acknowledged)
  }))

test('an abort of the pipeline or of the option signal destroys the stream', () =>
  withProducer({}, async (producer, broker) => {
    await producer.partitionsFor('aborted')
    for (const where of ['pipeline', 'option']) {
      const held = broker.hold({ api: 'Produce' })
      const controller = new AbortController()
      const { signal } = controller
      const watch = new Watch()
      const sink = toWritable(producer, {
        topic: 'aborted',
        highWaterMark: 10,
        ...(where === 'option' ? { signal } : {}),
      })
      const source = Readable.from(watch.lines(1000, () => 0))
      const done = pipeline([source, sink], where === 'pipeline' ? { signal } : {})
      await eventually('it is full', () => sink.counts.pending === 10)
      controller.abort()
      await assert.rejects(done, { name: 'AbortError' })
      await eventually('the source is closed', () => watch.isClosed)
      held.release()
      await producer.flush()
      assert.equal(sink.counts.accepted, 10)
      assert.equal(sink.counts.acknowledged, 10)
    }
    assert.deepEqual(valuesOf(broker, 'aborted'), [...linesOf(10), ...linesOf(10)])
  }))

test('a signal that has been aborted before destroys the stream at once', () =>
  withProducer({}, async producer => {
    const sink = toWritable(producer, { topic: 't', signal: AbortSignal.abort() })
    await assert.rejects(finished(sink), { name: 'AbortError' })
    assert.equal(sink.counts.accepted, 0)
  }))

test('a broker that is lost for good ends the stream with the time-out of a record', () =>
  withProducer(
    { deliveryTimeoutMs: 400, requestTimeoutMs: 300, maxBlockMs: 300 },
    async (producer, broker) => {
      const sink = toWritable(producer, { topic: 'lost', highWaterMark: 50 })
      const watch = new Watch()
      const done = pipeline(Readable.from(watch.lines(1_000_000, () => sink.counts.acknowledged)), sink)
      const rejected = assert.rejects(done, (error: unknown) => error instanceof TimeoutError)
      await eventually('some are stored', () => sink.counts.acknowledged > 100)
      await broker.stopNode(1)
      await rejected
      assert.ok(watch.peak <= 50 + AHEAD, `${watch.peak} were on their way`)
      const stored = valuesOf(broker, 'lost')
      assert.deepEqual(stored, linesOf(stored.length))
    },
  ))

test('a broker that comes back costs nothing: every line once and in order', () =>
  withProducer({ retryBackoffMs: 10, reconnectBackoffMs: 10 }, async (producer, broker) => {
    const lines = linesOf(30_000)
    const sink = toWritable(producer, { topic: 'back', highWaterMark: 500 })
    const done = pipeline(Readable.from(lines), sink)
    for (const share of [2000, 8000, 16_000]) {
      await eventually('more are stored', () => sink.counts.acknowledged > share)
      broker.disconnect()
      await broker.stopNode(1)
      await new Promise(resolve => setTimeout(resolve, 30))
      await broker.startNode(1)
    }
    await done
    assert.deepEqual(valuesOf(broker, 'back'), lines)
  }))

test('elements: values, records of the topic or another, and toRecord', () =>
  withProducer({}, async (producer, broker) => {
    const elements = [
      'text',
      Buffer.from('bytes'),
      { key: 'k', value: 'record' },
      { topic: 'other', value: 'o' },
    ]
    await pipeline(Readable.from(elements), toWritable(producer, { topic: 'mixed' }))
    assert.deepEqual(valuesOf(broker, 'mixed'), ['text', 'bytes', 'record'])
    assert.deepEqual(valuesOf(broker, 'other'), ['o'])
    const toRecord = ([key, value]: [string, string]) => ({ key, value })
    await pipeline(Readable.from(new Map([['a', '1']])), toWritable(producer, { topic: 'pairs', toRecord }))
    const [pair] = broker.records('pairs')
    assert.equal(Buffer.from(pair?.key ?? []).toString(), 'a')
  }))

for (const [what, element] of Object.entries({
  'an object with other fields': { sensor: 's', value: 3 },
  'an object without a value': { key: 'k' },
  'an array': ['k', 'v'],
})) {
  test(`${what} is refused, not sent as something else`, async () => {
    const mock = new MockProducer({ valueSerializer: serializers.json })
    const sink = toWritable(mock, { topic: 't' })
    await assert.rejects(pipeline(Readable.from([element]), sink), { code: 'RECORD_INVALID' })
    assert.equal(mock.history().length, 0)
  })
}

test('without the option topic an element without one is refused', async () => {
  const sink = toWritable(new MockProducer())
  await assert.rejects(pipeline(Readable.from(['v']), sink), { code: 'TOPIC_INVALID' })
})

for (const [key, options] of Object.entries({
  topic: { topic: '' },
  toRecord: { toRecord: 'value' },
  onError: { onError: 'ignore' },
  highWaterMark: { highWaterMark: 0 },
  highWaterMarkBytes: { highWaterMarkBytes: 1.5 },
  signal: { signal: {} },
  hwm: { hwm: 1 },
})) {
  test(`an option that makes no sense is refused by name: ${key}`, () => {
    assert.throws(() => toWritable(new MockProducer(), options as never), { code: 'CONFIG_INVALID', key })
  })
}

test('what is no producer is refused', () => {
  assert.throws(() => toWritable({} as never), { code: 'CONFIG_INVALID' })
})
