import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { Sensor, type Stat } from '../../dist/telemetry/metrics/sensor.js'
import { kafkaSkip, startJava } from './java.js'

/** In the order in which MetricsOracle.java answers. */
const STATS: readonly Stat[] = ['avg', 'max', 'rate', 'total', 'event-rate', 'event-total', 'ratio']
const SEQUENCES = 10_000

interface Event {
  atMs: number
  /** Null: measure. */
  value: number | null
}

interface Sequence {
  samples: number
  windowMs: number
  events: Event[]
}

/** Numbers from a seed, so that a failure can be repeated (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Gaps of all sizes, from none to several times all windows; about every third event measures. */
function sequenceOf(seed: number): Sequence {
  const random = randomFrom(seed)
  const samples = 1 + Math.floor(random() * 4)
  const windowMs = [1, 7, 100, 1000, 30_000][Math.floor(random() * 5)] as number
  let atMs = Math.floor(random() * 1e6)
  const events: Event[] = []
  for (let count = 5 + Math.floor(random() * 30); count > 0; count--) {
    const reach = [0, 1, windowMs / 4, windowMs, 4 * samples * windowMs][Math.floor(random() * 5)] as number
    atMs += Math.floor(random() * (reach + 1))
    // Whole numbers: Java adds one value at a time, and sums of fractions depend on the order.
    events.push({ atMs, value: random() < 0.35 ? null : Math.floor(random() * 2e9) - 1e9 })
  }
  events.push({ atMs: atMs + 1, value: null })
  return { samples, windowMs, events }
}

function lineOf({ samples, windowMs, events }: Sequence): string {
  const words = events.map(({ atMs, value }) => (value === null ? `m:${atMs}` : `r:${atMs}:${value}`))
  return `${samples} ${windowMs} ${words.join(' ')}\n`
}

/** What the sensor answers to each measurement. */
function replay({ samples, windowMs, events }: Sequence): number[][] {
  const sensor = new Sensor(STATS, { samples, windowMs })
  const measured: number[][] = []
  for (const { atMs, value } of events) {
    if (value === null) measured.push(STATS.map((_, place) => sensor.measure(place, atMs)))
    else sensor.record(value, atMs)
  }
  return measured
}

test(`${SEQUENCES} random sequences give the numbers of Kafka's own classes`, {
  skip: kafkaSkip(),
}, async () => {
  const child = startJava('MetricsOracle', [], { heapMb: 128, stderr: 'inherit' })
  const exited = once(child, 'exit')
  const { stdin, stdout } = child
  assert.ok(stdin !== null && stdout !== null)
  const answers = createInterface({ input: stdout })[Symbol.asyncIterator]()
  const written = (async () => {
    for (let seed = 0; seed < SEQUENCES; seed++) {
      if (!stdin.write(lineOf(sequenceOf(seed)))) await once(stdin, 'drain')
    }
    stdin.end()
  })()
  let measurements = 0
  for (let seed = 0; seed < SEQUENCES; seed++) {
    for (const ours of replay(sequenceOf(seed))) {
      const { value: line } = await answers.next()
      assert.deepEqual(ours, String(line).split(' ').map(Number), `sequence ${seed}`)
      measurements++
    }
  }
  await written
  assert.deepEqual(await exited, [0, null])
  assert.ok(measurements > 2 * SEQUENCES)
})
