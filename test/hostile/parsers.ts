// Every parser that is handed a text or file of somebody else's, with what may come of it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { recordsOfLines } from '../../dist/cli/records.js'
import { ForeignTexts } from '../../dist/common/foreign-text.js'
import { Secret } from '../../dist/common/secret.js'
import { parseProducerOptions, parseProperties } from '../../dist/config/index.js'
import { KafkaError } from '../../dist/errors/index.js'
import { parseJaasConfig } from '../../dist/security/sasl/jaas.js'
import { checkedToken } from '../../dist/security/sasl/oauth-token.js'
import { type ClientCredentials, tokenOf } from '../../dist/security/sasl/oidc.js'
import { parseServerFinal, parseServerFirst } from '../../dist/security/sasl/scram-messages.js'
import { deriveNow, TooLongError } from '../../dist/security/tls/derivation.js'
import type { TlsOptions } from '../../dist/security/tls/options.js'
import { pemCertificates } from '../../dist/security/tls/pem.js'
import { readPkcs12 } from '../../dist/security/tls/pkcs12.js'
import { identityOf } from '../../dist/security/tls/stores.js'
import { ROOT } from '../house/files.js'
import { Mutator } from './mutator.js'
import { Random } from './random.js'

/** No parser holds the event loop for longer. */
const HELD_MS_MAX = 20
/** An input is slow only if it always is. */
const ATTEMPTS = 10
const CORPUS = 'test/hostile/corpus'
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
const SECRET = 'c4nary/of+the=fuzzer'

interface Target {
  /** Folder of the corpus. */
  readonly corpus: string
  parse(input: Buffer): unknown
  /** Default {@link HELD_MS_MAX}. The command line tool has no one to hold up but itself. */
  readonly heldMsMax?: number
  /** Whether it may refuse an input with this. */
  mayThrow(error: unknown): boolean
}

const isCoded = (error: unknown) => error instanceof KafkaError && error.code !== 'INTERNAL'
/** Of the parsers below those with codes: a plain error with a reason, and no slip of the code's own. */
const isReason = (error: unknown) => error instanceof TooLongError || Object(error).constructor === Error

const silent = { debug() {}, info() {}, warn() {}, error() {} }
const grant = { tokenEndpoint: new URL('https://x/'), extensions: {} } as unknown as ClientCredentials
const store = (location: string): TlsOptions => ({
  enabledProtocols: [],
  protocol: 'TLSv1.3',
  cipherSuites: [],
  verifiesName: true,
  truststore: { location: null, type: 'JKS', password: null, certificates: null },
  keystore: { location, type: 'JKS', password: null, key: null, chain: null },
  keyPassword: new Secret('x'),
  nodeOptions: null,
})

export const TARGETS: Readonly<Record<string, Target>> = {
  pkcs12: {
    corpus: 'pkcs12',
    parse: input => deriveNow(readPkcs12(input, { password: input.length % 2 === 0 ? 'x' : null })),
    mayThrow: isReason,
  },
  pem: { corpus: 'pem', parse: input => pemCertificates('option', String(input)), mayThrow: isCoded },
  key: {
    corpus: 'key',
    parse: input => deriveNow(identityOf(store('file'), () => input)),
    mayThrow: error => isCoded(error) || error instanceof TooLongError,
  },
  jaas: { corpus: 'jaas', parse: input => parseJaasConfig(String(input)), mayThrow: isCoded },
  properties: {
    corpus: 'properties',
    parse: input => parseProducerOptions({ ...parseProperties(String(input)), logger: silent }),
    mayThrow: isCoded,
  },
  ndjson: { corpus: 'ndjson', parse: readLines, heldMsMax: 500, mayThrow: () => false },
  scram: {
    corpus: 'scram',
    parse: input =>
      input.length % 2 === 0 ? parseServerFinal(input) : parseServerFirst(input, 'fyko+d2lbbFgONRv9qkxdawL'),
    mayThrow: isCoded,
  },
  oidc: {
    corpus: 'oidc',
    parse: input =>
      checkedToken(tokenOf({ status: input.length % 3 === 0 ? 400 : 200, body: String(input) }, grant)),
    mayThrow: isCoded,
  },
  hosts: {
    corpus: 'hosts',
    parse: input => {
      const text = String(input)
      parseProducerOptions({ bootstrapServers: 'a:1', logger: silent, allowedBrokerHosts: text })
      return parseProducerOptions({ bootstrapServers: text, logger: silent })
    },
    mayThrow: isCoded,
  },
  texts: { corpus: 'jaas', parse: showText, mayThrow: () => false },
}

