// millrace under measurement: see commands.js for what it is told. Runs on Node, Bun and Deno.
import { Producer } from '../../dist/index.js'
import { givenArguments, obey } from './commands.js'
import { loads } from './loads.js'
import { readPayloads } from './payload-file.js'
import { runtimeName } from './runtimes.js'

const given = givenArguments()
const zstd = given.compression === 'zstd' ? { 'compression.zstd.level': Number(given.zstdLevel) } : {}
const producer = new Producer({
  'bootstrap.servers': given.bootstrapServers,
  'linger.ms': Number(given.lingerMs),
  'batch.size': Number(given.batchBytes),
  'compression.type': given.compression,
  ...zstd,
})
const load = { topic: given.topic, ...readPayloads(given.payloads), unsettledMax: Number(given.unsettledMax) }
const send = loads[given.mode]

await obey(runtimeName(), count => send(producer, { ...load, count }))
if (producer.bufferAvailableBytes !== producer.bufferTotalBytes) throw new Error('memory is still in use')
await producer.close()
