import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Kafka, startKafka } from './broker.js'
import { InstalledExamples, NODE_24, PROPERTIES, type Recipe, rebalances } from './exactly-once.js'
import { kafkaSkip } from './java.js'
import { JavaClient } from './java-client.js'

const ADDON =
  'bench/peers/node/node_modules/@confluentinc/kafka-javascript/build/Release/confluent-kafka-javascript.node'
const isConfluentBuilt = existsSync(join(fileURLToPath(new URL('../..', import.meta.url)), ADDON))

const recipes: readonly (Recipe & { skip?: string | false })[] = [
  { name: 'kafkajs', node: process.execPath },
  { name: 'platformatic', node: NODE_24 },
  {
    name: 'confluent',
    node: NODE_24,
    // It takes minutes to compile: `npm run exactly-once` does so, and its result is in the guide.
    skip: !isConfluentBuilt && 'librdkafka is not compiled: npm run exactly-once',
  },
]

describe('examples of exactly-once', { skip: kafkaSkip(), timeout: 300_000 }, () => {
  let kafka: Kafka
  let java: JavaClient
  let examples: InstalledExamples

  before(async () => {
    java = new JavaClient()
    kafka = await startKafka({ properties: PROPERTIES })
    examples = new InstalledExamples()
  })
  after(async () => {
    examples?.[Symbol.dispose]()
    await java?.close()
    await kafka?.stop()
  })

  // Side by side: most of the time they wait for sessions to end.
  test('each input is in the output once, over joins, a pause, a death and a leave', {
    concurrency: recipes.length,
  }, async t => {
    const runs = recipes.map(({ skip, ...recipe }) =>
      t.test(recipe.name, { skip }, async each => {
        const outcome = await rebalances(recipe, examples, kafka, java)
        each.diagnostic(JSON.stringify(outcome))
        const { lost, duplicated, reordered } = outcome
        assert.deepEqual({ lost, duplicated, reordered }, { lost: 0, duplicated: 0, reordered: 0 })
      }),
    )
    await Promise.all(runs)
  })
})
