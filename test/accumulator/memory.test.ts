// buffer.memory: never exceeded, first come first served, and max.block.ms kept.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BufferExhaustedError } from '../../dist/errors/index.js'
import { AccumulatorRig, type Sent } from './support.js'

const SLABS = 4

/** An accumulator whose memory is used up by batches in flight. */
function exhausted(options: ConstructorParameters<typeof AccumulatorRig>[0] = {}) {
  const rig = new AccumulatorRig({
    bufferBytes: SLABS * 1024,
    batchBytes: 1024,
    maxBlockMs: 1000,
    ...options,
  })
  const topic = rig.topic('t', 16)
  for (let partition = 0; partition < SLABS; partition++) rig.send(topic, partition, 800)
  const inFlight = rig.drain()
  assert.equal(inFlight.length, SLABS)
  assert.equal(rig.usedBytes, SLABS * 1024)
  return { rig, topic, inFlight }
}

test('records that find no memory are served in the order of their sends, as it comes back', () => {
  const { rig, topic, inFlight } = exhausted()
  const sent = Array.from({ length: 40 }, (_, i) => rig.send(topic, i % 16, 700))
  const served: number[] = []
  const isServed = (i: number) => sent[i]?.batch !== null
  let batches = inFlight
  for (let round = 0; round < 40 && served.length < sent.length; round++) {
    rig.succeed(batches.splice(0, 1 + (round % 3)))
    rig.accumulator.appender.serveWaiting()
    for (let i = 0; i < sent.length; i++) if (isServed(i) && !served.includes(i)) served.push(i)
    assert.ok(rig.usedBytes <= rig.bufferBytes)
    batches = [...batches, ...rig.drain()]
  }
  assert.deepEqual(
    served,
    sent.map((_, i) => i),
  )
})

test('a small record does not pass a large one that waits for several slabs of memory', () => {
  const { rig, topic, inFlight } = exhausted()
  const large = rig.send(topic, 9, 2500)
  const small = rig.send(topic, 10, 5)
  rig.accumulator.appender.drainStaged()
  rig.succeed(inFlight.splice(0, 2))
  rig.accumulator.appender.serveWaiting()
  assert.equal(large.batch, null)
  assert.equal(small.batch, null)
  rig.succeed(inFlight.splice(0, 1))
  rig.accumulator.appender.serveWaiting()
  assert.notEqual(large.batch, null)
  assert.equal(small.batch, null, 'what is left is less than a slab')
  rig.succeed(inFlight.splice(0, 1))
  rig.accumulator.appender.serveWaiting()
  assert.notEqual(small.batch, null)
  rig.succeed(rig.drain())
  assert.equal(rig.usedBytes, 0)
})

test('a record waits for exactly max.block.ms, and the ones behind it go on waiting for theirs', () => {
  const { rig, topic, inFlight } = exhausted()
  const start = rig.clock.now()
  const first = rig.send(topic, 9)
  rig.accumulator.appender.drainStaged()
  rig.clock.advance(300)
  const second = rig.send(topic, 9)
  const { appender } = rig.accumulator
  assert.equal(rig.accumulator.nextTimeoutMs(), start + 1000)
  rig.clock.advance(699)
  appender.expireWaiting(rig.clock.now())
  assert.equal(first.isSettled, false)
  rig.clock.advance(1)
  appender.expireWaiting(rig.clock.now())
  assert.ok(first.error instanceof BufferExhaustedError)
  assert.match(first.error.message, /max\.block\.ms \(1000 ms\).*buffer\.memory \(4096 bytes\)/)
  assert.equal(second.isSettled, false)
  assert.equal(rig.accumulator.nextTimeoutMs(), start + 1300)
  rig.succeed(inFlight)
  appender.serveWaiting()
  assert.notEqual(second.batch, null)
  rig.clock.advance(10_000)
  appender.expireWaiting(rig.clock.now())
  assert.equal(second.isSettled, false, 'served in time: only the delivery time-out counts from now on')
})

test('records refused together share one error, those of another topic have their own', () => {
  const { rig, topic } = exhausted()
  const other = rig.topic('u', 1)
  const sent = [rig.send(topic, 9), rig.send(other, 0), rig.send(topic, 10)]
  rig.accumulator.appender.drainStaged()
  rig.clock.advance(1000)
  rig.accumulator.appender.expireWaiting(rig.clock.now())
  const [first, second, third] = sent.map(({ error }) => error)
  assert.equal(first, third)
  assert.deepEqual([first?.topic, second?.topic], ['t', 'u'])
})

