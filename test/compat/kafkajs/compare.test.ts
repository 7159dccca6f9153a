// Every scenario on kafkajs and on ours, against the in-process broker: equal, or different on purpose.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startBroker, type TestBroker } from '../../../dist/testing/index.js'
import { type Comparison, compareAll, type Ground, groundOf } from './compare.js'
import { scenarioGroups } from './scenarios.js'

let broker: TestBroker
let ground: Ground
const newBroker = () => startBroker({ maxMessageBytes: 10_000_000, partitions: 1 })

before(async () => {
  broker = await newBroker()
  ground = { ...groundOf(broker), newBroker }
})
after(() => broker.close())

for (const [group, scenarios] of Object.entries(scenarioGroups)) {
  describe(group, () => {
    const results = new Map<string, Comparison>()
    before(async () => {
      const chosen = scenarios.filter(({ onlyOnKafka }) => onlyOnKafka === undefined)
      for (const result of await compareAll(chosen, ground)) results.set(result.name, result)
    })
    for (const { name, different, onlyOnKafka } of scenarios) {
      if (onlyOnKafka !== undefined) continue
      test(different === undefined ? name : `${name} (different on purpose)`, () => {
        const { original, ours, isEqual } = results.get(name) as Comparison
        if (different === undefined) assert.deepEqual(ours, original)
        else assert.ok(!isEqual, `no longer different: ${JSON.stringify(ours)}`)
      })
    }
  })
}

test('names of scenarios are unique, and few are different on purpose', () => {
  const all = Object.values(scenarioGroups).flat()
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length)
  assert.ok(all.length >= 150, `${all.length} scenarios`)
  const reasons = new Set(all.flatMap(({ different }) => different ?? []))
  assert.ok(reasons.size < 15, `${reasons.size} reasons`)
})
