// A broker in a thread of its own, so that it goes on while the test blocks its event loop.
import { parentPort } from 'node:worker_threads'
import { startBroker } from '../../dist/testing/index.js'

const port = parentPort as NonNullable<typeof parentPort>
const broker = await startBroker({ quiet: true, partitions: 1, maxMessageBytes: 16 * 1024 * 1024 })
port.on('message', () => {
  const values = Array.from(broker.records('t'), ({ value }) =>
    Buffer.from(value ?? []).toString('latin1', 0, 8),
  )
  port.postMessage({ counters: broker.counters(), values })
})
port.postMessage({ bootstrapServers: broker.bootstrapServers })
