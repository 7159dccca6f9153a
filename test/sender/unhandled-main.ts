// A process of its own for unhandled.test.ts: records that fail in every way, and nobody catches anything.
import { Producer, type ProducerOptions } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { setTimeouts } from '../helpers/timeouts.js'

process.on('unhandledRejection', error => console.log(`unhandled ${(error as { code?: string }).code}`))

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const isCallback = process.argv[2] === 'callback'
const codes: string[] = []

const broker = await startBroker({ quiet: true, partitions: 1 })

async function withProducer(
  options: Partial<ProducerOptions>,
  work: (producer: Producer, send: (record: object) => void) => unknown,
): Promise<void> {
  const producer = new Producer({
    bootstrapServers: broker.bootstrapServers,
    lingerMs: 0,
    logger: quiet,
    ...options,
  })
  const send = (record: object) => {
    if (!isCallback) void producer.send({ topic: 't', value: 'v', ...record })
    else {
      producer.send({ topic: 't', value: 'v', ...record }, error => {
        if (error !== null) codes.push(error.code)
        throw new Error('from a callback')
      })
    }
  }
  await work(producer, send)
  await producer.close()
  send({})
}

// What is wrong with the record, or the producer, or takes too long before it is in a batch.
await withProducer({}, async (producer, send) => {
  // A value is looked at when its topic is known.
  await producer.partitionsFor('t')
  setTimeouts(producer, { maxBlockMs: 150 })
  send({ topic: '' })
  send({ value: 1 })
  send({ partition: 5 })
})
const interceptor = {
  onAcknowledgement() {
    throw new Error('from an interceptor')
  },
}
await withProducer({ interceptors: [interceptor] }, (_, send) => send({ value: 1 }))
// What is in a batch: refused, out of time, cut short by close.
await withProducer({}, async (producer, send) => {
  await producer.partitionsFor('t')
  broker.fail({ api: 'Produce', error: 'INVALID_RECORD' })
  send({})
  await producer.flush()
})
await withProducer({ requestTimeoutMs: 100, deliveryTimeoutMs: 150 }, async (producer, send) => {
  await producer.partitionsFor('t')
  broker.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: 1000 })
  send({})
  await producer.flush()
  broker.clearFaults()
})
await withProducer({}, async (producer, send) => {
  await producer.partitionsFor('t')
  const { release } = broker.hold({ api: 'Produce' })
  send({})
  await producer.close({ timeoutMs: 10 })
  release()
})
await new Promise(resolve => setTimeout(resolve, 20))
await broker.close()
console.log(`codes ${codes.sort().join(' ')}`)
