import { Producer, SendManyError } from 'millrace'

/** Made at the first invocation and kept for the next ones, with its connections. */
let producer

function getProducer() {
  producer ??= new Producer({
    bootstrapServers: process.env.KAFKA_BROKERS ?? 'localhost:9092',
    clientId: 'lambda',
    // Nothing comes later that would fill a batch.
    lingerMs: 0,
    bufferMemory: 8 * 1024 * 1024,
    // All of it below the function's own time-out (here 15 s): who gives up first must be the one who knows.
    maxBlockMs: 5000,
    requestTimeoutMs: 4000,
    deliveryTimeoutMs: 10_000,
  })
  return producer
}

/**
 * For messages of an SQS queue with `ReportBatchItemFailures`: what has no outcome is delivered again by the
 * queue, the others are not. It returns only when every record is settled. Afterwards Lambda may freeze the
 * process: nothing is on its way then that a stopped timer could lose.
 *
 * @param {{ Records: { messageId: string, body: string, attributes?: { MessageGroupId?: string } }[] }} event
 */
export async function handler(event) {
  const records = event.Records.map(({ messageId, body, attributes }) => ({
    topic: process.env.TOPIC ?? 'events',
    key: attributes?.MessageGroupId ?? null,
    value: body,
    // A queue may deliver a message twice; by this, consumers know it.
    headers: { id: messageId },
  }))
  try {
    await getProducer().sendMany(records)
    return { batchItemFailures: [] }
  } catch (error) {
    if (!(error instanceof SendManyError)) throw error
    const failed = Array.from(error.errors.keys(), index => event.Records[index].messageId)
    console.error(error.message)
    return { batchItemFailures: failed.map(itemIdentifier => ({ itemIdentifier })) }
  }
}

/** Ends the connections in good order; for tests, and for the end of the environment. */
export async function close() {
  await producer?.close({ timeoutMs: 300 })
}

// Only functions with an extension get this signal. Nothing has to be sent any more.
process.once('SIGTERM', () => close().finally(() => process.exit()))
