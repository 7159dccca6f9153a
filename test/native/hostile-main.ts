// `npm run fuzz:boundary [-- --calls N] [--seed N]`: hostile calls of the addon and of producers, long.
import { randomInt } from 'node:crypto'
import { loadAddon } from '../../dist/native/load.js'
import { HostileProducer } from '../hostile/hostile-producer.js'
import { numberOption } from '../hostile/random.js'
import { HostileCalls } from './hostile-core.js'
import { hostileWorkers } from './hostile-workers.js'

const PRODUCER_SHARE = 0.3
const WORKER_SHARE = 0.1
const CALLS_PER_WORKER = 5_000
const WORKERS_AT_ONCE = 4

const calls = numberOption('calls', 1_000_000)
const seed = numberOption('seed', randomInt(2 ** 31))
console.log(`${calls} hostile calls, seed ${seed}, Node ${process.version}`)

let started = performance.now()
const core = new HostileCalls(seed, loadAddon()).run(Math.ceil(calls * (1 - PRODUCER_SHARE - WORKER_SHARE)))
report('of the addon', core.calls, core.refused)

started = performance.now()
let fromWorkers = 0
for (let round = 0; fromWorkers < calls * WORKER_SHARE; round++) {
  fromWorkers += await hostileWorkers(WORKERS_AT_ONCE, CALLS_PER_WORKER, seed + round * 2 * WORKERS_AT_ONCE)
}
report('from worker threads that load the addon twice', fromWorkers, new Map())

started = performance.now()
const hostile = await HostileProducer.start(seed)
try {
  await hostile.run(Math.ceil(calls * PRODUCER_SHARE))
  await hostile.finish()
} finally {
  await hostile.close()
}
if (hostile.settled !== hostile.calls) throw new Error(`${hostile.settled} of ${hostile.calls} calls settled`)
report('of producers', hostile.calls, hostile.refused)
console.log('all returned or failed with a coded error; all memory came back')

function report(what: string, made: number, refused: ReadonlyMap<string, number>): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${made} calls ${what} in ${seconds} s`)
  for (const [code, count] of [...refused].sort(([, a], [, b]) => b - a)) console.log(`  ${count} ${code}`)
}
