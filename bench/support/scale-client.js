// millrace under measurement on many partitions: see commands.js for what it is told, and `topics` and
// `partitions` (of each) with it. It sends arrays of 1,024 records without keys, sixteen to each partition in
// turn, so that batches hold sixteen whatever the number of partitions is.
import { givenArguments, obey } from './commands.js'
import { readPayloads } from './payload-file.js'
import { runtimeName } from './runtimes.js'
import { shipped } from './shipped.js'
import { Window } from './window.js'

const { Producer } = await shipped('index')
const ARRAY_LENGTH = 1024
const given = givenArguments()
const perBatch = Number(given.recordsPerBatch)
const topicCount = Number(given.topics)
const partitionCount = Number(given.partitions)
const topics = Array.from({ length: topicCount }, (_, i) => `${given.topic}-${i}`)
const { values } = readPayloads(given.payloads)
const mask = values.length - 1
const producer = new Producer({
  'bootstrap.servers': given.bootstrapServers,
  'linger.ms': Number(given.lingerMs),
  'batch.size': Number(given.batchBytes),
})
let turn = 0

/** The next array: its records go on where the one before ended. */
function nextArray(length) {
  const records = new Array(length)
  for (let i = 0; i < length; i += perBatch) {
    const topic = topics[turn % topicCount]
    const partition = Math.floor(turn / topicCount) % partitionCount
    turn++
    const end = Math.min(length, i + perBatch)
    for (let at = i; at < end; at++) records[at] = { topic, partition, value: values[at & mask] }
  }
  return records
}

await obey(runtimeName(), async count => {
  const window = new Window(Math.floor(Number(given.unsettledMax) / ARRAY_LENGTH) * ARRAY_LENGTH)
  for (let sent = 0; sent < count; sent += ARRAY_LENGTH) {
    if (window.isFull) await window.change()
    const length = Math.min(ARRAY_LENGTH, count - sent)
    window.add(length)
    producer.sendMany(nextArray(length)).then(
      () => window.leave(length),
      error => window.fail(error, length),
    )
  }
  await window.drained()
})
await producer.close()
