// What needs no cluster: names, numbers, error classes, partitioners, codecs.
import { classesOf, describeError, outcome, plain } from './observe.js'
import { type Library, type Scenario, scenario, untyped } from './scenario.js'

const protocolFields = {
  message: 'of the broker',
  type: 'ITS_TYPE',
  code: 12,
  retriable: true,
  helpUrl: 'https://x',
}

/** Arguments that every class takes something of. */
const ERROR_ARGUMENTS: Readonly<Record<string, readonly unknown[]>> = {
  KafkaJSOffsetOutOfRange: [protocolFields, { topic: 't', partition: 1 }],
  KafkaJSMemberIdRequired: [protocolFields, { memberId: 'm' }],
  KafkaJSNumberOfRetriesExceeded: [new Error('inner'), { retryCount: 3, retryTime: 100 }],
  KafkaJSDeleteTopicRecordsError: [
    { topic: 't', partitions: [{ partition: 1, error: { retriable: true } }] },
  ],
  KafkaJSAggregateError: ['many', [new Error('one')]],
  KafkaJSCreateTopicError: [protocolFields, 't'],
  KafkaJSAlterPartitionReassignmentsError: [protocolFields, 't', 3],
  KafkaJSDeleteGroupsError: ['groups', [{ groupId: 'g' }]],
  KafkaJSConnectionError: ['lost', { broker: 'b:1', code: 'ECONNREFUSED' }],
  KafkaJSConnectionClosedError: ['closed', { host: 'h', port: 1 }],
  KafkaJSRequestTimeoutError: [
    'late',
    { broker: 'b:1', correlationId: 1, createdAt: 2, sentAt: 3, pendingDuration: 4 },
  ],
  KafkaJSTopicMetadataNotLoaded: ['none', { topic: 't' }],
  KafkaJSStaleTopicMetadataAssignment: ['stale', { topic: 't', unknownPartitions: [1] }],
  KafkaJSServerDoesNotSupportApiKey: ['old', { apiKey: 1, apiName: 'Fetch' }],
  KafkaJSInvariantViolation: ['what cannot be'],
}

const ERROR_NAMES = [
  'KafkaJSAggregateError',
  'KafkaJSAlterPartitionReassignmentsError',
  'KafkaJSBrokerNotFound',
  'KafkaJSConnectionClosedError',
  'KafkaJSConnectionError',
  'KafkaJSCreateTopicError',
  'KafkaJSDeleteGroupsError',
  'KafkaJSDeleteTopicRecordsError',
  'KafkaJSError',
  'KafkaJSFetcherRebalanceError',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSInvalidLongError',
  'KafkaJSInvalidVarIntError',
  'KafkaJSInvariantViolation',
  'KafkaJSLockTimeout',
  'KafkaJSMemberIdRequired',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSNonRetriableError',
  'KafkaJSNotImplemented',
  'KafkaJSNumberOfRetriesExceeded',
  'KafkaJSOffsetOutOfRange',
  'KafkaJSPartialMessageError',
  'KafkaJSProtocolError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSSASLAuthenticationError',
  'KafkaJSServerDoesNotSupportApiKey',
  'KafkaJSStaleTopicMetadataAssignment',
  'KafkaJSTimeout',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSUnsupportedMagicByteInMessageSet',
] as const

const OBJECTS = [
  'AclOperationTypes',
  'AclPermissionTypes',
  'AclResourceTypes',
  'CompressionTypes',
  'ConfigResourceTypes',
  'ConfigSource',
  'ResourcePatternTypes',
  'logLevel',
] as const

const newError = (library: Library, name: (typeof ERROR_NAMES)[number], given: readonly unknown[]) =>
  new (library[name] as unknown as new (...given: readonly unknown[]) => Error)(...given)

function allOf(error: Error): unknown {
  const own = Object.fromEntries(Object.entries(error))
  const hidden = Object.getOwnPropertyNames(error).filter(
    name => !Object.keys(error).includes(name) && name !== 'stack',
  )
  return {
    own: plain(own),
    hidden: hidden.sort(),
    message: error.message,
    classes: classesOf(error),
    text: String(error),
  }
}

