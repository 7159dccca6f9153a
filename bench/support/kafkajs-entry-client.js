// millrace/kafkajs under measurement, with the very calls of bench/peers/node/kafkajs.js.
import { runOf } from '../peers/node/sends.js'
import { tlsOptions } from './client-options.js'
import { givenArguments, obey } from './commands.js'
import { runtimeName } from './runtimes.js'
import { shipped } from './shipped.js'

const { CompressionTypes, Kafka, logLevel, Partitioners } = await shipped('kafkajs')
const given = givenArguments()
const ssl = tlsOptions(given)
const kafka = new Kafka({
  brokers: given.bootstrapServers.split(','),
  logLevel: logLevel.ERROR,
  ...(ssl ? { ssl } : {}),
})
const usesPartitioner = given.partitioner === 'default'
const producer = kafka.producer({
  idempotent: true,
  ...(usesPartitioner ? { createPartitioner: Partitioners.DefaultPartitioner } : {}),
})
await producer.connect()
const { topic } = given
const compression = given.compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None
await obey(
  runtimeName(),
  runOf(given, messages => producer.send({ topic, compression, messages })),
)
await producer.disconnect()
