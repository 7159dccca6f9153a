// Options of calls, arrays and batches, order, and what is refused.
import { outcome } from './observe.js'
import { type Scenario, scenario, untyped } from './scenario.js'

const CODECS = { None: 0, GZIP: 1, Snappy: 2, LZ4: 3, ZSTD: 4 } as const
const ALL_ACKS = [-1, 1, 0] as const

const combinations = ALL_ACKS.flatMap(acks =>
  Object.entries(CODECS).flatMap(([codec, compression]) => [
    scenario(`send, acks ${acks}, ${codec}`, async ({ producer, topic }) => {
      const { send } = await producer()
      return outcome(() => send({ topic, acks, compression, messages: [{ key: 'k', value: 'one' }] }))
    }),
    scenario(
      `sendBatch, acks ${acks}, ${codec}`,
      async ({ producer, topic, otherTopic }) => {
        const { sendBatch } = await producer()
        const messages = ['user-1', 'user-2', 'user-3'].map(key => ({ key, value: key.repeat(50) }))
        const topicMessages = [
          { topic, messages },
          { topic: otherTopic, messages },
        ]
        return outcome(() => sendBatch({ acks, compression, topicMessages }))
      },
      { partitions: 2 },
    ),
  ]),
)

const calls: readonly Scenario[] = [
  scenario('an array keeps its order', async ({ producer, topic }) => {
    const { send } = await producer()
    const messages = Array.from({ length: 200 }, (_, i) => ({ value: `${i}` }))
    return outcome(() => send({ topic, messages }))
  }),
  scenario(
    'keys of an array go to their partitions',
    async ({ producer, topic }) => {
      const { send } = await producer()
      const messages = Array.from({ length: 60 }, (_, i) => ({ key: `user-${i % 20}`, value: `${i}` }))
      return outcome(() => send({ topic, messages }))
    },
    { partitions: 5 },
  ),
  scenario('sends one after the other', async ({ producer, topic }) => {
    const { send } = await producer()
    const results = []
    for (let i = 0; i < 5; i++)
      results.push(await outcome(() => send({ topic, messages: [{ value: `${i}` }] })))
    return results
  }),
  scenario('an array without messages', async ({ producer, topic }) => {
    const { send } = await producer()
    return outcome(() => send({ topic, messages: [] }))
  }),
  scenario('a batch without topics', async ({ producer }) => {
    const { sendBatch } = await producer()
    return [await outcome(() => sendBatch({ topicMessages: [] })), await outcome(() => sendBatch({}))]
  }),
  scenario('a batch of topics without messages', async ({ producer, topic, otherTopic }) => {
    const { sendBatch } = await producer()
    const topicMessages = [
      { topic, messages: [] },
      { topic: otherTopic, messages: [] },
    ]
    return outcome(() => sendBatch({ topicMessages }))
  }),
  scenario('a batch that names a topic twice', async ({ producer, topic, otherTopic }) => {
    const { sendBatch } = await producer()
    const topicMessages = [
      { topic, messages: [{ value: '1' }, { value: '2' }] },
      { topic: otherTopic, messages: [{ value: 'x' }] },
      { topic, messages: [{ value: '3' }] },
    ]
    return outcome(() => sendBatch({ topicMessages }))
  }),
  scenario('a message object that is sent twice is left as it was', async ({ producer, topic }) => {
    const { send } = await producer()
    const message = { key: 'k', value: 'v', headers: { a: ['1', Buffer.from('2')] } }
    const record = { topic, messages: [message, message] }
    const results = [await outcome(() => send(record)), await outcome(() => send(record))]
    return { results, record }
  }),
  scenario('a frozen record', async ({ producer, topic }) => {
    const { send } = await producer()
    const message = Object.freeze({ value: 'v', headers: Object.freeze({ a: 'b' }) })
    const messages = Object.freeze([message]) as unknown as { value: string }[]
    return outcome(() => send(Object.freeze({ topic, messages })))
  }),
  scenario('timeout of a call', async ({ producer, topic }) => {
    const { send } = await producer()
    const messages = [{ value: 'v' }]
    return [
      await outcome(() => send({ topic, messages, timeout: 5_000 })),
      await outcome(() => send({ topic, messages, timeout: 60_000 })),
    ]
  }),
  scenario('tombstones', async ({ producer, topic }) => {
    const { send } = await producer()
    const messages = [
      { key: 'a', value: 'x' },
      { key: 'a', value: null },
    ]
    return outcome(() => send({ topic, messages }))
  }),
  scenario(
    'a topic that stamps its records',
    async ({ producer, topic }) => {
      const { send } = await producer()
      const saw: unknown[] = []
      for (const messages of [[{ value: '1' }], [{ value: '2' }], [{ value: '3' }, { value: '4' }]]) {
        const [result] = await send({ topic, messages })
        const age = Date.now() - Number(result?.logAppendTime)
        saw.push({ ...result, logAppendTime: age > -60_000 && age < 60_000 ? 'now' : result?.logAppendTime })
      }
      return saw
    },
    { config: { 'message.timestamp.type': 'LogAppendTime' } },
  ),
  scenario(
    'a message beyond what the topic takes',
    async ({ producer, topic }) => {
      const { send } = await producer()
      return [
        await outcome(() => send({ topic, messages: [{ value: 'x'.repeat(3_000) }] })),
        await outcome(() => send({ topic, messages: [{ value: 'small' }] })),
      ]
    },
    { config: { 'max.message.bytes': '2000' } },
  ),
  scenario(
    'a message of 3 MiB, where the topic takes it',
    async ({ producer, topic }) => {
      const { send } = await producer()
      return outcome(() => send({ topic, messages: [{ value: Buffer.alloc(3 * 1024 * 1024, 'x') }] }))
    },
    { config: { 'max.message.bytes': '10000000' } },
  ),
  scenario(
    'an array beyond what one batch may have',
    async ({ producer, topic }) => {
      const { send } = await producer()
      const messages = Array.from({ length: 50 }, (_, i) => ({ value: `${i}`.padEnd(100) }))
      return outcome(() => send({ topic, messages }))
    },
    {
      config: { 'max.message.bytes': '2000' },
      different: 'An array need not fit into one batch: KafkaJS makes one of it, which the broker refuses',
    },
  ),
]

