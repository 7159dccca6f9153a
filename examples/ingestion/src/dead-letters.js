/**
 * Whether the record itself, or its topic, is the reason: sending the same again would fail the same way.
 * Time-outs, full buffers, lost connections, a wrong password or a producer that closes are no reason to put
 * a record aside.
 */
export function isPoison(error) {
  const codes = [
    'RECORD_TOO_LARGE',
    'RECORD_INVALID',
    'SERIALIZATION_FAILED',
    'BROKER_ERROR',
    'AUTHORIZATION_FAILED',
  ]
  return codes.includes(error.code) && error.retriable === false
}

/**
 * The same key and value for the topic of dead letters, with the reason in headers that Kafka Connect uses.
 */
export function deadLetterOf(record, error, topic) {
  return {
    topic,
    key: record.key,
    value: record.value,
    headers: {
      ...record.headers,
      '__connect.errors.topic': record.topic,
      '__connect.errors.exception.class.name': error.name,
      '__connect.errors.exception.message': error.message,
    },
  }
}
