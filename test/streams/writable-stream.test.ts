import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type DeliveryCallback,
  KafkaError,
  type Producer,
  type ProducerRecord,
  TimeoutError,
} from '../../dist/index.js'
import { toWritableStream } from '../../dist/streams/index.js'
import { MockProducer } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'
import { linesOf, valuesOf, Watch, withProducer } from './support.js'

/** A stream of an iterable, one element a pull. */
function streamOf<T>(source: Iterable<T>): ReadableStream<T> {
  const iterator = source[Symbol.iterator]()
  return new ReadableStream<T>({
    pull(controller) {
      const { done, value } = iterator.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel() {
      iterator.return?.()
    },
  })
}

test('pipeTo resolves when all chunks are acknowledged, each stored once and in order', () =>
  withProducer({}, async (producer, broker) => {
    const lines = linesOf(10_000)
    await streamOf(lines).pipeTo(toWritableStream(producer, { topic: 'lines' }))
    assert.deepEqual(valuesOf(broker, 'lines'), lines)
  }))

test('write resolves when its chunk is accepted, close when all are acknowledged', () =>
  withProducer({}, async (producer, broker) => {
    await producer.partitionsFor('held')
    const held = broker.hold({ api: 'Produce' })
    const writer = toWritableStream(producer, { topic: 'held' }).getWriter()
    await writer.write('first')
    let isClosed = false
    const closing = writer.close().then(() => {
      isClosed = true
    })
    await eventually('it is stored', () => valuesOf(broker, 'held').length === 1)
    assert.equal(isClosed, false)
    held.release()
    await closing
  }))

test('sizes are bytes: of keys, values and headers', async () => {
  const mock = new MockProducer({ autoComplete: false })
  const writer = toWritableStream(mock, { topic: 't', highWaterMark: 1000 }).getWriter()
  assert.equal(writer.desiredSize, 1000)
  const record = {
    key: 'é',
    value: Buffer.alloc(600),
    headers: [['name', 'x'.repeat(94)]] as [string, string][],
  }
  await writer.write(record)
  assert.equal(writer.desiredSize, 1000)
  // The second is over the mark: it is accepted, and what follows it waits in the queue.
  void writer.write(record).catch(() => {})
  void writer.write(record).catch(() => {})
  assert.equal(writer.desiredSize, 1000 - 1400)
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(mock.history().length, 2)
  let isReady = false
  const ready = writer.ready.then(() => {
    isReady = true
  })
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(isReady, false)
  mock.completeNext()
  await ready
  assert.equal(mock.history().length, 3)
  while (mock.completeNext());
  await writer.close()
})

test('under a slow broker no more is pulled than twice highWaterMark', () =>
  withProducer({}, async (producer, broker) => {
    broker.delay({ api: 'Produce', ms: 5, times: Number.POSITIVE_INFINITY })
    const watch = new Watch()
    let acknowledged = 0
    const send = (record: ProducerRecord, callback: DeliveryCallback) =>
      producer.send(record, (error, metadata) => {
        acknowledged++
        callback(error, metadata)
      })
    const counted = Object.create(producer, { send: { value: send } }) as Producer
    const sink = toWritableStream(counted, { topic: 'slow', highWaterMark: 1000 })
    await streamOf(watch.lines(3000, () => acknowledged)).pipeTo(sink)
    // A line has from 6 to 9 bytes.
    assert.ok(watch.peak >= 1000 / 9 && watch.peak <= 2000 / 6 + 4, `${watch.peak} were on their way`)
    assert.deepEqual(valuesOf(broker, 'slow'), linesOf(3000))
  }))

test("a source's error aborts the stream, and what was accepted is stored", () =>
  withProducer({}, async (producer, broker) => {
    const broken = new Error('the source broke')
    function* source() {
      yield* linesOf(50)
      throw broken
    }
    await assert.rejects(
      streamOf(source()).pipeTo(toWritableStream(producer, { topic: 'broken' })),
      error => error === broken,
    )
    await producer.flush()
    const stored = valuesOf(broker, 'broken')
    assert.deepEqual(stored, linesOf(stored.length))
  }))

test("a record's error rejects the pipe with itself and cancels the source", () =>
  withProducer({}, async (producer, broker) => {
    await producer.partitionsFor('refused')
    broker.fail({ api: 'Produce', error: 'INVALID_RECORD', times: Number.POSITIVE_INFINITY })
    const watch = new Watch()
    await assert.rejects(
      streamOf(watch.lines(100_000, () => 0)).pipeTo(
        toWritableStream(producer, { topic: 'refused', highWaterMark: 1000 }),
      ),
      (error: unknown) => error instanceof KafkaError && error.code === 'BROKER_ERROR',
    )
    await eventually('the source is closed', () => watch.isClosed)
    assert.ok(watch.pulled < 2000, `${watch.pulled} were pulled`)
  }))

test('an error while close waits rejects close', () =>
  withProducer({}, async (producer, broker) => {
    await producer.partitionsFor('late')
    broker.fail({ api: 'Produce', error: 'INVALID_RECORD' })
    const writer = toWritableStream(producer, { topic: 'late' }).getWriter()
    void writer.write('v').catch(() => {})
    await assert.rejects(writer.close(), { code: 'BROKER_ERROR' })
    await assert.rejects(writer.closed, { code: 'BROKER_ERROR' })
  }))

test('continue and a function go on after a failure', () =>
  withProducer({}, async (producer, broker) => {
    const failed: unknown[] = []
    const onError = (_: KafkaError, record: unknown) => failed.push(record)
    for (const policy of ['continue', onError] as const) {
      const chunks = ['a', 5 as never, 'b']
      await streamOf(chunks).pipeTo(toWritableStream(producer, { topic: 'some', onError: policy }))
    }
    assert.deepEqual(failed, [5])
    assert.deepEqual(valuesOf(broker, 'some'), ['a', 'b', 'a', 'b'])
  }))

for (const pending of ['write', 'close'] as const) {
  test(`abort rejects at once what is pending: ${pending}`, () =>
    withProducer({}, async (producer, broker) => {
      await producer.partitionsFor('aborted')
      const held = broker.hold({ api: 'Produce' })
      const writer = toWritableStream(producer, { topic: 'aborted', highWaterMark: 3 }).getWriter()
      const reason = new Error('enough')
      const isReason = (error: unknown) => error === reason
      const first = writer.write('accepted')
      const waiting = pending === 'write' ? writer.write('dropped') : writer.close()
      const rejected = Promise.all([
        assert.rejects(first, isReason),
        assert.rejects(waiting, isReason),
        assert.rejects(writer.closed, isReason),
      ])
      await eventually('one is stored', () => valuesOf(broker, 'aborted').length === 1)
      await writer.abort(reason)
      await rejected
      held.release()
      await producer.flush()
      assert.deepEqual(valuesOf(broker, 'aborted'), ['accepted'])
    }))
}

for (const where of ['pipeTo', 'option'] as const) {
  test(`an abort of a pipe ends it and cancels the source: signal of ${where}`, () =>
    withProducer({}, async (producer, broker) => {
      await producer.partitionsFor('piped')
      const held = broker.hold({ api: 'Produce' })
      const controller = new AbortController()
      const { signal } = controller
      const watch = new Watch()
      const own = where === 'option' ? { signal } : {}
      const sink = toWritableStream(producer, { topic: 'piped', highWaterMark: 100, ...own })
      const lines = streamOf(watch.lines(1000, () => 0))
      const rejected = assert.rejects(lines.pipeTo(sink, where === 'pipeTo' ? { signal } : {}), {
        name: 'AbortError',
      })
      await eventually('some are stored', () => valuesOf(broker, 'piped').length > 5)
      controller.abort()
      // What a pipe has read it still writes, which takes until there is room.
      if (where === 'pipeTo') held.release()
      await rejected
      held.release()
      assert.ok(watch.isClosed)
      assert.ok(watch.pulled < 50, `${watch.pulled} were pulled`)
      await producer.flush()
      const stored = valuesOf(broker, 'piped')
      assert.deepEqual(stored, linesOf(stored.length))
    }))
}

test('a signal that has been aborted before errors the stream at once', async () => {
  const mock = new MockProducer()
  const writer = toWritableStream(mock, { topic: 't', signal: AbortSignal.abort() }).getWriter()
  await assert.rejects(writer.closed, { name: 'AbortError' })
  await assert.rejects(writer.write('v'), { name: 'AbortError' })
  assert.equal(mock.history().length, 0)
})

test('a broker that is lost for good rejects the pipe with the time-out of a record', () =>
  withProducer(
    { deliveryTimeoutMs: 400, requestTimeoutMs: 300, maxBlockMs: 300 },
    async (producer, broker) => {
      await producer.send({ topic: 'lost', value: 'first' })
      await broker.stopNode(1)
      const watch = new Watch()
      await assert.rejects(
        streamOf(watch.lines(1_000_000, () => 0)).pipeTo(
          toWritableStream(producer, { topic: 'lost', highWaterMark: 500 }),
        ),
        (error: unknown) => error instanceof TimeoutError,
      )
      assert.ok(watch.pulled < 1000, `${watch.pulled} were pulled`)
    },
  ))

test('an option that makes no sense is refused by name', () => {
  const mock = new MockProducer()
  assert.throws(() => toWritableStream(mock, { highWaterMark: -1 }), { key: 'highWaterMark' })
  assert.throws(() => toWritableStream(mock, { highWaterMarkBytes: 1 } as never), {
    key: 'highWaterMarkBytes',
  })
})