/** Calls that are refused at once, each as `send` and as `sendBatch`. */
const refusals: Record<string, { record?: object; batch?: object; producer?: object }> = {
  'no topic': { record: { messages: [{ value: 'v' }] } },
  'an empty topic': { record: { topic: '', messages: [{ value: 'v' }] } },
  'a null topic': { record: { topic: null, messages: [{ value: 'v' }] } },
  'no messages': { record: { topic: 'TOPIC' } },
  'messages null': { record: { topic: 'TOPIC', messages: null } },
  'messages false': { record: { topic: 'TOPIC', messages: false } },
  'a message without a value': { record: { topic: 'TOPIC', messages: [{ key: 'k' }] } },
  'one of several without a value': { record: { topic: 'TOPIC', messages: [{ value: '1' }, { key: 'k' }] } },
  'acks 2': { record: { topic: 'TOPIC', acks: 2, messages: [{ value: 'v' }] } },
  'acks 0 of an idempotent producer': {
    producer: { idempotent: true },
    record: { topic: 'TOPIC', acks: 0, messages: [{ value: 'v' }] },
  },
  'acks 1 of an idempotent producer': {
    producer: { idempotent: true },
    record: { topic: 'TOPIC', acks: 1, messages: [{ value: 'v' }] },
  },
  'no topic and acks 1 of an idempotent producer': {
    producer: { idempotent: true },
    record: { acks: 1, messages: [{ value: 'v' }] },
  },
}

const refused = Object.entries(refusals).flatMap(([what, { record = {}, producer: config }]) => {
  const given = (topic: string) => {
    const copy: Record<string, unknown> = { ...record }
    if (copy.topic === 'TOPIC') copy.topic = topic
    return copy
  }
  return [
    scenario(`send refuses ${what}`, async ({ producer, topic }) => {
      const { send } = await producer(config)
      return outcome(() => send(untyped(given(topic))))
    }),
    scenario(`sendBatch refuses ${what}`, async ({ producer, topic }) => {
      const { sendBatch } = await producer(config)
      const { acks, ...topicMessages } = given(topic)
      return outcome(() => sendBatch(untyped({ acks, topicMessages: [topicMessages] })))
    }),
  ]
})

const moreRefused: readonly Scenario[] = [
  scenario('send of nothing', async ({ producer }) => {
    const { send } = await producer()
    const result = (await outcome(() => send(untyped(undefined)))) as { rejected: { name: string } }
    return result.rejected.name
  }),
  scenario('a compression that does not exist', async ({ producer, topic }) => {
    const { send } = await producer()
    const messages = [{ value: 'v' }]
    const result = await outcome(() => send({ topic, messages, compression: untyped(9) }))
    return (result as { rejected: { classes: string[] } }).rejected.classes
  }),
  scenario('one bad message of an array: nothing is sent', async ({ producer, topic }) => {
    const { send } = await producer()
    const messages = [{ value: '1' }, { value: untyped(2) }, { value: '3' }]
    return [
      await outcome(() => send({ topic, messages })),
      await outcome(() => send({ topic, messages: [{ value: 'v' }] })),
    ]
  }),
  scenario('a topic with a name that is not allowed', async ({ producer, topic }) => {
    const { send } = await producer({ retry: { retries: 1, initialRetryTime: 50 } })
    const bad = await outcome(() => send({ topic: 'no spaces, please', messages: [{ value: 'v' }] }))
    return [bad, await outcome(() => send({ topic, messages: [{ value: 'after' }] }))]
  }),
  scenario('a topic that may not be created', async ({ producer, unique }) => {
    const { send } = await producer({
      allowAutoTopicCreation: false,
      retry: { retries: 2, initialRetryTime: 50 },
    })
    return outcome(() => send({ topic: `${unique}-none`, messages: [{ value: 'v' }] }))
  }),
  scenario('a topic that is created by the first send', async ({ producer, unique }) => {
    const { send } = await producer()
    return outcome(() => send({ topic: `${unique}-fresh`, messages: [{ key: 'k', value: 'v' }] }))
  }),
]

export const callScenarios: readonly Scenario[] = [...combinations, ...calls, ...refused, ...moreRefused]
