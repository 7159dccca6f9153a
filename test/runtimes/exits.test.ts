import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const runner = fileURLToPath(new URL('../../test/runtimes/run.mjs', import.meta.url))
const suite = fileURLToPath(new URL('../sender/process-exits.test.js', import.meta.url))

test('on every runtime a process may end in any phase of a producer’s life', async () => {
  const child = spawn(process.execPath, [runner, '--suite', suite])
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
  const [status] = await once(child, 'close')
  assert.equal(status, 0, output)
})
