// The client of bench/produce.js: warms up, measures one case in one mode on the runtime it is started with.
import { existsSync, readFileSync } from 'node:fs'
import { arrayLengthOf, cases, payloadsOf } from './cases.js'
import { loads } from './loads.js'
import { recordMaker } from './record-makers.js'
import { runtimeName } from './runtimes.js'
import { shipped } from './shipped.js'

const { Producer } = await shipped('index')
const TOPIC = 'bench'

/** Most bytes the process has occupied: from the kernel where it tells, as runtimes differ in their units. */
function peakRssBytes() {
  if (existsSync('/proc/self/status')) {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
  }
  return process.resourceUsage().maxRSS * 1024
}

const task = JSON.parse(process.argv.at(-1))
const { options, text } = cases[task.case]
const asGiven = ring => (text ? ring.map(bytes => bytes?.toString()) : ring)
const producer = new Producer({ 'bootstrap.servers': task.bootstrapServers, ...options, ...task.properties })
const { keys, values, traces } = payloadsOf(cases[task.case])
const rings = { keys: asGiven(keys), values: asGiven(values), traces: traces.map(String) }
const load = {
  recordOf: recordMaker({ topic: TOPIC, ...rings }),
  unsettledMax: task.unsettledMax,
  arrayLength: arrayLengthOf(task.unsettledMax),
}
const send = loads[task.mode]

await send(producer, { ...load, count: task.warmUp })
const startMs = performance.now()
const startCpu = process.cpuUsage()
await send(producer, { ...load, count: task.records })
const { user, system } = process.cpuUsage(startCpu)
const wallMs = performance.now() - startMs
const freeAfter = producer.bufferAvailableBytes === producer.bufferTotalBytes
await producer.close()
const figures = {
  runtime: runtimeName(),
  cpuMicrosPerRecord: (user + system) / task.records,
  userMicrosPerRecord: user / task.records,
  recordsPerSecond: (task.records / wallMs) * 1000,
  peakRssBytes: peakRssBytes(),
  freeAfter,
}
console.log(JSON.stringify(figures))
