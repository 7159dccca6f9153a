import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { sendAll, toTransform, toWritable, toWritableStream } from '../../dist/streams/index.js'
import { read, withProducer } from './support.js'

/** Elements of a source, and whether its reader has closed it. */
class Source {
  pulled = 0
  isClosed = false;

  *lines(count: number): Generator<string> {
    try {
      for (; this.pulled < count; ) yield `line ${this.pulled++}`
    } finally {
      this.isClosed = true
    }
  }

  stream(count: number): ReadableStream<string> {
    const lines = this.lines(count)
    return new ReadableStream({
      pull(controller) {
        const { done, value } = lines.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel() {
        lines.return(undefined)
      },
    })
  }
}

type Work = (source: Source, count: number) => Promise<unknown>
type Sinks = Record<string, (options: object, topic: string) => Work>

/** Every way to end a stream in a producer. */
const sinks = (producer: Parameters<Parameters<typeof withProducer>[1]>[0]): Sinks => ({
  toWritable: (options, topic) => (source, count) =>
    pipeline(Readable.from(source.lines(count)), toWritable(producer, { topic, ...options })),
  toWritableStream: (options, topic) => (source, count) =>
    source.stream(count).pipeTo(toWritableStream(producer, { topic, ...options })),
  'sendAll of a generator': (options, topic) => (source, count) =>
    sendAll(producer, source.lines(count), { topic, ...options }),
  'sendAll of a stream': (options, topic) => (source, count) =>
    sendAll(producer, source.stream(count), { topic, ...options }),
  toTransform: (_, topic) => (source, count) =>
    pipeline(Readable.from(source.lines(count)), toTransform(producer, { topic }), async outcomes => {
      let next = 0
      for await (const { record, error, metadata } of outcomes) {
        if (error !== null) throw error
        assert.equal(record, `line ${next}`)
        assert.equal(metadata.offset, BigInt(next++))
      }
    }),
})

const names = [
  'toWritable',
  'toWritableStream',
  'sendAll of a generator',
  'sendAll of a stream',
  'toTransform',
]

for (const name of names) {
  test(`${name}: every line is stored once and in order, through a lost connection and a slow broker`, () =>
    withProducer(
      { retryBackoffMs: 5, reconnectBackoffMs: 5, reconnectBackoffMaxMs: 5 },
      async (producer, broker) => {
        broker.delay({ api: 'Produce', ms: 3, times: 40 })
        broker.cut({ afterBytes: 30_000, times: 1 })
        const work = sinks(producer)[name]?.({}, 'lines')
        await work?.(new Source(), 5000)
        assert.deepEqual(
          read(broker, 'lines').map(({ value }) => value),
          Array.from({ length: 5000 }, (_, i) => `line ${i}`),
        )
      },
      { partitions: 1 },
    ))

  test(`${name}: a record that fails ends it with its error and closes the source`, () =>
    withProducer({}, async (producer, broker) => {
      await producer.partitionsFor('refused')
      broker.fail({ api: 'Produce', error: 'INVALID_RECORD', times: Number.POSITIVE_INFINITY })
      const source = new Source()
      await assert.rejects(
        async () => sinks(producer)[name]?.({ highWaterMark: 100 }, 'refused')(source, 1_000_000),
        // A pipeline whose reader throws ends with an AbortError in Node, whatever it threw.
        name === 'toTransform' ? Error : { code: 'BROKER_ERROR' },
      )
      for (let turns = 0; turns < 100 && !source.isClosed; turns++) {
        await new Promise(resolve => setTimeout(resolve, 5))
      }
      assert.ok(source.isClosed)
      assert.ok(source.pulled < 100_000, `${source.pulled} were pulled`)
    }))

  if (name === 'toTransform') continue
  test(`${name}: an abort ends it and closes the source`, () =>
    withProducer({}, async (producer, broker) => {
      await producer.partitionsFor('aborted')
      const held = broker.hold({ api: 'Produce' })
      const controller = new AbortController()
      const source = new Source()
      const options = { highWaterMark: 100, signal: controller.signal }
      const work = sinks(producer)[name]?.(options, 'aborted')(source, 1_000_000)
      const rejected = assert.rejects(async () => work, { name: 'AbortError' })
      for (let turns = 0; turns < 1000 && read(broker, 'aborted').length === 0; turns++) {
        await new Promise(resolve => setTimeout(resolve, 5))
      }
      controller.abort()
      await rejected
      held.release()
      await producer.flush()
      const stored = read(broker, 'aborted')
      assert.ok(stored.length > 0 && stored.length <= source.pulled)
      assert.ok(source.isClosed && source.pulled < 1000)
    }))
}
