import { Producer, type ProducerOptions } from '../../dist/index.js'
import { type BrokerOptions, startBroker, type TestBroker } from '../../dist/testing/index.js'

/** A quiet in-process broker and a producer for one test; both are closed whatever happens. */
export async function withProducer(
  options: Partial<ProducerOptions>,
  work: (producer: Producer, broker: TestBroker) => Promise<void>,
  brokerOptions: BrokerOptions = {},
): Promise<void> {
  await using broker = await startBroker({ partitions: 3, quiet: true, verify: 'strict', ...brokerOptions })
  await using producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 0, ...options })
  await work(producer, broker)
}

const decoder = new TextDecoder()

export function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : decoder.decode(bytes)
}

/** What a consumer reads of a topic, keys and values as text. */
export function read(broker: TestBroker, topic: string, partition?: number) {
  return Array.from(broker.records(topic, partition), record => ({
    ...record,
    key: text(record.key),
    value: text(record.value),
  }))
}
