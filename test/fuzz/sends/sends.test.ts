// The fuzzer of sends finds each of the bugs that are planted for it. Without a plant it runs in the same lane.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { plantNames } from './plants.js'

/** Found after a few seconds as a rule; how soon depends on the seeds, which differ from run to run. */
const SECONDS_MAX = 200

const main = fileURLToPath(new URL('main.js', import.meta.url))

/** What a plant must be reported as. */
const reported: Record<string, RegExp> = {
  'mixed sends': /told wrong|lost|out of order/,
  'mixed sends, guarded': /staged could not be appended/,
  'wrong topic': /phantom/,
  'wrong offset': /told wrong/,
  'wrong order': /out of order|to pass those that are staged/,
  'wrong order after waiting': /out of order/,
  'wrong order after preparing': /out of order/,
  'failed transactions': /without reason/,
}

for (const name of plantNames) {
  test(`a producer with the bug "${name}" is found out`, () => {
    const args = [main, '--seconds', String(SECONDS_MAX), '--per-seed', '4000']
    const env = { ...process.env, MILLRACE_PLANT: name }
    const timeout = (SECONDS_MAX + 180) * 1000
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout })
    assert.equal(status, 1, `${stdout}\n${stderr}`)
    assert.match(stdout, reported[name] as RegExp)
  })
}
