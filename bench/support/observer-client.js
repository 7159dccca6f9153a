// The client of bench/observer.js: one producer whose observers change while it sends. Tells the CPU time of
// each slice, in µs per record.
import { arrayLengthOf, cases, payloadsOf } from './cases.js'
import { loads } from './loads.js'
import { observersOf } from './observers.js'
import { recordMaker } from './record-makers.js'
import { shipped } from './shipped.js'

const UNSETTLED_MAX = 10_000
/** Slices before the first that counts: enough for all code to be compiled, whoever observes. */
const WARM_UP_ROUNDS = 8
/** Of a slice's records, sent before it: what an observer changes is then in the cache. */
const SETTLING_SHARE = 0.25

const { bootstrapServers, caseName, mode, rounds, sliceMs } = JSON.parse(process.argv[2])
const { options } = cases[caseName]
const { Producer } = await shipped('index')
const producer = new Producer({ 'bootstrap.servers': bootstrapServers, ...options })
const load = {
  recordOf: recordMaker({ topic: 'observed', ...payloadsOf(cases[caseName]) }),
  unsettledMax: UNSETTLED_MAX,
  arrayLength: arrayLengthOf(UNSETTLED_MAX),
}
const send = count => loads[mode](producer, { ...load, count })

async function microsPerRecord(count) {
  const before = process.cpuUsage()
  await send(count)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

const observers = observersOf(producer)
const names = Object.keys(observers)
const slices = Object.fromEntries(names.map(name => [name, []]))
let count = 20_000
for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
  // Everybody is first, last and after everybody else in turn.
  const turn = names.map((_, at) => names[(at + round + WARM_UP_ROUNDS) % names.length])
  for (const name of turn) {
    observers[name].begin()
    await send(Math.ceil(count * SETTLING_SHARE))
    const micros = await microsPerRecord(count)
    observers[name].end()
    if (round >= 0) slices[name].push(micros)
    else count = Math.ceil((sliceMs * 1000) / micros)
  }
}
await producer.close()
console.log(JSON.stringify(slices))
