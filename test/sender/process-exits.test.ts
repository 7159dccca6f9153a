// Processes that end in any phase of a producer's life: by exit, by an error, by themselves after close. The exit
// code is the right one, there is no crash and no hang. The runtimes lane runs this on all of them.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { PHASES } from './phases.js'

const SCRIPT = fileURLToPath(new URL('./exit-in-phase.js', import.meta.url))
const RUN = 'deno' in process.versions ? ['run', '-A', SCRIPT] : [SCRIPT]
/** For a start of a process on a busy machine, not for its end. */
const PATIENCE_MS = 30_000

interface End {
  code: number | null
  signal: string | null
  output: string
  /** From the moment at which it was ready. */
  endedAfterMs: number
}

async function runProcess(ending: string): Promise<End> {
  const child = spawn(process.execPath, [...RUN, ending, ...Object.keys(PHASES)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  let output = ''
  let readyAt = Number.NaN
  const hear = (chunk: unknown) => {
    output += String(chunk)
    if (Number.isNaN(readyAt) && output.includes('ready')) readyAt = performance.now()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const [code, signal] = await once(child, 'close')
  clearTimeout(timer)
  return { code, signal, output, endedAfterMs: performance.now() - readyAt }
}

for (const [ending, expected] of [
  ['exit', 7],
  ['throw', 1],
  ['close', 0],
] as const) {
  test(`a process with producers in every phase ends with code ${expected} by ${ending}`, async () => {
    const { code, signal, output, endedAfterMs } = await runProcess(ending)
    assert.equal(signal, null, output)
    assert.equal(code, expected, output)
    assert.match(output, /ready/)
    assert.ok(endedAfterMs < 15_000, `ended ${endedAfterMs} ms after it was ready`)
  })
}