const PARTITIONS = Array.from({ length: 12 }, (_, partitionId) => ({
  partitionErrorCode: 0,
  partitionId,
  leader: partitionId === 5 ? -1 : 1,
  replicas: [1],
  isr: [1],
}))
const KEYS: Record<string, readonly unknown[]> = {
  'short texts': ['', 'a', 'ab', 'abc', 'abcd', 'abcde', '21', 'foobar', 'key'],
  'many texts': Array.from({ length: 5_000 }, (_, i) => `user-${i}`),
  'text beyond ASCII': ['ключ', '😀', 'Grüße', '\ud800'],
  Buffers: Array.from({ length: 300 }, (_, i) =>
    Buffer.from(Array.from({ length: i % 23 }, (_, j) => i * 31 + j * 7)),
  ),
  'numbers and others': [0, 1, -1, 1.5, true, false, {}, [1, 2], Number.NaN],
}

const partitionOf = (library: Library, name: 'DefaultPartitioner' | 'LegacyPartitioner', message: object) =>
  library.Partitioners[name]()({ topic: 't', partitionMetadata: PARTITIONS, message: untyped(message) })

export const pureScenarios: readonly Scenario[] = [
  scenario('all names', async ({ library }) =>
    Object.entries(library)
      .filter(([name]) => name !== 'default')
      .map(([name, value]) => [name, typeof value])
      .sort(),
  ),
  ...OBJECTS.map(name => scenario(`the numbers of ${name}`, async ({ library }) => library[name])),
  scenario('names of codecs, partitioners and assigners', async ({ library }) => [
    Object.keys(library.CompressionCodecs),
    Object.keys(library.Partitioners),
    library.Partitioners.JavaCompatiblePartitioner === library.Partitioners.DefaultPartitioner,
    Object.keys(library.PartitionAssigners),
    Object.keys(library.AssignerProtocol),
  ]),
  scenario('methods of the client', async ({ library }) =>
    Object.getOwnPropertyNames(library.Kafka.prototype).filter(name => !name.startsWith('_')),
  ),
  scenario('a producer has these properties, in this order', async ({ kafka }) =>
    Object.keys(kafka().producer()),
  ),
  scenario('a client without a configuration', async ({ library }) => {
    const result = (await outcome(() => new (untyped(library.Kafka))())) as { rejected: { name: string } }
    return result.rejected.name
  }),
  ...ERROR_NAMES.map(name =>
    scenario(`the class ${name}`, async ({ library }) => {
      const given = ERROR_ARGUMENTS[name] ?? ['something', { cause: new Error('beneath') }]
      return allOf(newError(library, name, given))
    }),
  ),
  ...(['KafkaJSError', 'KafkaJSNonRetriableError', 'KafkaJSProtocolError'] as const).map(name =>
    scenario(`the class ${name} around an error`, async ({ library }) => {
      const inner = Object.assign(new Error('inner'), {
        helpUrl: 'https://help',
        type: 'T',
        code: 7,
        retriable: false,
      })
      return [allOf(newError(library, name, [inner])), describeError(newError(library, name, [inner]))]
    }),
  ),
  scenario('errors are told apart by their classes', async ({ library }) =>
    ERROR_NAMES.map(name => {
      const error = newError(library, name, ERROR_ARGUMENTS[name] ?? ['something'])
      return ERROR_NAMES.filter(other => error instanceof library[other])
    }),
  ),
  ...(['DefaultPartitioner', 'LegacyPartitioner'] as const).flatMap(name => [
    ...Object.entries(KEYS).map(([what, keys]) =>
      scenario(`${name} of ${what}`, async ({ library }) =>
        keys.map(key => partitionOf(library, name, { key })),
      ),
    ),
    scenario(`${name}: an explicit partition counts first`, async ({ library }) =>
      [0, 3, 99, -1].map(partition => partitionOf(library, name, { key: 'k', partition })),
    ),
    scenario(`${name}: each partition with a leader in turn`, async ({ library }) => {
      const choose = library.Partitioners[name]()
      const message = { value: 'v' }
      const chosen = Array.from({ length: 22 }, () =>
        choose({ topic: 't', partitionMetadata: PARTITIONS, message: untyped(message) }),
      )
      const start = chosen[0] as number
      const led = PARTITIONS.filter(({ leader }) => leader >= 0).map(({ partitionId }) => partitionId)
      const at = led.indexOf(start)
      return chosen.every((each, i) => each === led[(at + i) % led.length])
    }),
    scenario(`${name}: no leader at all`, async ({ library }) => {
      const partitionMetadata = PARTITIONS.map(each => ({ ...each, leader: -1 }))
      const message = untyped({ value: 'v' })
      const partition = library.Partitioners[name]()({ topic: 't', partitionMetadata, message })
      return partition >= 0 && partition < 12
    }),
  ]),
  scenario(
    'a custom partitioner: how it is called',
    async ({ producer, topic }) => {
      const seen: unknown[] = []
      let made = 0
      const { send } = await producer({
        createPartitioner: () => {
          made++
          return ({ topic: name, partitionMetadata, message }) => {
            const [first] = [...partitionMetadata].sort((left, right) => left.partitionId - right.partitionId)
            seen.push({
              name,
              count: partitionMetadata.length,
              keys: Object.keys(first ?? {}).sort(),
              error: first?.partitionErrorCode,
              leader: typeof first?.leader,
              isUsers: message === messages[seen.length],
            })
            return 1
          }
        },
      })
      const messages = [{ key: 'a', value: '1', partition: 0 }, { value: '2' }]
      return { result: await outcome(() => send({ topic, messages })), made, seen: seen.slice(0, 2) }
    },
    { partitions: 3 },
  ),
  scenario(
    'a custom partitioner that throws',
    async ({ producer, topic }) => {
      const { send } = await producer({
        createPartitioner: () => () => {
          throw new Error('of the partitioner')
        },
      })
      return outcome(() => send({ topic, messages: [{ value: 'v' }] }))
    },
    { partitions: 2 },
  ),
  scenario(
    'a custom partitioner that answers text',
    async ({ producer, topic }) => {
      const { send } = await producer({ createPartitioner: () => () => untyped('1') })
      return outcome(() => send({ topic, messages: [{ value: 'v' }, { value: 'w' }] }))
    },
    { partitions: 2 },
  ),
  scenario(
    'a custom partitioner and many sends at once',
    async ({ producer, topic }) => {
      const { send } = await producer({
        createPartitioner:
          () =>
          ({ message }) =>
            Number(message.value) % 3,
      })
      const sends = Array.from({ length: 30 }, (_, i) => send({ topic, messages: [{ value: `${i}` }] }))
      return (await Promise.all(sends)).map(([result]) => result?.partition)
    },
    { partitions: 3, ignoresStored: true },
  ),
  scenario('codecs may be assigned and read', async ({ library }) => {
    const { CompressionCodecs, CompressionTypes } = library
    const before = CompressionCodecs[CompressionTypes.Snappy]
    const mine = () => ({ compress: async () => Buffer.alloc(0), decompress: async () => Buffer.alloc(0) })
    CompressionCodecs[CompressionTypes.Snappy] = mine
    const isMine = CompressionCodecs[CompressionTypes.Snappy] === mine
    CompressionCodecs[CompressionTypes.Snappy] = before
    return isMine
  }),
  scenario('the codec of gzip', async ({ library }) => {
    const codec = library.CompressionCodecs[library.CompressionTypes.GZIP]()
    const bytes = Buffer.from('x'.repeat(1_000))
    const compressed = await codec.compress({ buffer: bytes })
    return [
      compressed.length < 100,
      Buffer.isBuffer(compressed),
      (await codec.decompress(compressed)).equals(bytes),
    ]
  }),
]
