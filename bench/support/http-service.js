// examples/ingestion with a producer by name: `millrace`, as the example makes it; a peer in its place; or
// `none`, which answers at once. Says where it listens, and ends when its input does.
import { buildApp } from '../../examples/ingestion/src/app.js'
import { readConfig } from '../../examples/ingestion/src/config.js'
import { createProducers } from '../../examples/ingestion/src/producers.js'
import { givenArguments } from './commands.js'

const { client, bootstrapServers } = givenArguments()
const config = readConfig({ KAFKA_BROKERS: bootstrapServers, LOG_LEVEL: 'silent' })

/** What the service asks of a producer before it takes a request; none of the others limits its memory. */
const unlimited = { bufferAvailableBytes: Number.MAX_SAFE_INTEGER, waitingBytes: 0 }

async function createProducer() {
  if (client === 'millrace') {
    const { producer, deadLetters } = createProducers(config)
    await producer.connect()
    await producer.partitionsFor(config.topic)
    const close = () => Promise.all([producer.close(), deadLetters.close()])
    return { producer, close, version: `millrace, Node ${process.versions.node}` }
  }
  if (client === 'none') {
    const place = { partition: 0, offset: 0 }
    return { producer: { ...unlimited, send: async () => place }, close: async () => {}, version: '' }
  }
  const { producers } = await import('../peers/node/http-producers.js')
  const { send, close, version } = await producers[client](bootstrapServers)
  return { producer: { ...unlimited, send }, close, version }
}

const { producer, close, version } = await createProducer()
const { app } = buildApp({ config, producer, deadLetters: producer })
await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`${JSON.stringify({ version, port: app.server.address().port })}\n`)
process.stdin.resume().once('end', async () => {
  await app.close()
  await close()
  process.exit()
})
