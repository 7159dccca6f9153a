import { after, before, describe } from 'node:test'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { behaviour, type World } from './behaviour.js'
import { GENERATIONS } from './support.js'

function worldOf(broker: TestBroker): World {
  return {
    bootstrapServers: broker.bootstrapServers,
    async createTopic(name, partitions) {
      broker.createTopic(name, { partitions })
    },
    async read(topic, isolation) {
      return broker
        .partitions(topic)
        .map(({ partition }) =>
          Array.from(broker.records(topic, partition, { isolation }), ({ value }) =>
            Buffer.from(value ?? []).toString(),
          ),
        )
    },
    async offsets(groupId) {
      const offsets = broker.committedOffsets(groupId)
      return Object.fromEntries(
        offsets.map(({ topic, partition, offset }) => [`${topic}-${partition}`, Number(offset)]),
      )
    },
  }
}

for (const transactionVersion of GENERATIONS) {
  describe(`transactions on the in-process broker, transaction.version ${transactionVersion}`, () => {
    let broker: TestBroker
    before(async () => {
      broker = await startBroker({ quiet: true, nodes: 3, transactionVersion, verify: 'strict' })
    })
    after(() => broker.close())
    behaviour(() => worldOf(broker))
  })
}
