// Very many batches that are overdue together end in slices, so that the event loop goes on turning.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type KafkaError, Producer, SendManyError, TimeoutError } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { AccumulatorRig } from '../accumulator/support.js'
import { eventually } from '../helpers/eventually.js'
import { setTimeouts } from '../helpers/timeouts.js'

const PARTITIONS = 10_000
const PER_TURN_MAX = 500
/** The processor's time counts: other programs may hold up a turn for any time. */
const TURN_CPU_MS_MAX = 50
/** The best one counts: in each a garbage collection may fall into any turn. */
const ROUNDS = 3

type Records = readonly { topic: string; partition: number; value: string }[]
type Fail = (error: KafkaError | null) => void
/** Hands records over, each of which then calls `fail` once. */
type Send = (producer: Producer, records: Records, fail: Fail) => void

const forms: Record<string, Send> = {
  callback: (producer, records, fail) => {
    for (const record of records) producer.send(record, fail)
  },
  promise: (producer, records, fail) => {
    for (const record of records) producer.send(record).catch(fail)
  },
  'one array': (producer, records, fail) => sendArray(producer, records, fail),
  'arrays of ten': (producer, records, fail) => {
    for (let at = 0; at < records.length; at += 10) sendArray(producer, records.slice(at, at + 10), fail)
  },
}

function sendArray(producer: Producer, records: Records, fail: Fail): void {
  producer.sendMany(records).catch((error: unknown) => {
    assert.ok(error instanceof SendManyError)
    for (const each of error.errors.values()) fail(each)
  })
}

interface Expiry {
  errors: (KafkaError | null)[]
  /** Processor's time of the longest turn of the event loop. */
  longestMs: number
  mostInATurn: number
}

/** One batch for each partition, all in flight; then all are overdue. */
async function expireAll(send: Send): Promise<Expiry> {
  await using broker = await startBroker({ partitions: PARTITIONS, quiet: true, retain: 'none' })
  const { bootstrapServers } = broker
  const options = { bootstrapServers, bufferMemory: 64 << 20, batchSize: 1024, lingerMs: 0 }
  await using producer = new Producer(options)
  await producer.partitionsFor('t')
  broker.hold({ api: 'Produce' })
  const errors: (KafkaError | null)[] = []
  const records = Array.from({ length: PARTITIONS }, (_, partition) => ({
    topic: 't',
    partition,
    value: 'v',
  }))
  send(producer, records, error => errors.push(error))
  // What the broker of this process does in a turn of the loop is not the producer's.
  await eventually('all are in flight', () => broker.counters().batches === PARTITIONS)
  assert.equal(errors.length, 0)
  let mostInATurn = 0
  let longestMs = 0
  let told = 0
  setTimeouts(producer, { deliveryTimeoutMs: 10 })
  let cpu = process.cpuUsage()
  while (told < PARTITIONS) {
    await new Promise(setImmediate)
    mostInATurn = Math.max(mostInATurn, errors.length - told)
    told = errors.length
    const { user, system } = process.cpuUsage(cpu)
    longestMs = Math.max(longestMs, (user + system) / 1000)
    cpu = process.cpuUsage()
  }
  await producer.close({ timeoutMs: 0 })
  return { errors, longestMs, mostInATurn }
}

for (const [form, send] of Object.entries(forms)) {
  test(`${PARTITIONS} partitions that expire together do not hold the event loop: ${form}`, async t => {
    const longestMs: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const expiry = await expireAll(send)
      assert.equal(expiry.errors.length, PARTITIONS)
      assert.ok(expiry.errors.every(error => error instanceof TimeoutError))
      // One array has one promise.
      if (form !== 'one array')
        assert.ok(expiry.mostInATurn <= PER_TURN_MAX, `${expiry.mostInATurn} records failed in one turn`)
      longestMs.push(Math.round(expiry.longestMs))
      if (expiry.longestMs <= TURN_CPU_MS_MAX) break
    }
    t.diagnostic(`longest turns: ${longestMs} ms`)
    assert.ok(Math.min(...longestMs) <= TURN_CPU_MS_MAX, `the longest turns took ${longestMs} ms`)
  })
}

test('the oldest batches end first, and the next ones are due at once', () => {
  const rig = new AccumulatorRig({ bufferBytes: 4 << 20, deliveryTimeoutMs: 1000 })
  const topic = rig.topic('t', 2500)
  const sent = Array.from({ length: 2500 }, (_, partition) => rig.send(topic, partition))
  rig.accumulator.appender.drainStaged()
  rig.clock.advance(1000)
  for (const settled of [500, 1000, 1500, 2000, 2500]) {
    assert.ok(rig.accumulator.nextTimeoutMs() <= rig.clock.now())
    rig.accumulator.expire(rig.clock.now())
    assert.deepEqual(
      sent.map(({ isSettled }) => isSettled),
      sent.map((_, i) => i < settled),
    )
  }
  assert.equal(rig.accumulator.nextTimeoutMs(), Number.POSITIVE_INFINITY)
})
