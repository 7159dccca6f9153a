import { Producer, type ProducerOptions } from '../../dist/index.js'
import type { AnyApi } from '../../dist/protocol/apis.js'
import { apis } from '../../dist/protocol/apis.js'
import { responseHeaderVersion } from '../../dist/protocol/header.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { everyMessage } from '../protocol/every-message.js'
import { randomOf } from '../protocol/schema-codec.js'

/** One reply as it went over the wire, its length first. */
export interface CapturedReply {
  readonly api: AnyApi
  readonly version: number
  readonly frame: Buffer
}

/** What no producer asks for: the command line and tests do. */
export const NOT_OF_PRODUCERS: ReadonlySet<string> = new Set(['Fetch', 'ListOffsets', 'CreateTopics'])
/** Made for each version that was not captured. */
const MADE_PER_VERSION = 4
/** The oldest that this client speaks. */
const OLDEST: Partial<Record<string, number>> = { Metadata: 4, SaslHandshake: 1 }
const STEPS = 11
const QUICK: Partial<ProducerOptions> = {
  lingerMs: 0,
  maxBlockMs: 30_000,
  requestTimeoutMs: 20_000,
  deliveryTimeoutMs: 30_000,
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
      // Only the last has all that the newest generation needs.
      transactionVersion: step === STEPS - 1 ? 2 : step % 2,
      sasl: { users: { user: 'secret' }, sessionLifetimeMs: 60_000 },
      telemetry: { pushIntervalMs: 10, metrics: ['*'] },
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
  return [...seen.values()]
}

/** Replies to all APIs in all versions, as the message definitions have them: for what was not captured. */
export function madeReplies(captured: readonly CapturedReply[]): CapturedReply[] {
  const random = randomOf(6)
  const known = new Set(captured.map(({ api, version }) => `${api.name} ${version}`))
  return everyMessage
    .filter(({ isRequest, api, version }) => !isRequest && !known.has(`${api.name} ${version}`))
    .flatMap(message =>
      Array.from({ length: MADE_PER_VERSION }, () => {
        const { api, version } = message
        const tags = Buffer.alloc(responseHeaderVersion(api, version))
        const body = Buffer.concat([Buffer.alloc(4), tags, message.bytes(message.random(random))])
        const size = Buffer.alloc(4)
        size.writeInt32BE(body.length)
        return { api, version, frame: Buffer.concat([size, body]) }
      }),
    )
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
    // The second one asks whether the first is completed.
    for (const offset of [1n, 2n]) {
      transactional.beginTransaction()
      await transactional.sendMany(records)
      await transactional.sendOffsetsToTransaction([{ topic: 'one', partition: 0, offset }], { groupId: 'g' })
      await transactional.commitTransaction()
    }
  } catch {
    // What an old broker cannot do was answered all the same.
  }
  await transactional.close({ timeoutMs: 1_000 })
}

/** The versions of each API that have a reply, ascending. */
export function coverageOf(replies: readonly CapturedReply[]): Record<string, number[]> {
  const coverage = new Map<string, Set<number>>()
  for (const { api, version } of replies) {
    coverage.set(api.name, (coverage.get(api.name) ?? new Set()).add(version))
  }
  return Object.fromEntries(
    [...coverage].map(([name, versions]) => [name, [...versions].sort((a, b) => a - b)]),
  )
}
