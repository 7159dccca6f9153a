// An application that holds the event loop for longer than the time-outs must not lose or double a record.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Producer } from '../../dist/index.js'
import type { BrokerCounters } from '../../dist/testing/counters.js'
import { RecordingLogger } from '../helpers/cluster-options.js'

const BLOCK_MS = 3000

/** A broker in another thread, and a producer whose requests time out after two seconds. */
async function withBroker(
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
      requestTimeoutMs: 2000,
      deliveryTimeoutMs: 60_000,
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

test('answers that arrive while the event loop is blocked count, however late they are read', async () => {
  const logger = await withBroker(async (producer, ask) => {
    await producer.send({ topic: 't', value: 'warm' })
    const sends = ['a', 'b', 'c'].map(value => producer.send({ topic: 't', value }))
    // The request leaves the process, then nothing happens for three seconds.
    await turn()
    await turn()
    block(BLOCK_MS)
    await Promise.all(sends)
    const { counters, values } = await ask()
    assert.deepEqual(values, ['warm', 'a', 'b', 'c'])
    assert.equal(counters.duplicates, 0)
    assert.equal(counters.requests.Produce, 2, 'nothing was sent twice')
  })
  assert.deepEqual(
    logger.lines.filter(({ level }) => level === 'warn' || level === 'error'),
    [],
  )
})

test('requests that are half written when the loop is blocked are neither given up nor doubled', async () => {
  const logger = await withBroker(async (producer, ask) => {
    await producer.send({ topic: 't', value: 'warm' })
    // Far more than the kernel takes before the broker has read some.
    const size = 8 * 1024 * 1024
    const sends = Array.from({ length: 3 }, (_, i) =>
      producer.send({ topic: 't', value: Buffer.alloc(size, `${i}`.padStart(8, '0')) }),
    )
    await turn()
    await turn()
    block(BLOCK_MS)
    await Promise.all(sends)
    const { counters, values } = await ask()
    assert.deepEqual(values, ['warm', ...Array.from({ length: 3 }, (_, i) => `${i}`.padStart(8, '0'))])
    assert.equal(counters.duplicates, 0)
    assert.equal(counters.requests.Produce, 4, 'nothing was sent twice')
  })
  assert.deepEqual(
    logger.lines.filter(({ level }) => level === 'warn' || level === 'error'),
    [],
  )
})
