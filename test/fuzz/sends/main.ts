// `npm run fuzz:sends [-- --records N] [--seconds N] [--seed N] [--kafka]`: all ways to send, mixed at random,
// against the in-process broker or a real Kafka; every told place, time and error is compared with the log.
// `--seed N --records 1` repeats the plan of a seed; the order of its events depends on the machine, too.
import { randomInt } from 'node:crypto'
import { numberOption } from '../../hostile/random.js'
import { KafkaCluster } from './kafka-ground.js'
import { plant } from './plants.js'
import { fuzzSends, type RunOptions } from './run.js'

const planted = process.env.MILLRACE_PLANT
if (planted !== undefined) plant(planted)

const seed = numberOption('seed', randomInt(2 ** 30))
const records = numberOption('records', Number.POSITIVE_INFINITY)
const options: RunOptions = {
  seed,
  records,
  seconds: numberOption('seconds', Number.isFinite(records) ? Number.POSITIVE_INFINITY : 60),
  recordsPerSeed: numberOption('per-seed', 40_000),
  say: line => console.log(line),
}

const startedMs = performance.now()
const isKafka = process.argv.includes('--kafka')
const totals = isKafka ? await fuzzOnKafka() : await fuzzSends(options)
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
const where = `${runtimeName()}${isKafka ? ', Apache Kafka' : ''}`
const { findings } = totals
console.log(
  `${totals.records} records, ${totals.seeds} seeds from ${seed} on, ${seconds} s, ${where}: ${findings} findings`,
)
process.exit(findings === 0 ? 0 : 1)

async function fuzzOnKafka() {
  await using cluster = await KafkaCluster.start(numberOption('transaction-version', 2))
  const groundOf: RunOptions['groundOf'] = plan => cluster.groundOf(plan)
  return await fuzzSends({ ...options, isRealKafka: true, worldsAtOnce: 3, groundOf })
}

function runtimeName(): string {
  const { versions } = process as { versions: Record<string, string | undefined> }
  if (versions.bun !== undefined) return `Bun ${versions.bun}`
  if (versions.deno !== undefined) return `Deno ${versions.deno}`
  return `Node ${versions.node}`
}
