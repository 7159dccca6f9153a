import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaError, serializers, TimeoutError } from '../../dist/index.js'
import { type RecordOutcome, sendAll } from '../../dist/streams/index.js'
import { MockProducer } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'
import { linesOf, valuesOf, Watch, withProducer } from './support.js'

async function* asyncOf<T>(source: Iterable<T>): AsyncGenerator<T> {
  for (const element of source) yield element
}

const sources = {
  'an array': (lines: string[]) => lines,
  'a generator': (lines: string[]) => lines.values(),
  'an async generator': (lines: string[]) => asyncOf(lines),
  'a ReadableStream': (lines: string[]) =>
    new ReadableStream<string>({
      start(controller) {
        for (const line of lines) controller.enqueue(line)
        controller.close()
      },
    }),
}

for (const [what, make] of Object.entries(sources)) {
  test(`${what} is sent in order, each element once`, () =>
    withProducer({}, async (producer, broker) => {
      const lines = linesOf(5000)
      const source = make(lines)
      assert.deepEqual(await sendAll(producer, source, { topic: 'lines' }), { records: 5000, failed: 0 })
      assert.deepEqual(valuesOf(broker, 'lines'), lines)
      if (source instanceof ReadableStream) assert.equal(source.locked, false)
    }))
}

test('nothing to send is sent at once', async () => {
  assert.deepEqual(await sendAll(new MockProducer(), []), { records: 0, failed: 0 })
})

for (const kind of ['sync', 'async'] as const) {
  test(`under a slow broker no more is pulled of a ${kind} source than highWaterMark allows`, () =>
    withProducer({}, async (producer, broker) => {
      broker.delay({ api: 'Produce', ms: 5, times: Number.POSITIVE_INFINITY })
      const watch = new Watch()
      let acknowledged = 0
      const lines = watch.lines(3000, () => acknowledged)
      const result = await sendAll(producer, kind === 'sync' ? lines : asyncOf(lines), {
        topic: 'slow',
        highWaterMark: 100,
        onOutcome: () => acknowledged++,
      })
      assert.deepEqual(result, { records: 3000, failed: 0 })
      assert.ok(watch.peak >= 100 && watch.peak <= 101, `${watch.peak} were on their way`)
      assert.deepEqual(valuesOf(broker, 'slow'), linesOf(3000))
    }))
}

test('outcomes tell of each record, and of its place', () =>
  withProducer({}, async (producer, broker) => {
    const records = [{ key: 'k', value: 'good' }, { value: 9 as never }, { value: 'good too' }]
    const outcomes: RecordOutcome<unknown>[] = []
    const result = await sendAll(producer, records, {
      topic: 't',
      onOutcome: outcome => outcomes.push(outcome),
    })
    assert.deepEqual(result, { records: 3, failed: 1 })
    const of = (record: unknown) => outcomes.find(outcome => outcome.record === record)
    assert.equal(of(records[0])?.metadata?.offset, 0n)
    assert.equal(of(records[0])?.error, null)
    assert.equal(of(records[1])?.metadata, null)
    assert.equal(of(records[1])?.error?.code, 'RECORD_INVALID')
    assert.equal(of(records[2])?.metadata?.offset, 1n)
    assert.equal(outcomes.length, 3)
    assert.deepEqual(valuesOf(broker, 't'), ['good', 'good too'])
  }))

test("without onOutcome a record's error rejects, closes the source and leaves nothing on its way", () =>
  withProducer({}, async (producer, broker) => {
    const watch = new Watch()
    function* source() {
      for (const line of watch.lines(100_000, () => 0)) yield line === 'line 500' ? (5 as never) : line
    }
    await assert.rejects(
      sendAll(producer, source(), { topic: 't', highWaterMark: 100 }),
      (error: unknown) => error instanceof KafkaError && error.code === 'RECORD_INVALID',
    )
    assert.ok(watch.isClosed)
    const stored = valuesOf(broker, 't')
    assert.equal(stored.length, watch.pulled - 1)
    assert.equal(producer.bufferAvailableBytes, producer.bufferTotalBytes)
  }))

test("a source's error rejects with itself once what was accepted is stored", () =>
  withProducer({}, async (producer, broker) => {
    const broken = new Error('the source broke')
    async function* source() {
      yield* linesOf(50)
      throw broken
    }
    await assert.rejects(sendAll(producer, source(), { topic: 'broken' }), error => error === broken)
    assert.deepEqual(valuesOf(broker, 'broken'), linesOf(50))
  }))

test('a source that throws undefined rejects', async () => {
  const source = {
    [Symbol.iterator]: () => ({
      next(): IteratorResult<string> {
        throw undefined
      },
    }),
  }
  let rejected = false
  await sendAll(new MockProducer(), source, { topic: 't' }).catch(() => {
    rejected = true
  })
  assert.ok(rejected)
})

test('a stream is cancelled with the error of a record', async () => {
  let reason: unknown
  const source = new ReadableStream<string>({
    pull: controller => controller.enqueue('v'),
    cancel: given => {
      reason = given
    },
  })
  const mock = new MockProducer()
  mock.sendException = new Error('no')
  await assert.rejects(
    sendAll(mock, source, { topic: 't', highWaterMark: 5 }),
    error => error === mock.sendException,
  )
  assert.equal(reason, mock.sendException)
  assert.equal(source.locked, false)
})

