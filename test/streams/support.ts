import type { ProducerOptions } from '../../dist/index.js'
import { Producer } from '../../dist/index.js'
import { type BrokerOptions, startBroker, type TestBroker } from '../../dist/testing/index.js'

const silent = () => {}
const logger = { debug: silent, info: silent, warn: silent, error: silent }

/** A quiet in-process broker and a producer for one test; both are closed whatever happens. */
export async function withProducer(
  options: Partial<ProducerOptions>,
  work: (producer: Producer, broker: TestBroker) => Promise<void>,
  brokerOptions: BrokerOptions = {},
): Promise<void> {
  await using broker = await startBroker({ quiet: true, ...brokerOptions })
  const { bootstrapServers } = broker
  await using producer = new Producer({ bootstrapServers, lingerMs: 0, logger, ...options })
  try {
    await work(producer, broker)
  } finally {
    // What a failed test has left unsent must not keep its end waiting.
    broker.clearFaults()
  }
}

/** Values of a topic as text, in the order of their partition. */
export function valuesOf(broker: TestBroker, topic: string): string[] {
  return Array.from(broker.records(topic), ({ value }) => Buffer.from(value ?? []).toString())
}

export function linesOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `line ${i}`)
}

/** What a source has seen of its reader. */
export class Watch {
  pulled = 0
  isClosed = false
  /** The most that was pulled and not acknowledged. */
  peak = 0;

  /** Elements one by one; `acknowledged` says how many have their outcome. */
  *lines(count: number, acknowledged: () => number): Generator<string> {
    try {
      for (let i = 0; i < count; i++) {
        this.pulled++
        this.peak = Math.max(this.peak, this.pulled - acknowledged())
        yield `line ${i}`
      }
    } finally {
      this.isClosed = true
    }
  }
}
