// kafkajs under measurement: see bench/support/commands.js for what it is told. Modes: `many` (arrays of
// 1,000 records) and `record` (arrays of one). It has no linger and no batch size, and of the codecs gzip.
import { createRequire } from 'node:module'
import { CompressionTypes, Kafka, logLevel, Partitioners } from 'kafkajs'
import { tlsOptions } from '../../support/client-options.js'
import { givenArguments, obey } from '../../support/commands.js'
import { runOf } from './sends.js'

const given = givenArguments()
const ssl = tlsOptions(given)
const kafka = new Kafka({
  brokers: given.bootstrapServers.split(','),
  logLevel: logLevel.ERROR,
  ...(ssl ? { ssl } : {}),
})
const producer = kafka.producer({ idempotent: true, createPartitioner: Partitioners.DefaultPartitioner })
await producer.connect()
const { topic } = given
const compression = given.compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None
const { version } = createRequire(import.meta.url)('kafkajs/package.json')
await obey(
  `kafkajs ${version}`,
  runOf(given, messages => producer.send({ topic, compression, messages })),
)
await producer.disconnect()
