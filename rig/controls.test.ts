import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CLASS_NAMES } from './checker/checker.js'
import { PLANT_NAMES } from './client/plants.js'
import { CONTROLS, runControl } from './controls.js'

describe('the checker proves itself', { timeout: 120_000 }, () => {
  test('there is a control for every planted bug', () => {
    assert.deepEqual(
      CONTROLS.map(({ plant }) => plant),
      PLANT_NAMES,
    )
  })

  for (const control of CONTROLS) {
    test(`a sound producer passes: ${control.plant}`, async () => {
      const { verdict, report } = await runControl(control, 1, false)
      assert.equal(report.broken, undefined)
      for (const name of CLASS_NAMES) {
        assert.equal(verdict.classes[name], 0, `${name}: ${verdict.examples.join('\n')}`)
      }
      assert.ok(verdict.acked > 0)
    })

    test(`a planted bug is caught: ${control.plant} is ${control.shows}`, async () => {
      const { verdict } = await runControl(control, 2, true)
      assert.ok(verdict.classes[control.shows] > 0, JSON.stringify(verdict, null, 2))
    })
  }
})
