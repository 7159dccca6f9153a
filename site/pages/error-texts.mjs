// What each value of `error.code` means. Keys are compared with the union `ErrorCode` when pages are made.

/** `happened`, `record` (what it means for the record or the call) and `advice`. */
export const errorTexts = {
  CONFIG_INVALID: {
    classes: 'ConfigError',
    happened: 'An option is unknown, out of range, or in conflict with another one. `key` names the option.',
    record: 'Nothing was sent: the constructor, or the call that took the option, has thrown.',
    advice:
      'Correct the option. The message says which values are allowed. The [options reference](options.md) lists all options.',
  },
  FEATURE_NOT_AVAILABLE: {
    classes: 'ConfigError',
    happened:
      'An option asks for something that this version does not have, or that has no meaning outside of the JVM. An optional package that is not installed also gives this code.',
    record: 'Nothing was sent.',
    advice:
      'Remove the option, or use what the message names instead. If it names a package, install that package.',
  },
  RECORD_INVALID: {
    classes: 'InvalidRecordError',
    happened:
      'The record cannot be sent as it is: its partition, timestamp, key, value or headers are wrong. A record without a `value` is the most frequent case.',
    record: 'This record was not sent. Other records of the same call are not affected.',
    advice: 'Correct the record; sending it again unchanged fails again. For a tombstone give `value: null`.',
  },
  TOPIC_INVALID: {
    classes: 'InvalidRecordError',
    happened: 'The name of the topic is not allowed, by this client or by the broker.',
    record: 'This record was not sent.',
    advice: 'Use 1 to 249 of the characters `a–z`, `A–Z`, `0–9`, `.`, `_` and `-`.',
  },
  SERIALIZATION_FAILED: {
    classes: 'SerializationError',
    happened:
      'A serializer threw, or gave something that is no bytes. Without a serializer a key or value was neither text, `Uint8Array` nor null.',
    record: 'This record was not sent. Other records of the same call are not affected.',
    advice:
      'Look at `cause`, which is what the serializer threw. Set a [serializer](../keys-values-headers.md#serializers) if keys or values are objects or numbers.',
  },
  RECORD_TOO_LARGE: {
    classes: 'RecordTooLargeError',
    happened:
      'The record is larger than `max.request.size`, than `buffer.memory`, or than the topic takes (`max.message.bytes`).',
    record:
      'This record was not stored. Records that are too large only together are divided and sent, so they do not fail.',
    advice: 'Send less in one record. Or raise `max.request.size` here and `max.message.bytes` of the topic.',
  },
  BUFFER_EXHAUSTED: {
    classes: 'BufferExhaustedError',
    happened:
      'There was no room in `buffer.memory` for as long as `max.block.ms`, or the copies of waiting records have reached `maxBlockBytes`.',
    record: 'This record was not sent.',
    advice:
      'Send more slowly: wait for `ready()` when `send` answers false. See [backpressure](../backpressure.md). If brokers are slow or gone, that is the cause to look for.',
  },
  TIMED_OUT: {
    classes: 'TimeoutError',
    happened:
      'Something did not happen in time: metadata of the topic in `max.block.ms`, delivery in `delivery.timeout.ms`, or a call of a transaction in `max.block.ms`. `cause` says what kept it.',
    record:
      'If the record was on its way, it may be stored or not. If the message speaks of metadata, it was not sent.',
    advice:
      'Look at `cause` and at the brokers. A record may be sent again, which may store it twice. A call of a transaction is to be made again: it waits for the same outcome.',
  },
  AUTHENTICATION_FAILED: {
    classes: 'AuthenticationError',
    happened: 'The broker refused the credentials, or this client refused the certificate of the broker.',
    record: 'Records that waited for the connection failed and were not sent. The producer stays usable.',
    advice:
      'Check user, password, token, key store and trust store. `cause` has the reason that TLS gives. See [security recipes](../security-recipes.md).',
  },
  AUTHORIZATION_FAILED: {
    classes: 'AuthorizationError',
    happened:
      'The user may not do this with the topic, the group, the cluster or the transactional id. `errorName` says which.',
    record: 'The record was not stored.',
    advice: 'Grant the right: WRITE and DESCRIBE on the topic or the transactional id, READ on the group.',
  },
  PRODUCER_CLOSED: {
    classes: 'ProducerClosedError',
    happened:
      'The producer was closed before the call, or while the record waited and the time-out of `close` ended.',
    record: 'A record that was sent after `close` was not stored. One that was on its way may be stored.',
    advice: 'Close the producer after the last `send`. Give `close` more time if it was cut short.',
  },
  ILLEGAL_STATE: {
    classes: 'IllegalStateError',
    happened:
      'The call is not allowed now. Examples: a send outside of a transaction, a second `beginTransaction`, or a commit while another call has not ended.',
    record: 'Nothing was done.',
    advice:
      'Make the calls in the order that [transactions](../transactions.md) shows, and await each of them.',
  },
  NETWORK: {
    classes: 'NetworkError',
    happened: 'A connection could not be made, or ended before the answer.',
    record:
      'The producer tries again by itself until `delivery.timeout.ms`. This code is mostly the `cause` of a `TIMED_OUT`.',
    advice:
      'Check names, ports and firewalls, and whether the address that brokers advertise can be reached from here. See [troubleshooting](../troubleshooting.md).',
  },
  PROTOCOL: {
    classes: 'ProtocolError',
    happened:
      'The peer sent bytes that are not the Kafka protocol. Often the port is that of a web server, or of a listener with TLS.',
    record: 'The producer tries again by itself until `delivery.timeout.ms`.',
    advice: 'Check the port and `security.protocol`. If the peer is a Kafka broker, please report it.',
  },
  UNSUPPORTED_VERSION: {
    classes: 'UnsupportedVersionError',
    happened:
      'The broker is too old for what was asked for, such as zstd before Kafka 2.1 or transactions before 0.11.',
    record: 'The record was not stored.',
    advice:
      'Upgrade the broker, or switch off what needs the newer version. See [protocol and brokers](protocol.md).',
  },
  BROKER_ERROR: {
    classes: 'BrokerError',
    happened:
      'A broker answered with an error of the protocol. `errorName` and `errorCode` are its name and number.',
    record: 'It depends on the error: look it up by `errorName` [below](#errors-of-brokers).',
    advice: 'As the entry of the error says.',
  },
  SEND_MANY_FAILED: {
    classes: 'SendManyError',
    happened:
      'At least one record of a `sendMany` failed. `errors` has their errors by the index of the record.',
    record: 'Records that are not in `errors` are stored: `report.at(index)` says where.',
    advice:
      'Send those again of which the error is `retriable`. Set the others aside. See [partial failure](../sending.md#when-some-of-many-records-fail).',
  },
  ABORTED: {
    classes: 'KafkaError',
    happened: 'The `signal` of a `sendMany` was aborted while this record waited for metadata or memory.',
    record: 'This record was not sent. Records that were already in a batch go on.',
    advice: 'Nothing, if the abort was meant.',
  },
  TRANSACTION_FAILED: {
    classes: 'TransactionError',
    happened: 'The transaction cannot be completed, or the record belonged to one that was aborted.',
    record: 'Consumers with `read_committed` see no record of the transaction.',
    advice:
      'If `abortable`, abort and do the transaction again. If `fatal`, close the producer and make a new one.',
  },
  PRODUCER_FENCED: {
    classes: 'ProducerFencedError',
    happened:
      'A newer producer with the same `transactional.id` has started, or the transaction took longer than `transaction.timeout.ms`.',
    record: 'What was not committed is aborted.',
    advice:
      'Close this producer. Use one `transactional.id` for each running instance. See [transactions](../transactions.md#why-a-producer-is-fenced).',
  },
  NATIVE_ADDON: {
    classes: 'NativeAddonError',
    happened:
      'No native addon fits this platform, or its file cannot be loaded. The message lists where it was looked for.',
    record: 'Nothing was sent: the constructor has thrown.',
    advice:
      'Install the package anew on this platform, or compile an addon with `npx millrace build-addon`. See [deployment](../deployment.md).',
  },
  PERMISSION_DENIED: {
    classes: 'PermissionError',
    happened:
      'The runtime does not let the program load native code or connect to a broker. Deno does so, and Node with `--permission`.',
    record: 'Nothing was sent, or records that waited for that broker failed. Trying again does not help.',
    advice:
      'Run the program with the flags that the message names. See [Deno permissions](../deployment.md#deno-permissions).',
  },
  SCHEMA_REGISTRY: {
    classes: 'SchemaRegistryError',
    happened:
      'A schema registry refused a request, could not be reached, or sent no valid answer. `errorName` says which.',
    record: 'As the `cause` of a `SERIALIZATION_FAILED`: the record was not sent.',
    advice:
      'Look up `errorName` in the [guide](../schema-registry.md#when-it-fails). `retriable` says whether a later send may succeed.',
  },
  INTERNAL: {
    classes: 'InternalError',
    happened: 'A check of this library on itself has failed. It stops rather than lose or misplace records.',
    record: 'Records without an outcome fail; some of them may be stored. The producer is unusable.',
    advice: 'Make a new producer, and please report the message and the stack.',
  },
}
