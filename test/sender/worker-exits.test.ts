// Worker threads that end in any phase of a producer's life: by exit, by an error, by terminate, by themselves.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Producer } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { PHASES } from './phases.js'

const SCRIPT = new URL('./exit-in-phase.js', import.meta.url)

/** Runs the ending with a producer in each of the phases; answers the thread's exit code and error. */
async function runWorker(ending: string, phases: readonly string[]) {
  const worker = new Worker(SCRIPT, { workerData: [ending, ...phases] })
  let error: Error | null = null
  worker.on('error', thrown => {
    error = thrown as Error
  })
  const ended = new Promise(resolve => worker.on('exit', resolve))
  if (ending === 'terminate') {
    await once(worker, 'message')
    void worker.terminate()
  }
  return { code: await ended, error: error as Error | null }
}

describe('a worker thread', () => {
  for (const [ending, expected, message] of [
    ['exit', 7, undefined],
    ['throw', 1, 'the end of the process'],
    ['close', 0, undefined],
  ] as const) {
    test(`with producers in every phase ends with code ${expected} by ${ending}`, async () => {
      const { code, error } = await runWorker(ending, Object.keys(PHASES))
      assert.equal(error?.message, message)
      assert.equal(code, expected)
    })
  }

  for (const phase of Object.keys(PHASES)) {
    test(`with a producer ${phase} is ended from outside`, async () => {
      assert.deepEqual(await runWorker('terminate', [phase]), { code: 1, error: null })
    })
  }

  test('leaves the producers of other threads as they are', async () => {
    await using broker = await startBroker({ quiet: true })
    await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 0 })
    await producer.send({ topic: 'mine', value: 'before' })
    const worker = new Worker(SCRIPT, { workerData: ['stay', 'records in flight'] })
    await once(worker, 'message')
    const sends = Array.from({ length: 100 }, (_, i) => producer.send({ topic: 'mine', value: `${i}` }))
    await worker.terminate()
    await Promise.all(sends)
    await producer.send({ topic: 'mine', value: 'after' })
    assert.equal(Array.from(broker.records('mine')).length, 102)
  })
})
