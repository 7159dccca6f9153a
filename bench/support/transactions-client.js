// millrace under measurement with transactions or without: see commands.js for what it is told, with it
// `generation` (which names the transactional.id), `producers` and `perTransaction` (records). Modes:
// `transactions`, `flush` (a flush where a transaction would end) and `free` (never waits but for memory).
import { givenArguments, obey } from './commands.js'
import { readPayloads } from './payload-file.js'
import { runtimeName } from './runtimes.js'
import { shipped } from './shipped.js'

const { Producer } = await shipped('index')
const given = givenArguments()
const perTransaction = Number(given.perTransaction)
const partitions = Number(given.partitions)
const unsettledMax = Number(given.unsettledMax)
const { values } = readPayloads(given.payloads)
const mask = values.length - 1

const producers = Array.from({ length: Number(given.producers) }, (_, i) => {
  const transactional =
    given.mode === 'transactions' ? { 'transactional.id': `millrace-${process.pid}-${i}` } : {}
  return new Producer({
    'bootstrap.servers': given.bootstrapServers,
    'linger.ms': Number(given.lingerMs),
    'batch.size': Number(given.batchBytes),
    ...transactional,
  })
})

/** The records of a transaction; those of the next go to the partitions on which these ended. */
function recordsFrom(first) {
  return Array.from({ length: perTransaction }, (_, i) => ({
    topic: given.topic,
    partition: (first + i) % partitions,
    value: values[(first + i) & mask],
  }))
}

const modes = {
  async transactions(producer, first) {
    producer.beginTransaction()
    const sent = producer.sendMany(recordsFrom(first))
    await producer.commitTransaction()
    await sent
  },
  async flush(producer, first) {
    const sent = producer.sendMany(recordsFrom(first))
    await producer.flush()
    await sent
  },
}

async function sendFreely(producer, count) {
  const waiting = []
  for (let first = 0; first < count; first += perTransaction) {
    waiting.push(producer.sendMany(recordsFrom(first)))
    if (waiting.length * perTransaction > unsettledMax) await waiting.shift()
  }
  await producer.flush()
  await Promise.all(waiting)
}

async function send(producer, count) {
  if (given.mode === 'free') return sendFreely(producer, count)
  for (let first = 0; first < count; first += perTransaction) await modes[given.mode](producer, first)
}

if (given.mode === 'transactions') await Promise.all(producers.map(producer => producer.initTransactions()))
await obey(runtimeName(), async count => {
  await Promise.all(producers.map(producer => send(producer, count / producers.length)))
})
await Promise.all(producers.map(producer => producer.close()))
