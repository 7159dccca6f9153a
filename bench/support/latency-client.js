// millrace under measurement at a steady rate: see commands.js for what it is told, and `rate` (records/s)
// with it. Every millisecond it sends what is due, each record with a callback. It tells the latency from the
// call to the callback, how late the calls were, and how long the event loop was kept from its timers.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { givenArguments, obey } from './commands.js'
import { readPayloads } from './payload-file.js'
import { quantilesOf } from './quantiles.js'
import { runtimeName } from './runtimes.js'
import { shipped } from './shipped.js'

const { Producer } = await shipped('index')
const TICK_MS = 1
const given = givenArguments()
const recordsPerMs = Number(given.rate) / 1000
const { keys, values } = readPayloads(given.payloads)
const keyMask = keys.length - 1
const valueMask = values.length - 1
const producer = new Producer({
  'bootstrap.servers': given.bootstrapServers,
  'linger.ms': Number(given.lingerMs),
  'batch.size': Number(given.batchBytes),
  'compression.type': given.compression,
})

function send(count, latencies, lateness) {
  return new Promise((resolve, reject) => {
    let sent = 0
    let settled = 0
    const startMs = performance.now()
    const sendOne = () => {
      const sentMs = performance.now()
      lateness[sent] = sentMs - startMs - sent / recordsPerMs
      const record = { topic: given.topic, key: keys[sent & keyMask], value: values[sent & valueMask] }
      producer.send(record, error => {
        if (error) reject(error)
        latencies[settled++] = performance.now() - sentMs
        if (settled === count) resolve()
      })
      sent++
    }
    const tick = () => {
      const due = Math.min(count, Math.floor((performance.now() - startMs) * recordsPerMs))
      while (sent < due) sendOne()
      if (sent < count) setTimeout(tick, TICK_MS)
    }
    tick()
  })
}

await obey(runtimeName(), async count => {
  const latencies = new Float64Array(count)
  const lateness = new Float64Array(count)
  const loop = monitorEventLoopDelay({ resolution: TICK_MS })
  loop.enable()
  await send(count, latencies, lateness)
  loop.disable()
  const loopDelay = { p50: loop.percentile(50) / 1e6, p99: loop.percentile(99) / 1e6, max: loop.max / 1e6 }
  return { latency: quantilesOf(latencies), lateness: quantilesOf(lateness), loopDelay }
})
await producer.close()
