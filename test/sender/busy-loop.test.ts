// An application that holds the event loop for longer than the time-outs must not lose or double a record.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Producer, type ProducerOptions } from '../../dist/index.js'
import type { BrokerCounters } from '../../dist/testing/counters.js'
import { RecordingLogger } from '../helpers/cluster-options.js'

/** Longer than the requests' time-out, and than what a page of JSON or a report may take. */
const BLOCK_MS = 10_000
const REQUEST_TIMEOUT_MS = 5000

/** A broker in another thread, and a producer. */
async function withBroker(
  options: Partial<ProducerOptions>,
  work: (
    producer: Producer,
    ask: () => Promise<{ counters: BrokerCounters; values: string[] }>,
  ) => Promise<void>,
): Promise<RecordingLogger> {
  const worker = new Worker(new URL('./broker-worker.js', import.meta.url))
  const logger = new RecordingLogger()
  try {
    const [{ bootstrapServers }] = await once(worker, 'message')
    await using producer = new Producer({
      bootstrapServers,
      logger,
      lingerMs: 0,
      bufferMemory: 128 * 1024 * 1024,
      maxRequestSize: 16 * 1024 * 1024,
      deliveryTimeoutMs: 60_000,
      ...options,
    })
    await work(producer, async () => {
      worker.postMessage('state')
      const [state] = await once(worker, 'message')
      return state
    })
  } finally {
    await worker.terminate()
  }
  return logger
}

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const turn = () => new Promise(resolve => setImmediate(resolve))

function assertNoWarning(logger: RecordingLogger): void {
  assert.deepEqual(
    logger.lines.filter(({ level }) => level === 'warn' || level === 'error'),
    [],
  )
}

test('an application busy for ten seconds loses and doubles nothing: in flight, queued, or waiting for memory', async () => {
  const options = { requestTimeoutMs: REQUEST_TIMEOUT_MS, deliveryTimeoutMs: 8000, batchSize: 1024 }
  const logger = await withBroker(
    { ...options, bufferMemory: 8 * 1024, maxBlockMs: 8500 },
    async (producer, ask) => {
      await producer.send({ topic: 't', value: 'warm' })
      const expected = ['warm']
      const outcomes: (string | null)[] = []
      const next = () => {
        const value = `${expected.length}`.padStart(8, '0')
        expected.push(value)
        return { topic: 't', value: value.padEnd(700, '.') }
      }
      const sends = Array.from({ length: 5 }, () => producer.send(next()))
      // The request leaves the process, then nothing happens for ten seconds.
      await turn()
      await turn()
      sends.push(...Array.from({ length: 5 }, () => producer.send(next())))
      for (let i = 0; i < 5; i++) producer.send(next(), error => outcomes.push(error?.code ?? null))
      const many = producer.sendMany(Array.from({ length: 5 }, next))
      assert.equal(producer.bufferAvailableBytes, 0)
      block(BLOCK_MS)
      await Promise.all([...sends, many])
      await producer.flush()
      assert.deepEqual(outcomes, [null, null, null, null, null])
      const { counters, values } = await ask()
      assert.deepEqual(values, expected)
      assert.equal(counters.duplicates, 0)
      assert.equal(counters.rejected, 0)
    },
  )
  assertNoWarning(logger)
})

test('requests that are half written when the loop is blocked are neither given up nor doubled', async () => {
  const logger = await withBroker({ requestTimeoutMs: 2000 }, async (producer, ask) => {
    await producer.send({ topic: 't', value: 'warm' })
    // Far more than the kernel takes before the broker has read some.
    const size = 8 * 1024 * 1024
    const sends = Array.from({ length: 3 }, (_, i) =>
      producer.send({ topic: 't', value: Buffer.alloc(size, `${i}`.padStart(8, '0')) }),
    )
    await turn()
    await turn()
    block(3000)
    await Promise.all(sends)
    const { counters, values } = await ask()
    assert.deepEqual(values, ['warm', ...Array.from({ length: 3 }, (_, i) => `${i}`.padStart(8, '0'))])
    assert.equal(counters.duplicates, 0)
    assert.equal(counters.requests.Produce, 4, 'nothing was sent twice')
  })
  assertNoWarning(logger)
})

test('a loop that is blocked again and again while the producer connects delays it, and nothing more', async () => {
  const timeouts = {
    requestTimeoutMs: 600,
    socketConnectionSetupTimeoutMs: 600,
    socketConnectionSetupTimeoutMaxMs: 600,
  }
  const logger = await withBroker({ ...timeouts, maxBlockMs: 20_000 }, async (producer, ask) => {
    const sends = ['a', 'b', 'c'].map(value => producer.send({ topic: 't', value }))
    const all = Promise.all(sends)
    // Between two of these the producer gets one turn: to look a name up, connect, ask for versions, and so on.
    for (let i = 0; i < 7; i++) {
      await turn()
      block(900)
    }
    await all
    const { counters, values } = await ask()
    assert.deepEqual(values, ['a', 'b', 'c'])
    assert.equal(counters.requests.Produce, 1)
  })
  assertNoWarning(logger)
})
