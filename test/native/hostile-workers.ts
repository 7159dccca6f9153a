import { Worker } from 'node:worker_threads'
import { addonPlaces } from '../../dist/native/load.js'

/** What each thread runs: the same addon twice, calls of both, and an end with their cores alive. */
const CODE = `
  const { parentPort, workerData: { path, calls, seed, count, exits } } = require('node:worker_threads')
  const first = require(path)
  delete require.cache[require.resolve(path)]
  const second = require(path)
  import(calls).then(({ HostileCalls }) => {
    globalThis.kept = [first, second].map((addon, i) => {
      const hostile = new HostileCalls(seed + i, addon)
      return { hostile, outcome: hostile.run(count / 2) }
    })
    parentPort.postMessage(globalThis.kept.reduce((sum, { outcome }) => sum + outcome.calls, 0))
    if (exits) process.exit(0)
  })`

/**
 * Threads that load the addon twice, make so many hostile calls each and then exit, end by themselves or are
 * ended, in turn. Resolves to the calls made.
 */
export async function hostileWorkers(threads: number, callsPerThread: number, seed: number): Promise<number> {
  const path = addonPlaces(process.env.MILLRACE_ADDON)[0]?.path
  const calls = new URL('./hostile-core.js', import.meta.url).href
  const made = Array.from({ length: threads }, async (_, i) => {
    const workerData = { path, calls, seed: seed + 2 * i, count: callsPerThread, exits: i % 3 === 0 }
    const worker = new Worker(CODE, { eval: true, workerData })
    const ended = new Promise(resolve => worker.once('exit', resolve))
    const count = await new Promise<number>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    if (i % 3 === 1) await worker.terminate()
    await ended
    return count
  })
  return (await Promise.all(made)).reduce((sum, count) => sum + count, 0)
}
