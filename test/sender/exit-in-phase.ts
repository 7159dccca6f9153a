// A process or thread that brings a producer into each phase it is told of, then ends as it is told.
import { argv, exit } from 'node:process'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { enterPhase } from './phases.js'

const [ending, ...phases] = isMainThread ? argv.slice(2) : (workerData as string[])

const entered = []
for (const phase of phases) entered.push(await enterPhase(phase))
if (isMainThread) console.log('ready')
else parentPort?.postMessage('ready')

if (ending === 'exit') exit(7)
if (ending === 'throw') throw new Error('the end of the process')
if (ending === 'close') {
  for (const { producer, broker, letGo } of entered) {
    // Who has called close without a time-out waits for what is in flight.
    letGo()
    await producer.close({ timeoutMs: 0 })
    await broker.close()
  }
}
