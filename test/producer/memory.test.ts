// What the process takes follows what is configured, also where a loop hands over far more than that.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'

const TOTAL_MIB = 400
const BUFFER_MIB = 8
const MAX_BLOCK_MIB = 8 * BUFFER_MIB
/** What Node itself takes, and the producer without records. */
const BASE_MIB = 96

interface Answer {
  acknowledged: number
  failures: Record<string, number>
  peakMiB: number
}

async function handOver(broker: TestBroker, valueBytes: number, mode: 'loop' | 'ready'): Promise<Answer> {
  const main = fileURLToPath(new URL('memory-main.js', import.meta.url))
  const parameters = [TOTAL_MIB, valueBytes, BUFFER_MIB, mode].map(String)
  const { stdout } = await promisify(execFile)(process.execPath, [
    main,
    broker.bootstrapServers,
    ...parameters,
  ])
  return JSON.parse(stdout)
}

for (const valueBytes of [1000, 20_000, 900_000]) {
  const count = Math.floor((TOTAL_MIB * 1024 * 1024) / valueBytes)

  test(`400 MiB of ${valueBytes} bytes each, handed over in one loop: memory stays within maxBlockBytes`, async () => {
    await using broker = await startBroker({ partitions: 6, quiet: true, retain: 'none' })
    const { acknowledged, failures, peakMiB } = await handOver(broker, valueBytes, 'loop')
    assert.deepEqual(Object.keys(failures), ['BUFFER_EXHAUSTED'])
    assert.equal(acknowledged + Number(failures.BUFFER_EXHAUSTED), count)
    assert.ok(acknowledged > 0)
    assert.ok(peakMiB <= BUFFER_MIB + MAX_BLOCK_MIB + BASE_MIB, `it took ${peakMiB} MiB`)
  })

  test(`400 MiB of ${valueBytes} bytes each with ready(): nothing is refused, and memory stays small`, async () => {
    await using broker = await startBroker({ partitions: 6, quiet: true, retain: 'none' })
    const { acknowledged, failures, peakMiB } = await handOver(broker, valueBytes, 'ready')
    assert.deepEqual(failures, {})
    assert.equal(acknowledged, count)
    assert.ok(peakMiB <= BUFFER_MIB + BASE_MIB, `it took ${peakMiB} MiB`)
  })
}
