// Transactions.
import { outcome } from './observe.js'
import { type Context, type Scenario, scenario, untyped } from './scenario.js'

const transactional = (context: Context) =>
  context.producer({ transactionalId: context.unique, idempotent: true, maxInFlightRequests: 1 })

const MESSAGES = [{ key: 'k', value: 'v' }]

export const transactionScenarios: readonly Scenario[] = [
  scenario('without a transactionalId', async ({ producer }) => {
    const { transaction } = await producer({ idempotent: true })
    return outcome(transaction)
  }),
  scenario('the transaction object', async context => {
    const { transaction } = await transactional(context)
    const opened = await transaction()
    const keys = Object.keys(opened)
    await opened.abort()
    return keys
  }),
  scenario('send and commit', async context => {
    const { transaction } = await transactional(context)
    const { send, commit, isActive } = await transaction()
    const before = isActive()
    const sent = await outcome(() => send({ topic: context.topic, messages: MESSAGES }))
    const committed = await outcome(commit)
    return { before, sent, committed, after: isActive() }
  }),
  scenario('sendBatch and commit', async context => {
    const { transaction } = await transactional(context)
    const { sendBatch, commit } = await transaction()
    const topicMessages = [
      { topic: context.topic, messages: MESSAGES },
      { topic: context.otherTopic, messages: [...MESSAGES, ...MESSAGES] },
    ]
    return [await outcome(() => sendBatch({ topicMessages })), await outcome(commit)]
  }),
  scenario('send and abort', async context => {
    const { transaction } = await transactional(context)
    const { send, abort, isActive } = await transaction()
    const sent = await outcome(() => send({ topic: context.topic, messages: MESSAGES }))
    return { sent, aborted: await outcome(abort), after: isActive() }
  }),
  scenario('one after the other', async context => {
    const { transaction } = await transactional(context)
    const results = []
    for (let i = 0; i < 4; i++) {
      const { send, commit, abort } = await transaction()
      results.push(await outcome(() => send({ topic: context.topic, messages: [{ value: `${i}` }] })))
      results.push(await outcome(i % 2 === 0 ? commit : abort))
    }
    return results
  }),
  scenario('commit and abort of nothing', async context => {
    const { transaction } = await transactional(context)
    const first = await transaction()
    const committed = await outcome(first.commit)
    const second = await transaction()
    return [committed, await outcome(second.abort)]
  }),
  scenario('a second one while one is open', async context => {
    const { transaction } = await transactional(context)
    const first = await transaction()
    const second = await outcome(transaction)
    const sent = await outcome(() => first.send({ topic: context.topic, messages: MESSAGES }))
    return [second, sent, await outcome(first.commit)]
  }),
  ...(['send', 'sendBatch', 'sendOffsets', 'commit', 'abort'] as const).map(method =>
    scenario(`${method} after the end`, async context => {
      const { transaction } = await transactional(context)
      const ended = await transaction()
      await ended.send({ topic: context.topic, messages: MESSAGES })
      await ended.commit()
      return outcome(() => untyped(ended)[method]({ topic: context.topic, messages: MESSAGES }))
    }),
  ),
  scenario('use of one that has ended while another is open', async context => {
    const { transaction } = await transactional(context)
    const ended = await transaction()
    await ended.commit()
    const open = await transaction()
    const results = [
      ended.isActive(),
      open.isActive(),
      await outcome(() => ended.send({ topic: context.topic, messages: MESSAGES })),
      await outcome(ended.abort),
    ]
    await open.abort()
    return results
  }),
  scenario('sends beside an open transaction are not part of it', async context => {
    const { transaction, send } = await transactional(context)
    const opened = await transaction()
    await opened.send({ topic: context.topic, messages: [{ value: 'inside' }] })
    const beside = await outcome(() => send({ topic: context.otherTopic, messages: [{ value: 'beside' }] }))
    return [beside, await outcome(opened.abort)]
  }),
  scenario('acks 1 in a transaction', async context => {
    const { transaction } = await transactional(context)
    const { send, abort } = await transaction()
    const sent = await outcome(() => send({ topic: context.topic, acks: 1, messages: MESSAGES }))
    return [sent, await outcome(abort)]
  }),
  ...[1, 2, 3, 4].map(compression =>
    scenario(`codec ${compression} in transactions`, async context => {
      const { transaction } = await transactional(context)
      const results = []
      for (let i = 0; i < 2; i++) {
        const { send, commit } = await transaction()
        const messages = [{ value: 'x'.repeat(500) }]
        results.push(
          await outcome(() => send({ topic: context.topic, messages, compression: untyped(compression) })),
        )
        results.push(await outcome(commit))
      }
      return results
    }),
  ),
  scenario('a bad message leaves the transaction open', async context => {
    const { transaction } = await transactional(context)
    const { send, commit, isActive } = await transaction()
    const bad = await outcome(() => send({ topic: context.topic, messages: [untyped({ key: 'k' })] }))
    const good = await outcome(() => send({ topic: context.topic, messages: MESSAGES }))
    return [bad, isActive(), good, await outcome(commit)]
  }),
  scenario('offsets', async context => {
    const { transaction } = await transactional(context)
    const { send, sendOffsets, commit } = await transaction()
    await send({ topic: context.topic, messages: MESSAGES })
    const topics = [{ topic: context.topic, partitions: [{ partition: 0, offset: '1' }] }]
    const sent = await outcome(() => sendOffsets({ consumerGroupId: `group-${context.unique}`, topics }))
    return [sent, await outcome(commit), await context.committed(`group-${context.unique}`)]
  }),
  scenario('offsets alone', async context => {
    const { transaction } = await transactional(context)
    const { sendOffsets, commit } = await transaction()
    const topics = [{ topic: context.topic, partitions: [{ partition: 0, offset: '7' }] }]
    const sent = await outcome(() => sendOffsets({ consumerGroupId: `group-${context.unique}`, topics }))
    return [sent, await outcome(commit), await context.committed(`group-${context.unique}`)]
  }),
  scenario('offsets of an aborted transaction', async context => {
    const { transaction } = await transactional(context)
    const { sendOffsets, abort } = await transaction()
    const topics = [{ topic: context.topic, partitions: [{ partition: 0, offset: '7' }] }]
    const sent = await outcome(() => sendOffsets({ consumerGroupId: `group-${context.unique}`, topics }))
    return [sent, await outcome(abort), await context.committed(`group-${context.unique}`)]
  }),
  scenario('offsets without a group, and without topics', async context => {
    const { transaction } = await transactional(context)
    const { sendOffsets, abort } = await transaction()
    const topics = [{ topic: context.topic, partitions: [{ partition: 0, offset: '7' }] }]
    const results = [
      await outcome(() => sendOffsets(untyped({ topics }))),
      await outcome(() => sendOffsets(untyped({ consumerGroupId: 'g' }))),
    ]
    await abort()
    return results.map(result => (result as { rejected: { name: string; message: string } }).rejected.message)
  }),
  scenario('a second producer with the same id takes over', async context => {
    const first = await transactional(context)
    const opened = await first.transaction()
    await opened.send({ topic: context.topic, messages: [{ value: 'of the first' }] })
    const second = await transactional(context)
    const newer = await second.transaction()
    const result = await outcome(() =>
      newer.send({ topic: context.topic, messages: [{ value: 'of the second' }] }),
    )
    const ended = await outcome(newer.commit)
    const fenced = (await outcome(() =>
      opened.send({ topic: context.topic, messages: [{ value: 'too late' }] }),
    )) as { rejected?: { name: string } }
    return { result, ended, fenced: fenced.rejected !== undefined }
  }),
  scenario(
    'a fenced transaction: which error',
    async context => {
      const first = await transactional(context)
      const opened = await first.transaction()
      await opened.send({ topic: context.topic, messages: [{ value: 'of the first' }] })
      const second = await transactional(context)
      await (await second.transaction()).abort()
      return outcome(() => opened.send({ topic: context.topic, messages: [{ value: 'too late' }] }))
    },
    { ignoresStored: true },
  ),
  scenario(
    'abort after a commit that failed',
    async context => {
      const { transaction } = await transactional(context)
      const { send, commit, abort } = await transaction()
      await send({ topic: context.topic, messages: MESSAGES })
      context.broker.fail({ api: 'Produce', error: 'INVALID_RECORD', topic: context.topic })
      await outcome(() => send({ topic: context.topic, messages: MESSAGES }))
      const committed = (await outcome(commit)) as { rejected?: object }
      const aborted = (await outcome(abort)) as { rejected?: object }
      return { commits: committed.rejected === undefined, aborts: aborted.rejected === undefined }
    },
    {
      needsFaults: true,
      ignoresStored: true,
      different:
        'A transaction with a failed send does not commit, and can be aborted: KafkaJS commits the rest',
    },
  ),
  scenario(
    'abort after a send that failed',
    async context => {
      const { transaction } = await transactional(context)
      const { send, abort } = await transaction()
      await send({ topic: context.topic, messages: MESSAGES })
      context.broker.fail({ api: 'Produce', error: 'INVALID_RECORD', topic: context.topic })
      const failed = await outcome(() => send({ topic: context.topic, messages: MESSAGES }))
      const aborted = await outcome(abort)
      const next = await transaction()
      const sent = (await outcome(() => next.send({ topic: context.topic, messages: MESSAGES }))) as object
      return [failed, aborted, Object.keys(sent), await outcome(next.commit)]
    },
    { needsFaults: true, ignoresStored: true },
  ),
]