/** Lines are told of as bad, or sent: nothing is thrown, and what is said can be printed. */
function readLines(input: Buffer): Promise<void> {
  const chunks = [input.subarray(0, input.length >> 1), input.subarray(input.length >> 1)]
  const lines = recordsOfLines(Readable.from(chunks), {
    template: { topic: 't' },
    keyField: input.length % 2 === 0 ? 'user.name' : undefined,
    arrayLength: 10,
    arrayBytes: 1000,
    onBadLine: () => {},
    onBytesRead: () => {},
  })
  return (async () => {
    for await (const _ of lines);
  })()
}

/** A peer's text with a secret in it, in one of its forms, somewhere. */
function showText(input: Buffer): void {
  const texts = new ForeignTexts()
  texts.learn([SECRET])
  const bytes = Buffer.from(SECRET)
  const forms = [SECRET, bytes.toString('hex'), bytes.toString('base64'), encodeURIComponent(SECRET)]
  const form = forms[input.length % forms.length] as string
  const text = String(input)
  const at = (input[0] ?? 0) * 4
  const shown = texts.shown(text.slice(0, at) + form + text.slice(at))
  if (UNPRINTABLE.test(shown)) throw new Error('what is shown has a control character')
  if (shown.includes(form.slice(0, 12)) && !text.includes(form.slice(0, 12))) {
    throw new Error('what is shown has a secret')
  }
}

export interface ParserFinding {
  readonly target: string
  readonly input: Buffer
  readonly what: string
}

/** Inputs of the corpus, changed, for one parser after the other. */
export class ParserFuzz {
  readonly executions = new Map<string, number>()
  readonly findings: ParserFinding[] = []
  parsed = 0
  refused = 0
  longestMs = 0
  private readonly random: Random
  private readonly mutator: Mutator
  private readonly inputs = new Map<string, Buffer[]>()

  constructor(seed: number) {
    this.random = new Random(seed)
    this.mutator = new Mutator(this.random)
    for (const { corpus } of Object.values(TARGETS)) this.inputs.set(corpus, corpusOf(corpus))
  }

  /** Inputs as they are first, which nearly all have to be taken; then `count` changed ones for each target. */
  async run(targets: readonly string[], count: number): Promise<void> {
    for (const name of targets) {
      const inputs = this.inputs.get((TARGETS[name] as Target).corpus) as Buffer[]
      if (!this.executions.has(name)) for (const input of inputs) await this.judge(name, input)
      for (let i = 0; i < count; i++) {
        const input = this.random.pick(inputs)
        await this.judge(name, this.mutator.mutate(input, 0, this.random.pick(inputs)))
      }
    }
  }

  private async judge(name: string, input: Buffer): Promise<void> {
    const target = TARGETS[name] as Target
    this.executions.set(name, (this.executions.get(name) ?? 0) + 1)
    const heldMsMax = target.heldMsMax ?? HELD_MS_MAX
    let ms = await this.attempt(name, target, input, true)
    for (let attempt = 1; ms > heldMsMax && attempt < ATTEMPTS; attempt++) {
      ms = Math.min(ms, await this.attempt(name, target, input, false))
    }
    if (heldMsMax === HELD_MS_MAX) this.longestMs = Math.max(this.longestMs, ms)
    if (ms > heldMsMax) this.findings.push({ target: name, input, what: `it takes ${ms.toFixed(1)} ms` })
  }

  private async attempt(name: string, target: Target, input: Buffer, isFirst: boolean): Promise<number> {
    const startedMs = performance.now()
    const before = process.cpuUsage()
    let error: unknown = null
    try {
      const parsed = target.parse(input)
      if (parsed instanceof Promise) await parsed
      if (isFirst) this.parsed++
    } catch (thrown) {
      error = thrown ?? 'nothing'
    }
    // Whichever is less: on a busy machine time passes without this process.
    const { user, system } = process.cpuUsage(before)
    const ms = Math.min(performance.now() - startedMs, (user + system) / 1000)
    if (!isFirst || error === null) return ms
    this.refused++
    const message = error instanceof Error ? error.message : String(error)
    if (!target.mayThrow(error)) this.findings.push({ target: name, input, what: `it throws ${error}` })
    else if (UNPRINTABLE.test(message) || message.length > 5_000) {
      this.findings.push({
        target: name,
        input,
        what: `its message cannot be printed: ${JSON.stringify(message)}`,
      })
    }
    return ms
  }
}

/** The inputs that are kept for a parser. */
export function corpusOf(name: string): Buffer[] {
  const folder = join(ROOT, CORPUS, name)
  return readdirSync(folder)
    .sort()
    .map(file => readFileSync(join(folder, file)))
}
