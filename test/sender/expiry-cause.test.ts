// The error of a record that was not delivered in time tells what kept it.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { BrokerError, KafkaError, NetworkError, Producer, TimeoutError } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { type Outcome, SenderRig } from './rig.js'

const QUIET = { quiet: true, partitions: 1 } as const
const QUICK = { reconnectBackoffMs: 5, reconnectBackoffMaxMs: 10 } as const

const soon = (clock: FakeClock) => ({ clock, deliveryTimeoutMs: 300, client: QUICK })

/** Waits while the clock goes on with the event loop, so that a busy machine makes nothing late. */
async function inTime<T>(clock: FakeClock, waited: Promise<T>): Promise<T> {
  let isOver = false
  void waited.then(() => {
    isOver = true
  })
  await eventually('the outcome', () => {
    clock.advance(2)
    return isOver
  })
  return waited
}

/** The cause of a delivery time-out, which the message must quote. */
function causeOf({ error }: Outcome): KafkaError {
  assert.ok(error instanceof TimeoutError)
  assert.match(error.message, /delivery\.timeout\.ms/)
  const { cause } = error
  assert.ok(cause instanceof KafkaError, error.message)
  assert.ok(error.message.includes(cause.message), error.message)
  return cause
}

test('a record whose retries all failed has the last refusal for a cause', async () => {
  await using broker = await startBroker(QUIET)
  const clock = new FakeClock({ realImmediates: true })
  await using rig = new SenderRig(broker, soon(clock))
  const topic = await rig.topic('t')
  broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: Number.POSITIVE_INFINITY })
  const cause = causeOf(await inTime(clock, rig.send(topic, 'a')))
  assert.ok(cause instanceof BrokerError)
  assert.equal(cause.errorName, 'NOT_ENOUGH_REPLICAS')
  assert.equal(cause.broker, rig.client.brokerName(1))
})

test('a record that was never sent has the reason why its leader could not be reached', async () => {
  await using broker = await startBroker(QUIET)
  const clock = new FakeClock({ realImmediates: true })
  await using rig = new SenderRig(broker, soon(clock))
  const topic = await rig.topic('t')
  await rig.send(topic, 'warm')
  await broker.stopNode(1)
  const cause = causeOf(await inTime(clock, rig.send(topic, 'a')))
  assert.ok(cause instanceof NetworkError)
  assert.match(cause.message, /ECONNREFUSED/)
})

test('a record without a producer id has the reason why there is none', async () => {
  await using broker = await startBroker(QUIET)
  const clock = new FakeClock({ realImmediates: true })
  await using rig = new SenderRig(broker, soon(clock))
  const topic = await rig.topic('t')
  broker.fail({
    api: 'InitProducerId',
    error: 'COORDINATOR_LOAD_IN_PROGRESS',
    times: Number.POSITIVE_INFINITY,
  })
  const cause = causeOf(await inTime(clock, rig.send(topic, 'a')))
  assert.ok(cause instanceof BrokerError)
  assert.equal(cause.errorName, 'COORDINATOR_LOAD_IN_PROGRESS')
})

test('a record that nobody answered has the request that was given up, or no cause if none was', async () => {
  await using broker = await startBroker(QUIET)
  const clock = new FakeClock({ realImmediates: true })
  await using rig = new SenderRig(broker, { ...soon(clock), requestTimeoutMs: 100 })
  await using patient = new SenderRig(broker, soon(clock))
  const topics = [await rig.topic('t'), await patient.topic('t')] as const
  await rig.send(topics[0], 'warm')
  await patient.send(topics[1], 'warm')
  broker.swallow({ api: 'Produce', times: Number.POSITIVE_INFINITY })
  const sends = [rig.send(topics[0], 'a'), patient.send(topics[1], 'b')] as const
  const [givenUp, awaited] = await inTime(clock, Promise.all(sends))
  assert.match(causeOf(givenUp).message, /^Produce to broker .* was not answered within \d+ ms/)
  assert.match(awaited.error?.message ?? '', /in flight/)
  assert.equal(awaited.error?.cause, undefined)
})

test('when retries are used up by lost connections, the error says how the last one was lost', async () => {
  await using broker = await startBroker(QUIET)
  await using rig = new SenderRig(broker, { retries: 1, client: QUICK })
  const topic = await rig.topic('t')
  await rig.send(topic, 'warm')
  const stop = broker.onRequest(({ api }) => {
    if (api === 'Produce') broker.disconnect()
  })
  const { error } = await rig.send(topic, 'a')
  stop()
  assert.ok(error instanceof BrokerError)
  assert.equal(error.errorName, 'NETWORK_EXCEPTION')
  assert.ok(error.cause instanceof NetworkError)
})

test('where nothing has failed, only nobody has answered yet, there is no cause', async () => {
  const silent = createServer(socket => socket.on('error', () => {}).resume())
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  await using producer = new Producer({ bootstrapServers: `127.0.0.1:${port}`, maxBlockMs: 50 })
  await assert.rejects(producer.send({ topic: 't', value: 'v' }), (error: KafkaError) => {
    assert.match(error.message, /no broker has named it/)
    return error instanceof TimeoutError && !('cause' in error)
  })
  silent.close()
})