test('a record that fails while others wait sends another, which waits behind them', () => {
  const { rig, topic, inFlight } = exhausted()
  const { appender } = rig.accumulator
  const order: string[] = []
  const delivery = (name: string, onFail = () => {}) => ({
    attach: () => void order.push(name),
    fail: () => {
      order.push(`${name} failed`)
      onFail()
    },
  })
  const send = (name: string, onFail?: () => void) =>
    appender.append(
      { topic, partition: 9, timestampMs: 0, key: null, value: Buffer.from(name), headers: null },
      delivery(name, onFail),
      0,
    )
  send('a', () => send('d'))
  appender.drainStaged()
  rig.clock.advance(10)
  send('b')
  send('c')
  rig.clock.advance(990)
  appender.expireWaiting(rig.clock.now())
  rig.succeed(inFlight)
  appender.drainStaged()
  appender.serveWaiting()
  assert.deepEqual(order, ['a failed', 'b', 'c', 'd'])
})

test('random loads never use more than buffer.memory, settle every record once and give everything back', () => {
  let seed = 4711
  const below = (limit: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return (seed >>> 8) % limit
  }
  const rig = new AccumulatorRig({
    bufferBytes: 16 * 1024,
    deliveryTimeoutMs: 60,
    maxBlockMs: 40,
    lingerMs: 5,
  })
  const topic = rig.topic('t', 12)
  const sent: ReturnType<AccumulatorRig['send']>[] = []
  let inFlight: ReturnType<AccumulatorRig['drain']> = []
  /** Batches whose request has been answered, or given up, while the socket still reads. */
  const reading: typeof inFlight = []
  let largest = 0
  for (let step = 0; step < 6000; step++) {
    if (step < 5500)
      for (let i = below(6); i > 0; i--) sent.push(rig.send(topic, below(12), below(40) ? below(600) : 3000))
    if (below(2)) inFlight.push(...rig.drain())
    while (inFlight.length > 0 && below(3) > 0) {
      const [batch] = inFlight.splice(below(inFlight.length), 1) as [never]
      if (below(4) === 0) rig.retry([batch], below(20))
      else rig.succeed([batch])
    }
    if (below(3) === 0) {
      for (const batch of rig.accumulator.expire(rig.clock.now()))
        if (inFlight.includes(batch)) reading.push(batch)
      inFlight = inFlight.filter(batch => !reading.includes(batch))
    }
    for (const batch of reading.splice(0, below(3))) {
      batch.partition.answered()
      rig.accumulator.release(batch)
    }
    rig.accumulator.appender.serveWaiting()
    largest = Math.max(largest, rig.usedBytes)
    assert.ok(rig.usedBytes <= rig.bufferBytes)
    rig.clock.advance(below(8))
  }
  for (const batch of reading) rig.accumulator.release(batch)
  assert.equal(largest, rig.bufferBytes)
  assert.ok(sent.every(({ isSettled }) => isSettled))
  const errors = new Map<string, number>()
  for (const { error } of sent)
    errors.set(error?.code ?? 'stored', (errors.get(error?.code ?? 'stored') ?? 0) + 1)
  assert.deepEqual([...errors.keys()].sort(), ['BUFFER_EXHAUSTED', 'TIMED_OUT', 'stored'])
  assert.equal(rig.usedBytes, 0)
  assert.equal(rig.accumulator.hasIncomplete, false)
})

test('who hears that a staged record is refused may send again', () => {
  const rig = new AccumulatorRig()
  const topic = rig.topic('t', 1)
  const staged = [rig.send(topic, 0), rig.send(topic, 0)]
  const again: Sent[] = []
  let refusals = 0
  for (const sent of staged) {
    sent.fail = () => {
      refusals++
      again.push(rig.send(topic, 0))
    }
  }
  rig.accumulator.close()
  rig.accumulator.appender.drainStaged()
  assert.equal(refusals, 2)
  assert.deepEqual(
    again.map(sent => sent.isSettled),
    [false, false],
  )
  rig.accumulator.appender.drainStaged()
  assert.deepEqual(
    again.map(sent => sent.error?.code),
    ['PRODUCER_CLOSED', 'PRODUCER_CLOSED'],
  )
})
