// flush and close in every phase of a record's life, and callbacks that misbehave.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type KafkaError, Producer, type ProducerOptions } from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import { eventually } from '../helpers/eventually.js'
import { setTimeouts } from '../helpers/timeouts.js'
import { stored } from './rig.js'

interface Phase {
  options?: Partial<ProducerOptions>
  /** Holds records in the phase; answers how to let them go on. */
  enter(broker: TestBroker): () => void
  /** Whether the records are in the phase. */
  isReached(broker: TestBroker): boolean
  /** Whether the topic is known, and a record stored, before the phase begins. */
  warm: boolean
}

const requests = (broker: TestBroker, api: 'Produce' | 'Metadata' | 'InitProducerId') =>
  broker.counters().requests[api] ?? 0

const held = (api: 'Produce' | 'Metadata' | 'InitProducerId') => (broker: TestBroker) => {
  const { release } = broker.hold({ api })
  return release
}

const forgiven = (broker: TestBroker) => () => broker.clearFaults()

const PHASES: Record<string, Phase> = {
  'waiting for metadata': {
    enter: held('Metadata'),
    isReached: broker => requests(broker, 'Metadata') > 0,
    warm: false,
  },
  'waiting for a producer id': {
    enter: held('InitProducerId'),
    isReached: broker => requests(broker, 'InitProducerId') > 0,
    warm: false,
  },
  lingering: { options: { lingerMs: 100 }, enter: () => () => {}, isReached: () => true, warm: true },
  'in flight': { enter: held('Produce'), isReached: broker => requests(broker, 'Produce') > 1, warm: true },
  'in backoff': {
    options: { retryBackoffMs: 60, retryBackoffMaxMs: 60 },
    enter: broker => {
      broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: Number.POSITIVE_INFINITY })
      return forgiven(broker)
    },
    isReached: broker => broker.counters().rejected > 0,
    warm: true,
  },
  'waiting for memory': {
    options: { bufferMemory: 2048, batchSize: 1024 },
    enter: held('Produce'),
    isReached: broker => requests(broker, 'Produce') > 1,
    warm: true,
  },
  'without a connection': {
    options: { reconnectBackoffMs: 20, reconnectBackoffMaxMs: 20 },
    enter: broker => {
      const stopped = broker.stopNode(1)
      return () => void stopped.then(() => broker.startNode(1))
    },
    isReached: () => true,
    warm: true,
  },
}

const COUNT = 30

/** Records in a phase; `letGo` ends it. */
async function enter(phase: Phase, producer: Producer, broker: TestBroker) {
  if (phase.warm) await producer.send({ topic: 't', partition: 0, value: 'warm' })
  const letGo = phase.enter(broker)
  const outcomes: (KafkaError | null)[] = []
  for (let i = 0; i < COUNT; i++) {
    const record = { topic: 't', partition: i % 3, value: `${i}`.padEnd(200, '.') }
    const settle = (error: KafkaError | null) => void outcomes.push(error)
    if (i % 3 === 0) producer.send(record, error => settle(error))
    else if (i % 3 === 1) {
      producer.send(record).then(
        () => settle(null),
        error => settle(error),
      )
    } else {
      producer.sendMany([record]).then(
        () => settle(null),
        error => settle(error),
      )
    }
  }
  await eventually('the phase', () => phase.isReached(broker))
  return { letGo, outcomes }
}

const ACTIONS = {
  flush: { end: (producer: Producer) => producer.flush(), letsGo: true },
  'close()': { end: (producer: Producer) => producer.close(), letsGo: true },
  'close in time': { end: (producer: Producer) => producer.close({ timeoutMs: 20_000 }), letsGo: true },
  'close(0)': { end: (producer: Producer) => producer.close({ timeoutMs: 0 }), letsGo: false },
  'close, then close(0)': {
    end: (producer: Producer) => {
      const closed = producer.close()
      assert.equal(producer.close({ timeoutMs: 0 }), closed)
      return closed
    },
    letsGo: false,
  },
  'close(30)': { end: (producer: Producer) => producer.close({ timeoutMs: 30 }), letsGo: false },
} as const

for (const [phaseName, phase] of Object.entries(PHASES)) {
  for (const [actionName, action] of Object.entries(ACTIONS)) {
    test(`${actionName} with records ${phaseName}`, async () => {
      await using broker = await startBroker({ quiet: true, partitions: 3 })
      const producer = new Producer({
        bootstrapServers: broker.bootstrapServers,
        lingerMs: 0,
        retryBackoffMs: 5,
        logger: new RecordingLogger(),
        ...phase.options,
      })
      const { letGo, outcomes } = await enter(phase, producer, broker)
      const ended = action.end(producer)
      if (action.letsGo) setTimeout(letGo, 20)
      await ended
      if (!action.letsGo) letGo()
      await eventually('all are settled', () => outcomes.length === COUNT)
      for (const error of outcomes) {
        if (action.letsGo) assert.equal(error, null)
        else if (error !== null) {
          const { code } = (error.code === 'SEND_MANY_FAILED' ? error.cause : error) as KafkaError
          assert.equal(code, 'PRODUCER_CLOSED')
        }
      }
      const values = stored(broker, 't').filter(value => value !== 'warm')
      assert.equal(new Set(values).size, values.length, 'none is stored twice')
      if (action.letsGo) assert.equal(values.length, COUNT)
      await producer.close()
      assert.equal(producer.bufferAvailableBytes, producer.bufferTotalBytes)
      await assert.rejects(producer.send({ topic: 't', value: 'late' }), { code: 'PRODUCER_CLOSED' })
    })
  }
}

