import { Producer, type ProducerOptions } from '../../dist/index.js'
import type { AnyApi } from '../../dist/protocol/apis.js'
import { apis } from '../../dist/protocol/apis.js'
import { type ApiName, startBroker, type TestBroker } from '../../dist/testing/index.js'

/** One reply as it went over the wire, its length first. */
export interface CapturedReply {
  readonly api: AnyApi
  readonly version: number
  readonly frame: Buffer
}

/** What no producer asks for. */
const NOT_OF_PRODUCERS = new Set(['Fetch', 'ListOffsets', 'CreateTopics'])
/** The oldest that this client speaks. */
const OLDEST: Partial<Record<string, number>> = { Metadata: 4, SaslHandshake: 1 }
const STEPS = 11
const QUICK: Partial<ProducerOptions> = {
  lingerMs: 0,
  maxBlockMs: 1_500,
  requestTimeoutMs: 1_000,
  deliveryTimeoutMs: 1_500,
  retryBackoffMs: 1,
  reconnectBackoffMs: 1,
  logger: { debug() {}, info() {}, warn() {}, error() {} },
}

/** The version ranges of a broker in its `step`-th youth: the oldest versions at 0, all at the last. */
function rangesAt(step: number): Record<string, [number, number]> {
  return Object.fromEntries(
    apis.map(({ name, minVersion, maxVersion }) => {
      const oldest = Math.max(minVersion, OLDEST[name] ?? 0)
      return [name, [minVersion, Math.min(maxVersion, oldest + step)]]
    }),
  )
}

/**
 * Replies to every API a producer uses, in every version, errors and hints among them, as the in-process
 * broker gives them to a producer with transactions and SASL.
 */
export async function captureReplies(): Promise<CapturedReply[]> {
  const seen = new Map<string, CapturedReply>()
  for (let step = 0; step < STEPS; step++) {
    const broker = await startBroker({
      quiet: true,
      nodes: 2,
      partitions: 2,
      apiVersions: rangesAt(step),
      transactionVersion: step % 3,
      sasl: { users: { user: 'secret' }, sessionLifetimeMs: 60_000 },
    })
    for (const topic of ['one', 'two']) broker.createTopic(topic)
    const stop = broker.mutateReply((name, version, bytes) => {
      const api = apis.find(each => each.name === name)
      const key = `${name} ${version} ${bytes.length}`
      if (api !== undefined && !seen.has(key)) seen.set(key, { api, version, frame: Buffer.from(bytes) })
      return bytes
    })
    await useEverything(broker, step)
    stop()
    await broker.close()
  }
  return [...seen.values()].filter(({ api }) => !NOT_OF_PRODUCERS.has(api.name))
}

/** What `sasl.jaas.config` says of the user all brokers here know. */
export function loginModule(name: string): string {
  return `org.apache.kafka.common.security.${name}LoginModule required username="user" password="secret";`
}

async function useEverything(broker: TestBroker, step: number): Promise<void> {
  const common = {
    ...QUICK,
    bootstrapServers: broker.bootstrapServers,
    securityProtocol: 'SASL_PLAINTEXT',
    saslMechanism: step % 2 === 0 ? 'PLAIN' : 'SCRAM-SHA-256',
    saslJaasConfig: loginModule(step % 2 === 0 ? 'plain.Plain' : 'scram.Scram'),
  } as ProducerOptions
  const records = ['one', 'two'].flatMap(topic => [0, 1].map(partition => ({ topic, partition, value: 'v' })))
  const plain = new Producer(common)
  await plain.sendMany(records).catch(() => {})
  for (const name of ['one', 'two']) broker.moveLeader(name, 0, 2)
  broker.fail({ api: 'Produce', error: 'NOT_LEADER_OR_FOLLOWER' })
  await plain.sendMany(records).catch(() => {})
  const recordErrors = [{ batchIndex: 0, batchIndexErrorMessage: 'the record is not wanted' }]
  broker.fail({ api: 'Produce', error: 'INVALID_RECORD', recordErrors, message: 'not wanted' })
  await plain.sendMany(records).catch(() => {})
  await plain.close()

  const transactional = new Producer({ ...common, transactionalId: 'id' })
  try {
    await transactional.initTransactions()
    transactional.beginTransaction()
    await transactional.sendMany(records)
    await transactional.sendOffsetsToTransaction([{ topic: 'one', partition: 0, offset: 1n }], {
      groupId: 'g',
    })
    await transactional.commitTransaction()
  } catch {
    // What an old broker cannot do was answered all the same.
  }
  await transactional.close({ timeoutMs: 1_000 })
}

/** `Name vN` of all replies, for messages. */
export function coverageOf(replies: readonly CapturedReply[]): Map<ApiName, Set<number>> {
  const coverage = new Map<ApiName, Set<number>>()
  for (const { api, version } of replies) {
    const versions = coverage.get(api.name as ApiName) ?? new Set()
    coverage.set(api.name as ApiName, versions.add(version))
  }
  return coverage
}
