// What bench/observer.js compares.
import { subscribe } from 'node:diagnostics_channel'
import { noObserver } from '../../dist/common/observer.js'

const PARTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error']
const traced = name => PARTS.map(part => `tracing:millrace.${name}:${part}`)
const CALLS = traced('send')
const REST = [
  ...['transaction', 'connect', 'request'].flatMap(traced),
  ...['batch.sent', 'retry', 'metadata', 'throttle'].map(name => `millrace.${name}`),
]

const listen = () => {}

const observers = {
  /** The calls of the observer are still made, as they are with one that is injected. */
  async empty(Producer) {
    const producer = new Producer({ 'bootstrap.servers': '127.0.0.1:1' })
    const prototype = Object.getPrototypeOf(producer[Symbol.for('millrace.telemetry')])
    await producer.close()
    for (const [name, value] of Object.entries(noObserver)) Object.defineProperty(prototype, name, { value })
  },
  metrics() {},
  channels() {
    for (const name of REST) subscribe(name, listen)
  },
  calls() {
    for (const name of [...REST, ...CALLS]) subscribe(name, listen)
  },
}

/** Before the first producer that is measured is made. */
export async function observeBy(name, Producer) {
  await observers[name](Producer)
}