test('callbacks that throw are logged, and the others are called all the same', async () => {
  const logger = new RecordingLogger()
  await using broker = await startBroker({ quiet: true })
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, logger, lingerMs: 5 })
  const called: number[] = []
  for (let i = 0; i < 6; i++) {
    producer.send({ topic: 't', value: `${i}` }, () => {
      called.push(i)
      if (i % 2 === 0) throw new Error('from a callback')
    })
  }
  await producer.flush()
  assert.deepEqual(called, [0, 1, 2, 3, 4, 5])
  assert.equal(logger.lines.filter(({ message }) => /callback .* threw/.test(message)).length, 3)
})

test('a callback may send: 1,000 records, each sent by the callback of the one before', async () => {
  await using broker = await startBroker({ quiet: true, partitions: 1 })
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 0 })
  await new Promise<void>((resolve, reject) => {
    const next = (i: number) => {
      if (i === 1000) return resolve()
      producer.send({ topic: 't', value: `${i}` }, error => (error === null ? next(i + 1) : reject(error)))
    }
    next(0)
  })
  assert.deepEqual(
    stored(broker, 't'),
    Array.from({ length: 1000 }, (_, i) => `${i}`),
  )
})

test('a callback of a record that expired may send, flush and close', async () => {
  await using broker = await startBroker({ quiet: true, partitions: 1 })
  const producer = new Producer({
    bootstrapServers: broker.bootstrapServers,
    lingerMs: 0,
    logger: new RecordingLogger(),
  })
  await producer.send({ topic: 't', value: 'warm' })
  setTimeouts(producer, { deliveryTimeoutMs: 40 })
  const { release } = broker.hold({ api: 'Produce' })
  const outcomes: (string | null)[] = []
  await new Promise<void>((resolve, reject) => {
    producer.send({ topic: 't', value: 'a' }, error => {
      outcomes.push(error?.code ?? null)
      release()
      producer.send({ topic: 't', value: 'b' }, later => outcomes.push(later?.code ?? null))
      producer.flush().then(() => producer.close().then(resolve, reject), reject)
      producer.flush().catch(reject)
    })
  })
  assert.equal(outcomes.length, 2)
  assert.notEqual(outcomes[0], null)
})

test('a callback may close, and close again, with records behind it', async () => {
  await using broker = await startBroker({ quiet: true, partitions: 2 })
  const producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 0 })
  await producer.partitionsFor('t')
  const outcomes: (string | null)[] = []
  const closes: Promise<void>[] = []
  for (let i = 0; i < 20; i++) {
    producer.send({ topic: 't', partition: i % 2, value: `${i}` }, error => {
      outcomes.push(error?.code ?? null)
      closes.push(producer.close({ timeoutMs: i }))
      producer.send({ topic: 't', value: 'late' }, late => assert.equal(late?.code, 'PRODUCER_CLOSED'))
    })
  }
  await eventually('all are settled', () => outcomes.length === 20)
  await Promise.all(closes)
  assert.ok(outcomes.every(code => code === null))
  assert.equal(stored(broker, 't').length, 20)
})

test('interceptors that throw or send from onAcknowledgement change nothing for the records', async () => {
  await using broker = await startBroker({ quiet: true, partitions: 1 })
  let extra = 0
  const extras: Promise<unknown>[] = []
  await using producer: Producer = new Producer({
    bootstrapServers: broker.bootstrapServers,
    lingerMs: 1,
    logger: new RecordingLogger(),
    interceptors: [
      {
        onAcknowledgement() {
          if (extra++ < 5) extras.push(producer.send({ topic: 't', value: `extra ${extra}` }))
          throw new Error('from an interceptor')
        },
      },
    ],
  })
  await Promise.all([1, 2, 3].map(i => producer.send({ topic: 't', value: `${i}` })))
  await producer.sendMany([{ topic: 't', value: '4' }])
  await Promise.all(extras)
  await producer.flush()
  await Promise.all(extras)
  assert.equal(stored(broker, 't').length, 4 + extras.length)
})

test('a process ends by itself after close, whatever the producer was doing', async () => {
  const script = fileURLToPath(new URL('./close-and-exit.js', import.meta.url))
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  const code = await new Promise(resolve => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
    child.on('close', status => {
      clearTimeout(timer)
      resolve(status)
    })
  })
  assert.equal(code, 0)
  const closedMs = Number(/closed at (\d+)/.exec(output)?.[1])
  const exitMs = Number(/exit at (\d+)/.exec(output)?.[1])
  assert.match(output, /timers left: 0\n/)
  assert.ok(exitMs - closedMs < 5000, `${exitMs - closedMs} ms from close to exit`)
})
