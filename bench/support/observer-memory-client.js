// The client of bench/observer.js --memory: sends to so many topics, and tells what memory is then in use.
import { observeNone } from './observers.js'
import { shipped } from './shipped.js'

const TOPICS_AT_ONCE = 1000
const ROUNDS = 3

const { bootstrapServers, isObserved, topics } = JSON.parse(process.argv[2])
const { Producer } = await shipped('index')
if (!isObserved) await observeNone(Producer)
const producer = new Producer({ 'bootstrap.servers': bootstrapServers })
for (let round = 0; round < ROUNDS; round++) {
  for (let first = 0; first < topics; first += TOPICS_AT_ONCE) {
    const length = Math.min(TOPICS_AT_ONCE, topics - first)
    await producer.sendMany(
      Array.from({ length }, (_, i) => ({ topic: `topic-${first + i}`, value: 'value' })),
    )
  }
}
for (let turn = 0; turn < 3; turn++) {
  globalThis.gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  await new Promise(resolve => setTimeout(resolve, 50))
}
const { rss, heapUsed } = process.memoryUsage()
console.log(JSON.stringify({ rss, heapUsed }))
await producer.close()
