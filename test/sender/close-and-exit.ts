// A process of its own for lifecycle.test.ts: closes producers in several phases and does not exit itself.
import { Producer } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'

const broker = await startBroker({ quiet: true, partitions: 2 })
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

async function closeWhile(prepare: (producer: Producer) => Promise<unknown> | unknown): Promise<void> {
  const producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 50, logger: quiet })
  await prepare(producer)
  await producer.close({ timeoutMs: 0 })
}

const forget = (producer: Producer) => producer.send({ topic: 't', value: 'x' }, () => {})

await closeWhile(() => {})
await closeWhile(forget)
await closeWhile(async producer => {
  await producer.partitionsFor('t')
  forget(producer)
})
const { release } = broker.hold({ api: 'InitProducerId' })
await closeWhile(async producer => {
  forget(producer)
  await new Promise(resolve => setTimeout(resolve, 80))
})
release()
broker.fail({ api: 'InitProducerId', error: 'COORDINATOR_NOT_AVAILABLE', times: 1000 })
await closeWhile(async producer => {
  forget(producer)
  await new Promise(resolve => setTimeout(resolve, 80))
})
broker.clearFaults()
broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: 1000 })
await closeWhile(async producer => {
  forget(producer)
  await new Promise(resolve => setTimeout(resolve, 80))
})
broker.clearFaults()
await closeWhile(producer => producer.send({ topic: 't', value: 'x' }))
await broker.close()
console.log(`timers left: ${process.getActiveResourcesInfo().filter(name => name === 'Timeout').length}`)
console.log(`closed at ${Math.round(performance.now())}`)
process.on('exit', () => console.log(`exit at ${Math.round(performance.now())}`))
