import { ApiVersionTable } from '../../dist/cluster/api-version-table.js'
import { MetadataCache } from '../../dist/cluster/metadata-cache.js'
import { AuthenticationError, ProtocolError } from '../../dist/index.js'
import { apis } from '../../dist/protocol/apis.js'
import { responseHeaderVersion } from '../../dist/protocol/header.js'
import { Reader } from '../../dist/protocol/reader.js'
import { oauthbearer } from '../../dist/security/sasl/oauthbearer.js'
import { parseServerFinal, parseServerFirst } from '../../dist/security/sasl/scram-messages.js'
import type { CapturedReply } from './captured-replies.js'
import { Mutator } from './mutator.js'
import { Random } from './random.js'

/** Size, correlation id. */
const HEADER_BYTES = 8
const ELEMENTS_MAX = 200_000
const SLOW_MS = 20
/** A frame that was slow is read again so often: it is slow only if it always is. */
const ATTEMPTS = 4

export interface ParsingOutcome {
  parsed: number
  refused: number
  /** The longest that any took, of its shortest attempt. */
  longestMs: number
}

/**
 * Reads changed replies as the client does, down to what it keeps of them: each gives a value or a
 * ProtocolError, in little time. SASL messages give a value or an AuthenticationError.
 */
export class ReplyParsing {
  readonly outcome: ParsingOutcome = { parsed: 0, refused: 0, longestMs: 0 }
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
      if (i % 16 === 0) await this.saslMessage()
      else {
        const reply = random.pick(replies)
        const bytes = this.mutator.mutate(reply.frame, HEADER_BYTES, random.pick(replies).frame)
        this.judge(() => this.read(reply, bytes), ProtocolError)
      }
    }
    if (outcome.parsed + outcome.refused !== count) throw new Error('not every reply was judged')
    return outcome
  }

  private read({ api, version }: CapturedReply, bytes: Buffer): void {
    const reader = new Reader(bytes, HEADER_BYTES).limitElements(ELEMENTS_MAX)
    reader.skipTags(responseHeaderVersion(api, version) === 1)
    const response = api.readResponse(reader, version)
    if (api.name === 'Metadata') {
      const requested = new Set(['one', 'two'])
      const isTracked = () => true
      this.cache.apply(response, { version, partial: this.random.once(2), requested, isTracked })
    } else if (api.name === 'ApiVersions') {
      const table = new ApiVersionTable(response.apiKeys)
      for (const each of apis) table.highest(each)
    }
  }

  private judge(read: () => void, Refusal: typeof ProtocolError | typeof AuthenticationError): void {
    const { outcome } = this
    const started = performance.now()
    try {
      read()
      outcome.parsed++
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      outcome.refused++
    }
    let ms = performance.now() - started
    for (let attempt = 1; ms > SLOW_MS && attempt < ATTEMPTS; attempt++) ms = Math.min(ms, timed(read))
    outcome.longestMs = Math.max(outcome.longestMs, ms)
  }

  private async saslMessage(): Promise<void> {
    const { random, mutator } = this
    const nonce = 'fyko+d2lbbFgONRv9qkxdawL'
    const first = Buffer.from(`r=${nonce}3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096`)
    const final = Buffer.from('v=rmF9pqV8S7suAoZWja4dJRkFsKQ=')
    const refusal = Buffer.from('{"status":"invalid_token","scope":"a","openid-configuration":"b"}')
    const kind = random.below(3)
    const message = mutator.mutate(
      [first, final, refusal][kind] as Buffer,
      0,
      random.pick([first, final, refusal]),
    )
    if (kind === 0) this.judge(() => void parseServerFirst(message, nonce), AuthenticationError)
    else if (kind === 1) this.judge(() => void parseServerFinal(message), AuthenticationError)
    else {
      const exchange = await oauthbearer({ get: async () => ({ value: 't' }), forget() {} } as never).begin({
        host: 'h',
        port: 1,
      })
      const steps = () => {
        exchange.step(message)
        exchange.step(message)
      }
      this.judge(steps, AuthenticationError)
    }
  }
}

function timed(work: () => void): number {
  const started = performance.now()
  try {
    work()
  } catch {}
  return performance.now() - started
}
