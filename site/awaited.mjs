// How fast one caller sends who waits after each record, or does not, and how long the first record takes.
// Part of `npm run docs -- --measure`. The broker runs in a thread of its own and answers at once.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { ROOT } from './stage.mjs'

const RATE_ROUNDS = 5
const RATE_MS = 1_000
/** A first record takes milliseconds, and what else runs on the machine disturbs it. */
const FIRST_ROUNDS = 51
const TOPIC = 'events'
const VALUE = Buffer.alloc(100, 'a')

const moduleOf = file => pathToFileURL(join(ROOT, 'dist', file)).href
const record = () => ({ topic: TOPIC, value: VALUE })

const BROKER = `
  const { parentPort, workerData } = require('node:worker_threads')
  import(workerData).then(async ({ startBroker }) => {
    const broker = await startBroker({ quiet: true, partitions: 1 })
    parentPort.postMessage(broker.bootstrapServers)
  })`

async function startBroker() {
  const worker = new Worker(BROKER, { eval: true, workerData: moduleOf('testing/index.js') })
  const bootstrapServers = await new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject)
  })
  return { bootstrapServers, stop: () => worker.terminate() }
}

/** Each sends for a while and answers how many records it has sent. */
const loops = [
  ['await each `send`, `linger.ms=5`', 5, producer => producer.send(record()).then(() => 1)],
  ['await each `send`, `linger.ms=0`', 0, producer => producer.send(record()).then(() => 1)],
  [
    '100 times `send`, then await all',
    5,
    producer =>
      Promise.all(Array.from({ length: 100 }, () => producer.send(record()))).then(all => all.length),
  ],
  [
    'await `sendMany` of 1,000',
    5,
    producer => producer.sendMany(Array.from({ length: 1_000 }, record)).then(({ length }) => length),
  ],
]

const starts = [
  ['nothing', async () => {}],
  ['`await connect()`', producer => producer.connect()],
  [
    '`await connect()` and `await partitionsFor(topic)`',
    async producer => {
      await producer.connect()
      await producer.partitionsFor(TOPIC)
    },
  ],
]

const medianOf = values => [...values].sort((a, b) => a - b)[values.length >> 1]

async function recordsPerSecond(producer, loop) {
  const startedMs = performance.now()
  let sent = 0
  while (performance.now() - startedMs < RATE_MS) sent += await loop(producer)
  return (sent * 1_000) / (performance.now() - startedMs)
}

async function firstRecordMs(producer, prepare) {
  await prepare(producer)
  const startedMs = performance.now()
  await producer.send(record())
  return performance.now() - startedMs
}

/** The rounds of all settings run in turns. Answers the median of each. */
async function inTurns(rounds, settings, measure) {
  const seen = settings.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, setting] of settings.entries()) seen[i].push(await measure(setting))
  }
  return settings.map(([setting], i) => ({ setting, value: medianOf(seen[i]) }))
}

export async function measureAwaited() {
  const { Producer } = await import(moduleOf('index.js'))
  const { bootstrapServers, stop } = await startBroker()
  const using = async (options, work) => {
    const producer = new Producer({ bootstrapServers, ...options })
    try {
      return await work(producer)
    } finally {
      await producer.close()
    }
  }
  try {
    return {
      node: process.versions.node.split('.')[0],
      rates: await inTurns(RATE_ROUNDS, loops, ([, lingerMs, loop]) =>
        using({ lingerMs }, async producer => {
          await producer.send(record())
          return recordsPerSecond(producer, loop)
        }),
      ),
      firsts: await inTurns(FIRST_ROUNDS, starts, ([, prepare]) =>
        using({ lingerMs: 0 }, producer => firstRecordMs(producer, prepare)),
      ),
    }
  } finally {
    await stop()
  }
}
