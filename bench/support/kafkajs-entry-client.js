// millrace/kafkajs under measurement, with the very calls of bench/peers/node/kafkajs.js.
import { Kafka, logLevel, Partitioners } from '../../dist/compat/kafkajs/index.js'
import { runOf } from '../peers/node/sends.js'
import { givenArguments, obey } from './commands.js'
import { runtimeName } from './runtimes.js'

const given = givenArguments()
const kafka = new Kafka({ brokers: given.bootstrapServers.split(','), logLevel: logLevel.ERROR })
const usesPartitioner = given.partitioner === 'default'
const producer = kafka.producer({
  idempotent: true,
  ...(usesPartitioner ? { createPartitioner: Partitioners.DefaultPartitioner } : {}),
})
await producer.connect()
const { topic } = given
await obey(
  runtimeName(),
  runOf(given, messages => producer.send({ topic, messages })),
)
await producer.disconnect()
