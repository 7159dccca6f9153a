// How the JavaScript peers are driven where `send` takes an array and gives a promise: arrays of 1,000
// records or of one, with at most `unsettledMax` records without an outcome.
import { readPayloads } from '../../support/payload-file.js'
import { Window } from '../../support/window.js'

const ARRAY_LENGTH = { many: 1000, record: 1 }

/** `messagesOf(keys, values, from, count)` makes one array; `send(messages)` gives its promise. */
export function runOf({ payloads, mode, unsettledMax }, send, extra = {}) {
  const { keys, values } = readPayloads(payloads)
  const arrayLength = ARRAY_LENGTH[mode]
  const mask = values.length - 1
  return async count => {
    const window = new Window(Math.floor(unsettledMax / arrayLength) * arrayLength)
    for (let sent = 0; sent < count; ) {
      if (window.isFull) await window.change()
      const length = Math.min(arrayLength, count - sent)
      const messages = new Array(length)
      for (let i = 0; i < length; i++, sent++) {
        messages[i] = { ...extra, key: keys[sent & mask], value: values[sent & mask] }
      }
      window.add(length)
      send(messages).then(
        () => window.leave(length),
        error => window.fail(error, length),
      )
    }
    await window.drained()
  }
}
