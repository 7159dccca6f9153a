// Very many batches that are overdue together end in slices, so that the event loop goes on turning.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, TimeoutError } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { AccumulatorRig } from '../accumulator/support.js'
import { setTimeouts } from '../helpers/timeouts.js'

const PARTITIONS = 10_000
const PER_TURN_MAX = 1000
/** Quadratic, it was seconds. The processor's time counts: other programs may hold up a turn for any time. */
const TURN_CPU_MS_MAX = 500

test(`${PARTITIONS} partitions that expire together do not hold the event loop`, async () => {
  await using broker = await startBroker({ partitions: PARTITIONS, quiet: true, retain: 'none' })
  const { bootstrapServers } = broker
  const options = { bootstrapServers, bufferMemory: 64 << 20, batchSize: 1024, lingerMs: 0 }
  await using producer = new Producer(options)
  await producer.partitionsFor('t')
  broker.hold({ api: 'Produce' })
  const errors: unknown[] = []
  for (let partition = 0; partition < PARTITIONS; partition++)
    producer.send({ topic: 't', partition, value: 'v' }, error => errors.push(error))
  let mostInATurn = 0
  let longestMs = 0
  let told = 0
  let cpu = process.cpuUsage()
  const turn = () => {
    mostInATurn = Math.max(mostInATurn, errors.length - told)
    told = errors.length
    const { user, system } = process.cpuUsage(cpu)
    longestMs = Math.max(longestMs, (user + system) / 1000)
    cpu = process.cpuUsage()
  }
  setTimeouts(producer, { deliveryTimeoutMs: 10 })
  while (told < PARTITIONS) {
    await new Promise(setImmediate)
    turn()
  }
  assert.ok(errors.every(error => error instanceof TimeoutError))
  assert.ok(mostInATurn <= PER_TURN_MAX, `${mostInATurn} records failed in one turn`)
  assert.ok(longestMs <= TURN_CPU_MS_MAX, `a turn took ${longestMs} ms`)
  await producer.close({ timeoutMs: 0 })
})

test('the oldest batches end first, and the next ones are due at once', () => {
  const rig = new AccumulatorRig({ bufferBytes: 4 << 20, deliveryTimeoutMs: 1000 })
  const topic = rig.topic('t', 2500)
  const sent = Array.from({ length: 2500 }, (_, partition) => rig.send(topic, partition))
  rig.accumulator.appender.drainStaged()
  rig.clock.advance(1000)
  for (const settled of [1000, 2000, 2500]) {
    assert.ok(rig.accumulator.nextTimeoutMs() <= rig.clock.now())
    rig.accumulator.expire(rig.clock.now())
    assert.deepEqual(
      sent.map(({ isSettled }) => isSettled),
      sent.map((_, i) => i < settled),
    )
  }
  assert.equal(rig.accumulator.nextTimeoutMs(), Number.POSITIVE_INFINITY)
})
