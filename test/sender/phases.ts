// Producers in every phase of their lives, against a broker of their own: for threads and processes that end
// amid them (see process-exits.test.ts and worker-exits.test.ts).
import { setTimeout as sleep } from 'node:timers/promises'
import { Producer, type ProducerOptions } from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'

const QUIET = { debug() {}, info() {}, warn() {}, error() {} }

/** May answer how to let go on what is held. */
type Prepare = (broker: TestBroker, producer: Producer) => unknown

interface Phase {
  options?: Partial<ProducerOptions>
  prepare: Prepare
}

const forget = (producer: Producer, bytes = 10) =>
  producer.send({ topic: 't', partition: 0, value: Buffer.alloc(bytes) }, () => {})

/** Waits until the broker has had a request of the API that it does not answer. */
const unanswered =
  (api: 'ApiVersions' | 'Metadata' | 'InitProducerId' | 'Produce'): Prepare =>
  async (broker, producer) => {
    if (api === 'Produce') await producer.send({ topic: 't', partition: 0, value: 'warm' })
    const { release } = broker.hold({ api })
    const before = broker.counters().requests[api] ?? 0
    forget(producer)
    while ((broker.counters().requests[api] ?? 0) === before) await sleep(1)
    return release
  }

export const PHASES: Readonly<Record<string, Phase>> = {
  idle: { prepare: () => {} },
  'connected and idle': { prepare: (_, producer) => producer.send({ topic: 't', value: 'v' }) },
  connecting: { prepare: (_, producer) => forget(producer) },
  'asking for versions': { prepare: unanswered('ApiVersions') },
  'asking for metadata': { prepare: unanswered('Metadata') },
  'asking for a producer id': { prepare: unanswered('InitProducerId') },
  'records staged': {
    options: { lingerMs: 60_000 },
    prepare: async (_, producer) => {
      await producer.partitionsFor('t')
      for (let i = 0; i < 10; i++) forget(producer)
    },
  },
  'records lingering': {
    options: { lingerMs: 60_000 },
    prepare: async (_, producer) => {
      await producer.partitionsFor('t')
      for (let i = 0; i < 10; i++) forget(producer)
      await sleep(5)
    },
  },
  'records being compressed': {
    options: { compressionType: 'gzip', batchSize: 1 << 20, maxRequestSize: 1 << 21 },
    prepare: async (_, producer) => {
      await producer.partitionsFor('t')
      forget(producer, 900_000)
      await sleep(0)
    },
  },
  'records in flight': { prepare: unanswered('Produce') },
  'large records half written': {
    options: { maxRequestSize: 1 << 24 },
    prepare: async (_, producer) => {
      await producer.partitionsFor('t')
      forget(producer, 12_000_000)
      await sleep(2)
    },
  },
  'records in backoff': {
    options: { retryBackoffMs: 60_000, retryBackoffMaxMs: 60_000 },
    prepare: async (broker, producer) => {
      await producer.partitionsFor('t')
      broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: 1 })
      forget(producer)
      while (broker.counters().rejected === 0) await sleep(1)
    },
  },
  'records waiting for memory': {
    options: { bufferMemory: 4096, batchSize: 1024 },
    prepare: async (broker, producer) => {
      await unanswered('Produce')(broker, producer)
      for (let i = 0; i < 10; i++) forget(producer, 700)
    },
  },
  flushing: {
    prepare: async (broker, producer) => {
      await unanswered('Produce')(broker, producer)
      void producer.flush()
    },
  },
  closing: {
    prepare: async (broker, producer) => {
      const release = await unanswered('Produce')(broker, producer)
      void producer.close()
      return release
    },
  },
  closed: {
    prepare: async (broker, producer) => {
      await unanswered('Produce')(broker, producer)
      await producer.close({ timeoutMs: 0 })
    },
  },
}

/** Brings a new producer into a phase. Both it and the broker are left as they are then. */
export async function enterPhase(name: string): Promise<{
  broker: TestBroker
  producer: Producer
  letGo: () => void
}> {
  const { options, prepare } = PHASES[name] as Phase
  const broker = await startBroker({ quiet: true, verify: 'strict', partitions: 1, maxMessageBytes: 1 << 24 })
  const producer = new Producer({
    bootstrapServers: broker.bootstrapServers,
    lingerMs: 0,
    logger: QUIET,
    ...options,
  })
  const release = await prepare(broker, producer)
  return { broker, producer, letGo: () => typeof release === 'function' && release() }
}
