// Memory is bounded while the broker is slow: each sink in a process of its own.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBroker } from '../../dist/testing/index.js'

const MAIN = fileURLToPath(new URL('pump-main.js', import.meta.url))
const LINES = 80_000
const LINE_BYTES = 4000
/** 305 MiB of lines and the process itself, 55 MiB, would be held without backpressure. */
const PEAK_MIB = 260

interface Pumped {
  records: number
  peakMiB: number
}

for (const sink of ['toWritable', 'toWritableStream', 'sendAll', 'toTransform']) {
  test(`${sink} holds its source while the broker is slow`, {
    skip: process.platform !== 'linux',
  }, async () => {
    await using broker = await startBroker({ quiet: true, retain: 'none', verify: false })
    broker.delay({ api: 'Produce', ms: 5, times: Number.POSITIVE_INFINITY })
    const args = [MAIN, broker.bootstrapServers, 'lines', sink, `lines:${LINES}:${LINE_BYTES}`]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const killed = setTimeout(() => child.kill('SIGKILL'), 120_000)
    const [output, [status]] = await Promise.all([json(child.stdout) as Promise<Pumped>, once(child, 'exit')])
    clearTimeout(killed)
    assert.equal(status, 0)
    assert.equal(output.records, LINES)
    assert.equal(Number(broker.partitions('lines')[0]?.endOffset), LINES)
    assert.ok(output.peakMiB <= PEAK_MIB, `${output.peakMiB} MiB at most`)
  })
}
