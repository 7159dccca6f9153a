// @confluentinc/kafka-javascript under measurement: see bench/support/commands.js for what it is told. Modes:
// `many` (arrays of 1,000 records) and `record` (arrays of one) by the kafkajs-like interface, `callback` by
// the older one: produce() and an event with the delivery report of each record. That one takes no string for
// a value, and headers as an array of objects with one each.
import { once } from 'node:events'
import { createRequire } from 'node:module'
import confluent from '@confluentinc/kafka-javascript'
import { isText, payloadsGiven } from '../../support/client-options.js'
import { givenArguments, obey } from '../../support/commands.js'
import { CONTENT_TYPE } from '../../support/record-makers.js'
import { Window } from '../../support/window.js'
import { runOf } from './sends.js'

const given = givenArguments()
const { topic } = given
const packageJson = createRequire(import.meta.url)('@confluentinc/kafka-javascript/package.json')
const version = `${packageJson.name} ${packageJson.version}, librdkafka ${confluent.librdkafkaVersion}`
const options = {
  'bootstrap.servers': given.bootstrapServers,
  'enable.idempotence': true,
  'linger.ms': Number(given.lingerMs),
  'batch.size': Number(given.batchBytes),
  'compression.codec': given.compression,
  ...(given.compression === 'zstd' ? { 'compression.level': Number(given.zstdLevel) } : {}),
  ...(given.ca ? { 'security.protocol': 'ssl', 'ssl.ca.location': given.ca } : {}),
}

async function sendWithPromises() {
  const { Kafka, logLevel } = confluent.KafkaJS
  const producer = new Kafka({ kafkaJS: { logLevel: logLevel.ERROR } }).producer(options)
  await producer.connect()
  await obey(
    version,
    runOf(given, messages => producer.send({ topic, messages })),
  )
  await producer.disconnect()
}

async function sendWithEvents() {
  const { keys, values, traces } = payloadsGiven(given)
  const at = (ring, i) => ring[i & (ring.length - 1)]
  const headersOf = i => [{ traceparent: at(traces, i) }, { 'content-type': CONTENT_TYPE }]
  const bytesOf = isText(given) ? value => Buffer.from(value) : value => value
  const producer = new confluent.Producer({ ...options, partitioner: 'murmur2_random', dr_cb: true })
  producer.connect()
  await once(producer, 'ready')
  producer.setPollInBackground(true)
  let window
  producer.on('delivery-report', error => {
    if (error) window.fail(error, 1)
    else window.leave(1)
  })
  await obey(version, async count => {
    window = new Window(Number(given.unsettledMax))
    for (let i = 0; i < count; i++) {
      if (window.isFull) await window.change()
      window.add(1)
      const headers = traces.length > 0 ? headersOf(i) : undefined
      producer.produce(topic, null, bytesOf(at(values, i)), at(keys, i) ?? null, null, null, headers)
    }
    await window.drained()
  })
  producer.disconnect()
  await once(producer, 'disconnected')
}

await (given.mode === 'callback' ? sendWithEvents() : sendWithPromises())
