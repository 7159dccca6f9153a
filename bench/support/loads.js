// The load generators: each sends `count` records and returns when the last one is acknowledged. At most
// `unsettledMax` records are without an outcome at any time; the generator waits on a counter, which costs
// the same as collecting promises or awaiting them in turn, and never holds back what may be sent. Every
// promise is listened to, every record is an object of its own as a user's would be (`recordMaker`), and
// nothing of that is subtracted.
import { Window } from './window.js'

/** A promise each. */
async function record(producer, { recordOf, count, unsettledMax }) {
  const window = new Window(unsettledMax)
  const settled = () => window.leave(1)
  const failed = error => window.fail(error, 1)
  for (let i = 0; i < count; i++) {
    if (window.isFull) await window.change()
    window.add(1)
    producer.send(recordOf(i)).then(settled, failed)
  }
  await window.drained()
}

/** A callback, the same one, for each. */
async function callback(producer, { recordOf, count, unsettledMax }) {
  const window = new Window(unsettledMax)
  const settled = error => {
    if (error === null) window.leave(1)
    else window.fail(error, 1)
  }
  for (let i = 0; i < count; i++) {
    if (window.isFull) await window.change()
    window.add(1)
    producer.send(recordOf(i), settled)
  }
  await window.drained()
}

/** Arrays of `arrayLength` records, a promise for each array. */
async function many(producer, { recordOf, count, unsettledMax, arrayLength = 1000 }) {
  const window = new Window(Math.floor(unsettledMax / arrayLength) * arrayLength)
  for (let sent = 0; sent < count; ) {
    if (window.isFull) await window.change()
    const length = Math.min(arrayLength, count - sent)
    const records = new Array(length)
    for (let i = 0; i < length; i++, sent++) records[i] = recordOf(sent)
    window.add(length)
    producer.sendMany(records).then(
      () => window.leave(length),
      error => window.fail(error, length),
    )
  }
  await window.drained()
}

export const loads = { record, callback, many }
