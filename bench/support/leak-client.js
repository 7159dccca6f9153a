// The client of bench/leak.js: one producer, all modes in turn, resident memory before and after.
import { Producer } from '../../dist/index.js'
import { cases, payloadsOf } from './cases.js'
import { loads } from './loads.js'
import { recordMaker } from './record-makers.js'
import { runtimeName } from './runtimes.js'

/** Records between two changes of mode. */
const STRETCH_RECORDS = 250_000
/** Collections that free memory step by step: what a finalizer lets go is freed by the next one. */
const COLLECTIONS = 5
const PAUSE_MS = 200

const task = JSON.parse(process.argv.at(-1))
const producer = new Producer({ 'bootstrap.servers': task.bootstrapServers, ...cases.A.options })
const recordOf = recordMaker({ topic: 'leak', ...payloadsOf(cases.A) })
const modes = Object.values(loads)

async function sendRecords(count) {
  for (let sent = 0, stretch = 0; sent < count; stretch++) {
    const length = Math.min(STRETCH_RECORDS, count - sent)
    await modes[stretch % modes.length](producer, {
      recordOf,
      count: length,
      unsettledMax: 10_000,
    })
    sent += length
  }
  await producer.flush()
}

/**
 * V8 keeps pages that its young generation has emptied: tens of megabytes, more or fewer with each
 * collection. Only a collection of last resort gives them back. A V8 that does not know of it (Node 20)
 * collects less when asked for it, so an ordinary one comes first.
 */
function collect() {
  if (process.versions.bun) globalThis.Bun.gc(true)
  else {
    globalThis.gc?.()
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }
}

/** Memory once nothing more can be collected. */
async function memoryAtRest() {
  for (let i = 0; i < COLLECTIONS; i++) {
    collect()
    await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
  }
  const { rss, heapUsed } = process.memoryUsage()
  return { rss, heapUsed, heldBytes: producer.bufferTotalBytes - producer.bufferAvailableBytes }
}

await sendRecords(task.warmUp)
const before = await memoryAtRest()
await sendRecords(task.records)
const after = await memoryAtRest()
await producer.close()
console.log(JSON.stringify({ runtime: runtimeName(), before, after }))
