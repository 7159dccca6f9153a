// Who takes no interest in a record's outcome: a callback never costs more than its call, a promise that nobody
// catches is an unhandled rejection, as the documentation says.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const SCRIPT = fileURLToPath(new URL('./unhandled-main.js', import.meta.url))
const FAILURES = [
  ...Array.from({ length: 5 }, () => 'PRODUCER_CLOSED'),
  'BROKER_ERROR',
  'PRODUCER_CLOSED',
  'RECORD_INVALID',
  'RECORD_INVALID',
  'TIMED_OUT',
  'TIMED_OUT',
  'TOPIC_INVALID',
].sort()

async function run(way: 'callback' | 'promise'): Promise<{ unhandled: string[]; codes: string[] }> {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, way], { timeout: 60_000 })
  const lines = stdout.trim().split('\n')
  const last = lines.pop() ?? ''
  assert.match(last, /^codes/, stdout)
  return {
    unhandled: lines.map(line => line.replace('unhandled ', '')).sort(),
    codes: last.split(' ').slice(1).filter(Boolean),
  }
}

test('a callback never leaves an unhandled rejection behind, however its record fails', async () => {
  assert.deepEqual(await run('callback'), { unhandled: [], codes: FAILURES })
})

test('a promise that nobody catches is an unhandled rejection for each record that fails', async () => {
  assert.deepEqual(await run('promise'), { unhandled: FAILURES, codes: [] })
})
