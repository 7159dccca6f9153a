// How the JavaScript peers are driven where `send` takes an array and gives a promise: arrays of many records
// or of one, with at most `unsettledMax` records without an outcome; in the mode `paced` one at a time.
import { payloadsGiven } from '../../support/client-options.js'
import { paced } from '../../support/paced-load.js'
import { recordMaker } from '../../support/record-makers.js'
import { Window } from '../../support/window.js'

/** `send(messages)` gives the promise of an array; `topic`: where each message names its own. */
export function runOf(given, send, { topic } = {}) {
  const recordOf = recordMaker({ topic, ...payloadsGiven(given) })
  if (given.mode === 'paced') {
    return count => paced(i => send([recordOf(i)]), { count, rate: Number(given.rate) })
  }
  const arrayLength = given.mode === 'many' ? Number(given.arrayLength) : 1
  const unsettledMax = Number(given.unsettledMax)
  return async count => {
    const window = new Window(Math.floor(unsettledMax / arrayLength) * arrayLength)
    for (let sent = 0; sent < count; ) {
      if (window.isFull) await window.change()
      const length = Math.min(arrayLength, count - sent)
      const messages = new Array(length)
      for (let i = 0; i < length; i++, sent++) messages[i] = recordOf(sent)
      window.add(length)
      send(messages).then(
        () => window.leave(length),
        error => window.fail(error, length),
      )
    }
    await window.drained()
  }
}
