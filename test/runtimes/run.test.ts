import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const runner = fileURLToPath(new URL('../../test/runtimes/run.mjs', import.meta.url))
const suite = fileURLToPath(new URL('probe.suite.js', import.meta.url))

/** Runs the probe everywhere; returns what the summary says of each runtime: `passed` or `failed`. */
function run(env: Record<string, string>) {
  const child = spawnSync(process.execPath, [runner, '--suite', suite], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  const lines = child.stdout.matchAll(/^(passed|failed|skipped) +(\w+) +(\d+) tests passed/gm)
  const outcomes = [...lines].map(([, outcome, name = '', tests]) => ({
    name,
    outcome,
    tests: Number(tests),
  }))
  return {
    status: child.status,
    output: child.stdout,
    outcomes: outcomes.filter(each => each.outcome !== 'skipped'),
  }
}

test('every runtime passes a suite without faults, with the same number of tests', () => {
  const { status, outcomes, output } = run({})
  assert.equal(status, 0, output)
  assert.ok(outcomes.length >= 3, output)
  for (const outcome of outcomes) assert.deepEqual(outcome, { ...outcome, outcome: 'passed', tests: 2 })
})

for (const fault of ['fails', 'throws', 'rejects']) {
  test(`a suite with a fault (${fault}) fails on every runtime`, () => {
    const { status, outcomes, output } = run({ PROBE: fault })
    assert.equal(status, 1)
    assert.ok(outcomes.length >= 3, output)
    for (const outcome of outcomes) assert.equal(outcome.outcome, 'failed', `${outcome.name}\n${output}`)
  })
}

test('a runtime that registers fewer tests than the others fails, and only that one', () => {
  for (const runtime of ['node20', 'bun', 'deno']) {
    const { status, outcomes } = run({ PROBE: 'registers fewer', PROBE_RUNTIME: runtime })
    if (!outcomes.some(each => each.name === runtime)) continue
    assert.equal(status, 1)
    for (const { name, outcome } of outcomes)
      assert.equal(outcome, name === runtime ? 'failed' : 'passed', name)
  }
})
