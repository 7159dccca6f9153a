// Who observes a producer in bench/observer.js.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { noObserver } from '../../dist/common/observer.js'

const TELEMETRY = Symbol.for('millrace.telemetry')
const PARTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error']
const traced = name => PARTS.map(part => `tracing:millrace.${name}:${part}`)
const CALLS = traced('send')
const REST = [
  ...['transaction', 'connect', 'request'].flatMap(traced),
  ...['batch.sent', 'retry', 'metadata', 'throttle'].map(name => `millrace.${name}`),
]

const nobody = () => {}

/** An object with the methods of another, which do nothing. */
function idle(object) {
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(object)).map(name => [name, nobody])
  return { ...object, ...Object.fromEntries(methods) }
}

/**
 * The observers of a producer that runs; each begins and ends. With `empty` the calls of the seam are still
 * made, and channels are still asked whether they have subscribers.
 */
export function observersOf(producer) {
  const telemetry = producer[TELEMETRY]
  const { recorder, slowRetries } = telemetry
  const busy = { recorder, slowRetries }
  const none = { recorder: idle(recorder), slowRetries: idle(slowRetries) }
  const channels = names => ({
    begin() {
      for (const name of names) subscribe(name, nobody)
    },
    end() {
      for (const name of names) unsubscribe(name, nobody)
    },
  })
  return {
    empty: { begin: () => Object.assign(telemetry, none), end: () => Object.assign(telemetry, busy) },
    metrics: { begin: nobody, end: nobody },
    channels: channels(REST),
    calls: channels([...REST, ...CALLS]),
  }
}

/** From now on no producer of the process is observed. Before the first one is made. */
export async function observeNone(Producer) {
  const producer = new Producer({ 'bootstrap.servers': '127.0.0.1:1' })
  const prototype = Object.getPrototypeOf(producer[TELEMETRY])
  await producer.close()
  for (const [name, value] of Object.entries(noObserver)) Object.defineProperty(prototype, name, { value })
}
