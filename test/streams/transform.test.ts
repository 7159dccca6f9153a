import assert from 'node:assert/strict'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { type RecordOutcome, toTransform } from '../../dist/streams/index.js'
import { MockProducer } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'
import { linesOf, valuesOf, Watch, withProducer } from './support.js'

test('outcomes come in the order of the elements, whatever their partitions', () =>
  withProducer(
    {},
    async (producer, broker) => {
      // Partitions of two nodes, of which one answers later.
      broker.delay({ api: 'Produce', ms: 10, node: 1, times: Number.POSITIVE_INFINITY })
      const records = linesOf(5000).map((value, i) => ({ key: `${i % 97}`, value }))
      const outcomes: RecordOutcome<unknown>[] = []
      await pipeline(Readable.from(records), toTransform(producer, { topic: 'audit' }), async source => {
        for await (const outcome of source) outcomes.push(outcome)
      })
      assert.deepEqual(
        outcomes.map(({ record }) => record),
        records,
      )
      const stored = new Map(
        Array.from(broker.records('audit'), ({ partition, offset, value }) => [
          `${partition}-${offset}`,
          Buffer.from(value ?? []).toString(),
        ]),
      )
      for (const [i, { metadata }] of outcomes.entries()) {
        assert.equal(stored.get(`${metadata?.partition}-${metadata?.offset}`), `line ${i}`)
      }
    },
    { nodes: 2, partitions: 4 },
  ))

test('a failed record is an outcome like others, in its place', () =>
  withProducer({}, async (producer, broker) => {
    const elements = ['a', { topic: 'no such topic!', value: 'b' }, 'c']
    const seen: unknown[] = []
    await pipeline(Readable.from(elements), toTransform(producer, { topic: 't' }), async source => {
      for await (const { error, metadata } of source) seen.push(error?.code ?? metadata.offset)
    })
    assert.deepEqual(seen, [0n, 'TOPIC_INVALID', 1n])
    assert.deepEqual(valuesOf(broker, 't'), ['a', 'c'])
  }))

test('a reader that is slow holds the source, though all is acknowledged', async () => {
  const watch = new Watch()
  let read = 0
  const slow = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(_outcome, _encoding, callback) {
      read++
      setImmediate(callback)
    },
  })
  const transform = toTransform(new MockProducer(), { topic: 't', highWaterMark: 20 })
  await pipeline(Readable.from(watch.lines(2000, () => read)), transform, slow)
  assert.equal(read, 2000)
  // 20, and the queues: 16 before and 16 behind the producer, and the reader's.
  assert.ok(watch.peak >= 20 && watch.peak <= 20 + 16 + 16 + 8, `${watch.peak} were on their way`)
})

test('under a slow broker no more is pulled than highWaterMark allows', () =>
  withProducer({}, async (producer, broker) => {
    broker.delay({ api: 'Produce', ms: 5, times: Number.POSITIVE_INFINITY })
    const watch = new Watch()
    const transform = toTransform(producer, { topic: 'slow', highWaterMark: 50 })
    transform.resume()
    await pipeline(Readable.from(watch.lines(2000, () => transform.counts.acknowledged)), transform)
    assert.ok(watch.peak >= 50 && watch.peak <= 50 + 20, `${watch.peak} were on their way`)
    assert.deepEqual(valuesOf(broker, 'slow'), linesOf(2000))
  }))

test('errors of the source and of the reader end the pipeline with themselves', () =>
  withProducer({}, async producer => {
    const broken = new Error('broken')
    function* source() {
      yield 'a'
      throw broken
    }
    const drain = async (outcomes: AsyncIterable<unknown>) => {
      for await (const _ of outcomes);
    }
    await assert.rejects(
      pipeline(Readable.from(source()), toTransform(producer, { topic: 't' }), drain),
      error => error === broken,
    )
    const watch = new Watch()
    const transform = toTransform(producer, { topic: 't', highWaterMark: 10 })
    const failing = new Writable({ objectMode: true, write: (_outcome, _, callback) => callback(broken) })
    await assert.rejects(
      pipeline(Readable.from(watch.lines(100_000, () => 0)), transform, failing),
      error => error === broken,
    )
    await eventually('the source is closed', () => watch.isClosed)
    assert.ok(watch.pulled < 200, `${watch.pulled} were pulled`)
  }))

test('an abort destroys it while records are on their way', () =>
  withProducer({}, async (producer, broker) => {
    await producer.partitionsFor('aborted')
    const held = broker.hold({ api: 'Produce' })
    const controller = new AbortController()
    const transform = toTransform(producer, {
      topic: 'aborted',
      highWaterMark: 10,
      signal: controller.signal,
    })
    const done = pipeline(Readable.from(linesOf(100)), transform, async outcomes => {
      for await (const _ of outcomes) assert.fail('it was acknowledged')
    })
    const rejected = assert.rejects(done, { name: 'AbortError' })
    await eventually('it is full', () => transform.counts.pending === 10)
    controller.abort()
    await rejected
    held.release()
    await producer.flush()
    assert.deepEqual(valuesOf(broker, 'aborted'), linesOf(10))
  }))
