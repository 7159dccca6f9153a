// Starts the discarding broker beside a bench and talks to it over its pipes.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../discard-broker.js', import.meta.url))

/**
 * Runs under the Node that runs the bench, whatever the runtime of the client, so that clients are compared
 * against the same broker. `args` as on its command line.
 */
export async function startDiscardBroker(args = []) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error('the discarding broker has ended')
    return JSON.parse(value)
  }
  const ask = word => {
    child.stdin.write(`${word}\n`)
    return nextLine()
  }
  const { bootstrapServers } = await nextLine()
  return {
    bootstrapServers,
    pid: child.pid,
    counts: () => ask('counts'),
    /** Counting starts again from zero. */
    reset: () => ask('reset'),
    /** Ends it and gives its last counts. */
    async stop() {
      child.stdin.end()
      return nextLine()
    },
  }
}
