import { Producer } from 'millrace'

/**
 * Two producers: a full buffer or a dead topic must not keep the dead letters back, which may be needed just
 * then.
 *
 * @param {import('./config.js').Config} config
 * @param {import('millrace').ProducerOptions['logger']} [logger]
 */
export function createProducers(config, logger) {
  const common = {
    bootstrapServers: config.bootstrapServers,
    deliveryTimeoutMs: config.deliveryTimeoutMs,
    // A request that waits for metadata holds its connection: better a 503 soon.
    maxBlockMs: Math.min(5000, config.deliveryTimeoutMs),
    // One attempt must leave time for another one.
    requestTimeoutMs: Math.min(8000, Math.floor(config.deliveryTimeoutMs / 2)),
    logger,
  }
  const producer = new Producer({
    ...common,
    clientId: 'ingestion',
    // Batches fill while the ones before are on their way. Waiting on purpose would only add to latency.
    lingerMs: 0,
    batchSize: 128 * 1024,
    bufferMemory: config.bufferMemory,
  })
  const deadLetters = new Producer({
    ...common,
    clientId: 'ingestion-dead-letters',
    bufferMemory: 4 * 1024 * 1024,
  })
  return { producer, deadLetters }
}
