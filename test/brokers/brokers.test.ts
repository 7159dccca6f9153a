// The oldest and the newest broker of the matrix; `npm run brokers` runs all.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kafkaSkip } from '../kafka/java.js'
import { JavaClient } from '../kafka/java-client.js'
import { kafkaVersions, startApacheKafka } from './apache-kafka.js'
import type { RunningBroker } from './process.js'
import { CHECKS } from './suite.js'

const tested = kafkaVersions().filter(version => version.tested)

test('two brokers of the matrix are tested', () => {
  assert.deepEqual(
    tested.map(({ mode }) => mode),
    ['zookeeper', 'kraft'],
  )
})

for (const version of tested) {
  describe(`${version.name}, ${version.mode}`, { skip: kafkaSkip(), timeout: 300_000 }, () => {
    let broker: RunningBroker
    let java: JavaClient

    before(async () => {
      java = new JavaClient()
      broker = await startApacheKafka(version)
    })
    after(async () => {
      await java?.close()
      await broker?.[Symbol.asyncDispose]()
    })

    for (const { name, run } of CHECKS) {
      test(name, () => run({ bootstrapServers: broker.bootstrapServers, java }))
    }
  })
}
