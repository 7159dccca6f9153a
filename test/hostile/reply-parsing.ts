import { ApiVersionTable } from '../../dist/cluster/api-version-table.js'
import { RESPONSE_ELEMENTS_MAX } from '../../dist/cluster/connection.js'
import { MetadataCache } from '../../dist/cluster/metadata-cache.js'
import { AuthenticationError, ProtocolError } from '../../dist/index.js'
import { apis } from '../../dist/protocol/apis.js'
import { responseHeaderVersion } from '../../dist/protocol/header.js'
import { Reader } from '../../dist/protocol/reader.js'
import type { TokenCache } from '../../dist/security/sasl/oauth-token.js'
import { oauthbearer } from '../../dist/security/sasl/oauthbearer.js'
import { plain } from '../../dist/security/sasl/plain.js'
import { parseServerFinal, parseServerFirst } from '../../dist/security/sasl/scram-messages.js'
import type { CapturedReply } from './captured-replies.js'
import { LOOP_HELD_MS_MAX } from './frame-times.js'
import { Mutator } from './mutator.js'
import { Random } from './random.js'

/** Size, correlation id. */
const HEADER_BYTES = 8
/** What took longer is looked at again. */
const SUSPECT_MS = 20
/**
 * A message is slow only if it always is: other processes and collections are in the way of some attempts.
 */
const ATTEMPTS = 10
/** Of all messages, once in. */
const SASL_ONCE_IN = 16

type Refusal = typeof ProtocolError | typeof AuthenticationError

export interface ParsingOutcome {
  /** Changed replies by the name of their API; messages of SASL mechanisms by the mechanism's. */
  byApi: Map<string, number>
  parsed: number
  refused: number
  /** The longest that any took, of its shortest attempt. */
  longestMs: number
}

/** What servers say in the mechanisms of this client. */
interface SaslMessage {
  readonly mechanism: string
  readonly bytes: Buffer
  /** How one message is read, in an exchange of its own. */
  reader(): Promise<(message: Buffer) => void>
}

const NONCE = 'fyko+d2lbbFgONRv9qkxdawL'
const BROKER = { host: 'h', port: 1 }
const SASL_MESSAGES: readonly SaslMessage[] = [
  {
    mechanism: 'SCRAM',
    bytes: Buffer.from(`r=${NONCE}3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096`),
    reader: async () => message => void parseServerFirst(message, NONCE),
  },
  {
    mechanism: 'SCRAM',
    bytes: Buffer.from('v=rmF9pqV8S7suAoZWja4dJRkFsKQ='),
    reader: async () => message => void parseServerFinal(message),
  },
  {
    mechanism: 'OAUTHBEARER',
    bytes: Buffer.from('{"status":"invalid_token","scope":"a","openid-configuration":"b"}'),
    reader: async () => {
      const tokens = { get: async () => ({ value: 't' }), forget() {} } as unknown as TokenCache
      const exchange = await oauthbearer(tokens).begin(BROKER)
      // Refused by the first, it says so at the second.
      return message => {
        exchange.step(message)
        exchange.step(message)
      }
    },
  },
  {
    mechanism: 'PLAIN',
    bytes: Buffer.from('a challenge, which PLAIN does not have'),
    reader: async () => {
      const exchange = await plain(async () => ({ username: 'u', password: 'p' })).begin(BROKER)
      return message => void exchange.step(message)
    },
  },
]

/**
 * Reads changed replies as the client does, down to what it keeps of them: each gives a value or a
 * ProtocolError, in little time. SASL messages give a value or an AuthenticationError. `run` rejects for the
 * first message of which this is not true.
 */
export class ReplyParsing {
  readonly outcome: ParsingOutcome = { byApi: new Map(), parsed: 0, refused: 0, longestMs: 0 }
  private readonly random: Random
  private readonly mutator: Mutator
  private readonly replies: readonly CapturedReply[]
  private readonly cache = new MetadataCache()

  constructor(seed: number, replies: readonly CapturedReply[]) {
    this.random = new Random(seed)
    this.mutator = new Mutator(this.random)
    this.replies = replies
  }

  async run(count: number): Promise<ParsingOutcome> {
    const { random, replies, outcome } = this
    for (let i = 0; i < count; i++) {
      if (i % SASL_ONCE_IN === 0) {
        const { mechanism, bytes, reader } = random.pick(SASL_MESSAGES)
        const message = this.mutator.mutate(bytes, 0, random.pick(SASL_MESSAGES).bytes)
        const read = await reader()
        this.judge(mechanism, message, () => read(message), AuthenticationError)
      } else {
        const reply = random.pick(replies)
        const bytes = this.mutator.mutate(reply.frame, HEADER_BYTES, random.pick(replies).frame)
        const partial = random.once(2)
        this.judge(reply.api.name, bytes, () => this.read(reply, bytes, partial), ProtocolError)
      }
    }
    if (outcome.parsed + outcome.refused !== count) throw new Error('not every reply was judged')
    return outcome
  }

  private read({ api, version }: CapturedReply, bytes: Buffer, partial: boolean): void {
    const reader = new Reader(bytes, HEADER_BYTES).limitElements(RESPONSE_ELEMENTS_MAX)
    reader.skipTags(responseHeaderVersion(api, version) === 1)
    const response = api.readResponse(reader, version)
    if (api.name === 'Metadata') {
      const requested = new Set(['one', 'two'])
      this.cache.apply(response, { version, partial, requested, isTracked: () => true })
    } else if (api.name === 'ApiVersions') {
      const table = new ApiVersionTable(response.apiKeys)
      for (const each of apis) table.highest(each)
    }
  }

  private judge(name: string, bytes: Buffer, read: () => void, Refusal: Refusal): void {
    const { outcome } = this
    outcome.byApi.set(name, (outcome.byApi.get(name) ?? 0) + 1)
    const started = performance.now()
    try {
      read()
      outcome.parsed++
    } catch (cause) {
      if (!(cause instanceof Refusal))
        throw new Error(`${name} threw ${cause} for ${shown(bytes)}`, { cause })
      outcome.refused++
    }
    let ms = performance.now() - started
    for (let attempt = 1; ms > SUSPECT_MS && attempt < ATTEMPTS; attempt++) ms = Math.min(ms, timed(read))
    if (ms > LOOP_HELD_MS_MAX) throw new Error(`${name} took ${ms} ms for ${shown(bytes)}`)
    outcome.longestMs = Math.max(outcome.longestMs, ms)
  }
}

function timed(work: () => void): number {
  const started = performance.now()
  try {
    work()
  } catch {}
  return performance.now() - started
}

function shown(bytes: Buffer): string {
  return `${bytes.length} bytes ${bytes.subarray(0, 2048).toString('hex')}`
}