test('what onOutcome throws rejects and closes the source', async () => {
  const own = new Error('own')
  const watch = new Watch()
  const onOutcome = () => {
    throw own
  }
  await assert.rejects(
    sendAll(new MockProducer(), asyncOf(watch.lines(1000, () => 0)), { topic: 't', onOutcome }),
    error => error === own,
  )
  assert.ok(watch.isClosed)
})

const stuck = {
  'full of unacknowledged records': (watch: Watch) => asyncOf(watch.lines(1000, () => 0)),
  'waiting for its source': async function* (watch: Watch) {
    try {
      for (let i = 0; i < 10; i++) {
        watch.pulled++
        yield `line ${i}`
      }
      await new Promise(() => {})
    } finally {
      watch.isClosed = true
    }
  },
}

for (const [what, make] of Object.entries(stuck)) {
  test(`an abort rejects at once with its reason: ${what}`, () =>
    withProducer({}, async (producer, broker) => {
      await producer.partitionsFor('aborted')
      const held = broker.hold({ api: 'Produce' })
      const controller = new AbortController()
      const watch = new Watch()
      const outcomes: unknown[] = []
      const sending = sendAll(producer, make(watch), {
        topic: 'aborted',
        highWaterMark: 10,
        signal: controller.signal,
        onOutcome: outcome => outcomes.push(outcome),
      })
      const reason = new Error('enough')
      const rejected = assert.rejects(sending, error => error === reason)
      await eventually('ten are pulled', () => watch.pulled === 10)
      controller.abort(reason)
      await rejected
      assert.deepEqual(outcomes, [])
      held.release()
      await producer.flush()
      assert.equal(outcomes.length, 10)
      assert.deepEqual(valuesOf(broker, 'aborted'), linesOf(10))
    }))
}

test('an abort while the last records are on their way rejects at once', () =>
  withProducer({}, async (producer, broker) => {
    await producer.partitionsFor('last')
    const held = broker.hold({ api: 'Produce' })
    const controller = new AbortController()
    const sending = sendAll(producer, ['only'], { topic: 'last', signal: controller.signal })
    const rejected = assert.rejects(sending, { name: 'AbortError' })
    await eventually('it is stored', () => valuesOf(broker, 'last').length === 1)
    controller.abort()
    await rejected
    held.release()
  }))

test('a signal that has been aborted before: nothing is pulled, the source is closed', async () => {
  let isCancelled = false
  const source = new ReadableStream<string>(
    {
      pull: () => assert.fail('it was pulled'),
      cancel: () => {
        isCancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  const signal = AbortSignal.abort()
  await assert.rejects(sendAll(new MockProducer(), source, { topic: 't', signal }), { name: 'AbortError' })
  assert.ok(isCancelled)
})

test('a signal that outlives many calls keeps nothing of them', async () => {
  const { signal } = new AbortController()
  let listeners = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--
    remove(...args)
  }
  for (let i = 0; i < 20; i++) await sendAll(new MockProducer(), ['v'], { topic: 't', signal })
  assert.equal(listeners, 0)
})

test('a broker that is lost for good rejects with the time-out of a record', () =>
  withProducer(
    { deliveryTimeoutMs: 400, requestTimeoutMs: 300, maxBlockMs: 300 },
    async (producer, broker) => {
      await producer.send({ topic: 'lost', value: 'first' })
      await broker.stopNode(1)
      const watch = new Watch()
      await assert.rejects(
        sendAll(
          producer,
          watch.lines(1_000_000, () => 0),
          { topic: 'lost', highWaterMark: 50 },
        ),
        (error: unknown) => error instanceof TimeoutError,
      )
      assert.ok(watch.isClosed)
      assert.equal(watch.pulled, 50)
    },
  ))

test('records that a serializer has yet to turn into bytes count as the mean of those before', async () => {
  const mock = new MockProducer({ valueSerializer: serializers.json, autoComplete: false })
  const value = { text: 'x'.repeat(10_000) }
  const sending = sendAll(mock, Array(300).fill({ topic: 't', value }), { highWaterMarkBytes: 50_000 })
  let isSent = false
  void sending.then(() => {
    isSent = true
  })
  const heights: number[] = []
  let completed = 0
  while (!isSent) {
    await new Promise(resolve => setImmediate(resolve))
    heights.push(mock.history().length - completed)
    while (mock.completeNext()) completed++
  }
  assert.deepEqual(await sending, { records: 300, failed: 0 })
  // 49 of 1 KiB each before anything is known; then 5 of 10 KB, once they are known to be that.
  assert.equal(heights[0], 49)
  assert.ok((heights[20] ?? 0) <= 6, `${heights}`)
})

test('what is no source is refused', async () => {
  for (const source of [null, 7, {}]) {
    await assert.rejects(sendAll(new MockProducer(), source as never, { topic: 't' }), {
      code: 'CONFIG_INVALID',
    })
  }
})
