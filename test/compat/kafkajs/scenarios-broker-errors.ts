// What brokers answer to Produce and to Metadata: what passes, what fails, and as what.
import { outcome } from './observe.js'
import { type Scenario, scenario } from './scenario.js'

const QUICK = { initialRetryTime: 30, retries: 5 }

/** Errors that end a send. */
const FINAL = [
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_RECORD',
  'INVALID_REQUIRED_ACKS',
  'INVALID_TIMESTAMP',
  'POLICY_VIOLATION',
  'SECURITY_DISABLED',
  'TOPIC_AUTHORIZATION_FAILED',
  'UNKNOWN_SERVER_ERROR',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
] as const

/** Errors that pass, if the send is tried again. */
const PASSING = [
  'CORRUPT_MESSAGE',
  'KAFKA_STORAGE_ERROR',
  'LEADER_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'NOT_ENOUGH_REPLICAS',
  'NOT_LEADER_OR_FOLLOWER',
  'REPLICA_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
  'UNKNOWN_TOPIC_OR_PARTITION',
] as const

/** Numbers that KafkaJS has no name for. */
const UNNAMED = [
  'INVALID_UPDATE_VERSION',
  'PRODUCER_FENCED',
  'TRANSACTION_ABORTABLE',
  'INVALID_RECORD_STATE',
] as const

const FAULTS = { needsFaults: true } as const

export const brokerErrorScenarios: readonly Scenario[] = [
  ...[...FINAL, ...UNNAMED.slice(0, 1), ...UNNAMED.slice(3)].map(error =>
    scenario(
      `Produce answers ${error}`,
      async ({ producer, broker, topic }) => {
        const { send } = await producer({ retry: QUICK })
        broker.fail({ api: 'Produce', error, topic })
        const failed = await outcome(() => send({ topic, messages: [{ value: '1' }] }))
        return [failed, await outcome(() => send({ topic, messages: [{ value: '2' }] }))]
      },
      FAULTS,
    ),
  ),
  ...PASSING.map(error =>
    scenario(
      `Produce answers ${error}, then takes it`,
      async ({ producer, broker, topic }) => {
        const { send } = await producer({ retry: QUICK })
        broker.fail({ api: 'Produce', error, topic })
        return outcome(() => send({ topic, messages: [{ value: '1' }] }))
      },
      FAULTS,
    ),
  ),
  ...[-1, 1].map(acks =>
    scenario(
      `an array of which one partition fails, acks ${acks}`,
      async ({ producer, broker, topic }) => {
        const { send } = await producer({ retry: QUICK })
        broker.fail({ api: 'Produce', error: 'INVALID_RECORD', topic, partition: 1 })
        const messages = [0, 1, 2].map(partition => ({ value: `${partition}`, partition }))
        return outcome(() => send({ topic, acks, messages }))
      },
      { ...FAULTS, partitions: 3 },
    ),
  ),
  ...(['TOPIC_AUTHORIZATION_FAILED', 'INVALID_TOPIC_EXCEPTION'] as const).map(error =>
    scenario(
      `Metadata answers ${error}`,
      async ({ producer, broker, topic }) => {
        const { send } = await producer({ retry: { retries: 1, initialRetryTime: 30 } })
        broker.fail({ api: 'Metadata', error, topic, times: 20 })
        return outcome(() => send({ topic, messages: [{ value: '1' }] }))
      },
      { ...FAULTS, ignoresStored: true },
    ),
  ),
  ...(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'] as const).map(error =>
    scenario(
      `Metadata answers ${error}, then tells`,
      async ({ producer, broker, topic }) => {
        const { send } = await producer({ retry: QUICK })
        broker.fail({ api: 'Metadata', error, topic, times: 1 })
        return outcome(() => send({ topic, messages: [{ value: '1' }] }))
      },
      FAULTS,
    ),
  ),
  scenario(
    'the cluster does not let clients be idempotent',
    async ({ producer, broker, topic }) => {
      broker.fail({ api: 'InitProducerId', error: 'CLUSTER_AUTHORIZATION_FAILED', times: Infinity })
      const { send, sendBatch } = await producer({ retry: QUICK })
      const messages = [{ value: '2' }, { value: '3' }]
      return [
        await outcome(() => send({ topic, messages: [{ value: '1' }] })),
        await outcome(() => sendBatch({ topicMessages: [{ topic, messages }] })),
      ]
    },
    FAULTS,
  ),
  scenario(
    'the message of a broker error',
    async ({ producer, broker, topic }) => {
      const { send } = await producer({ retry: QUICK })
      broker.fail({ api: 'Produce', error: 'INVALID_RECORD', topic })
      const error = await send({ topic, messages: [{ value: '1' }] }).catch((e: Error) => e)
      return (error as Error).message
    },
    {
      ...FAULTS,
      different:
        'Messages of broker errors name topic, partition and broker, and what to do; type and code are equal',
    },
  ),
  scenario(
    'the cause of a broker error',
    async ({ producer, broker, topic }) => {
      const { send } = await producer({ retry: QUICK })
      broker.fail({ api: 'Produce', error: 'INVALID_RECORD', topic })
      const error = await send({ topic, messages: [{ value: '1' }] }).catch((e: Error) => e)
      return (error as Error).cause instanceof Error
    },
    {
      ...FAULTS,
      different: "The end of the causes is millrace's own error; KafkaJS's protocol errors have no cause",
    },
  ),
  scenario(
    'which messages of a failed call were stored',
    async ({ producer, broker, topic }) => {
      const { send } = await producer({ retry: QUICK })
      broker.fail({ api: 'Produce', error: 'INVALID_RECORD', topic, partition: 1 })
      const messages = [0, 1, 2].map(partition => ({ value: `${partition}`, partition }))
      const error = (await send({ topic, messages }).catch((e: Error) => e)) as {
        results?: { partition: number }[]
      }
      return error.results?.map(({ partition }) => partition) ?? '(not told)'
    },
    {
      ...FAULTS,
      partitions: 3,
      different:
        "The error of a call has `results` of what was stored and `errors` by message: KafkaJS's says nothing",
    },
  ),
  ...[false, true].map(idempotent =>
    scenario(
      `the connection is lost after the records were stored${idempotent ? ', idempotent' : ''}`,
      async ({ producer, broker, topic }) => {
        const { send } = await producer({ idempotent, retry: QUICK, maxInFlightRequests: 1 })
        await send({ topic, messages: [{ value: 'before' }] })
        broker.fail({ api: 'Produce', error: 'NOT_LEADER_OR_FOLLOWER', topic, afterAppend: true })
        return outcome(() => send({ topic, messages: [{ value: 'once' }] }))
      },
      idempotent
        ? FAULTS
        : {
            ...FAULTS,
            different:
              'Idempotence is on unless acks or the cluster forbid it: what a retry repeats is stored once',
          },
    ),
  ),
]
