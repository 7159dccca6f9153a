// Where the runtime has no memory although the budget has, the record is refused and all else goes on.
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { WaitingBudget } from '../../dist/accumulator/append/waiting-budget.js'
import { WaitingQueue } from '../../dist/accumulator/append/waiting-queue.js'
import { BufferExhaustedError, Producer } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'
import { AccumulatorRig, type Sent } from './support.js'

const OwnBuffer = globalThis.ArrayBuffer

/** From now on no buffer of `bytes` or more can be had. */
function refuseFrom(bytes: number): void {
  globalThis.ArrayBuffer = new Proxy(OwnBuffer, {
    construct(target, parameters, newTarget) {
      if (Number(parameters[0]) >= bytes) throw new RangeError('Array buffer allocation failed')
      return Reflect.construct(target, parameters, newTarget)
    },
  })
}

afterEach(() => {
  globalThis.ArrayBuffer = OwnBuffer
})

function isRefusal({ error }: Pick<Sent, 'error'>): boolean {
  return error instanceof BufferExhaustedError && /could not allocate/.test(error.message)
}

/** All memory is used up by batches in flight. */
function exhausted() {
  const rig = new AccumulatorRig({ bufferBytes: 4096, batchBytes: 1024 })
  const topic = rig.topic('t', 4)
  for (let partition = 0; partition < 4; partition++) rig.send(topic, partition, 800)
  return { rig, topic, inFlight: rig.drain() }
}

test('a large record whose turn has come is refused, and the records behind it are served', () => {
  const { rig, topic, inFlight } = exhausted()
  const large = rig.send(topic, 0, 2500)
  const small = rig.send(topic, 1, 100)
  rig.accumulator.appender.drainStaged()
  refuseFrom(2000)
  rig.succeed(inFlight)
  rig.accumulator.appender.serveWaiting()
  assert.ok(isRefusal(large), String(large.error))
  assert.notEqual(small.batch, null)
  rig.succeed(rig.drain())
  assert.equal(small.error, null)
  assert.equal(rig.usedBytes, 0)
})

test('a record that would have to wait is refused where there is no memory for its copy', () => {
  const { rig, topic, inFlight } = exhausted()
  refuseFrom(2000)
  const direct = rig.send(topic, 0, 2500)
  const staged = [1, 2, 3].map(partition => rig.send(topic, partition, 900))
  rig.accumulator.appender.drainStaged()
  for (const record of [direct, ...staged]) assert.ok(isRefusal(record), String(record.error))
  assert.equal(rig.accumulator.appender.waiting.length, 0)
  rig.succeed(inFlight)
  const later = rig.send(topic, 0, 900)
  rig.accumulator.appender.drainStaged()
  rig.succeed(rig.drain())
  assert.ok(later.isSettled)
  assert.equal(later.error, null)
})

test('a queue that cannot copy a record is as it was', () => {
  const budget = new WaitingBudget(1e6)
  const queue = new WaitingQueue(budget)
  refuseFrom(0)
  const { topic, delivery } = { topic: { name: 't' } as never, delivery: null as never }
  const record = { topic, partition: 0, timestampMs: 0, key: null, value: Buffer.alloc(9), headers: null }
  assert.throws(() => queue.push(record, delivery, 0, 1), BufferExhaustedError)
  assert.equal(queue.adopt({ ...record, delivery, ordinal: 0, deadlineMs: 1 })?.code, 'BUFFER_EXHAUSTED')
  assert.deepEqual([queue.length, queue.nextDeadlineMs, budget.bytes], [0, Number.POSITIVE_INFINITY, 0])
  globalThis.ArrayBuffer = OwnBuffer
  queue.push(record, delivery, 0, 1)
  assert.deepEqual([queue.length, queue.nextDeadlineMs], [1, 1])
})

for (const way of ['promise', 'callback', 'many'] as const) {
  test(`records that have waited for metadata and find no memory then: refused one by one (${way})`, async () => {
    await using broker = await startBroker({ partitions: 1, quiet: true, autoCreateTopics: false })
    const { bootstrapServers } = broker
    const options = { bootstrapServers, bufferMemory: 1 << 20, batchSize: 4096, metadataMaxAgeMs: 200 }
    await using producer = new Producer(options)
    const errors: unknown[] = []
    const large = { topic: 't', value: Buffer.alloc(900_000) }
    const small = { topic: 't', value: 'x' }
    if (way === 'many')
      producer.sendMany([large, small]).catch(({ errors: found }) => errors.push(...found.values()))
    else if (way === 'promise') producer.send(large).catch(error => errors.push(error))
    else producer.send(large, error => errors.push(error))
    const after = producer.send(small)
    refuseFrom(800_000)
    broker.createTopic('t')
    await after
    await eventually('the large record is refused', () => errors.length === 1)
    assert.ok(isRefusal({ error: errors[0] as never }), String(errors[0]))
  })
}
