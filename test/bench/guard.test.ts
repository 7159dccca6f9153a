import assert from 'node:assert/strict'
import { test } from 'node:test'

const { ratiosOf, slowerThan } = await import(
  new URL('../../bench/support/guard-ratios.js', import.meta.url).href
)

const rowOf = (caseName: string, mode: string, ...micros: number[]) => ({
  caseName,
  mode,
  runs: micros.map(cpuMicrosPerRecord => ({ cpuMicrosPerRecord })),
})

test('a load is the median of its rounds over that of the floor', () => {
  const ratios = ratiosOf(rowOf('A', 'many', 0.09, 0.05, 0.01), [rowOf('A', 'record', 0.5, 0.4, 9)])
  assert.deepEqual(ratios, { 'A record': { micros: 0.5, ratio: 10 } })
})

test('only loads that cost more than 15 % above what is stored are named', () => {
  const ratios = { 'A many': { ratio: 3.4 }, 'A record': { ratio: 12 }, 'H many': { ratio: 50 } }
  assert.deepEqual(slowerThan({ 'A many': 3, 'A record': 10 }, ratios), [{ load: 'A record', percent: 20 }])
  assert.deepEqual(slowerThan(undefined, ratios), [])
})
