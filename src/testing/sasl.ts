import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import { ErrorCodes } from '../protocol/error-codes.js'
import type { SaslAuthenticateResponse } from '../protocol/sasl-authenticate.js'
import type { SaslHandshakeResponse } from '../protocol/sasl-handshake.js'

/** What a node asks of its clients, and how it misbehaves. */
export interface SaslServerOptions {
  /** Passwords for PLAIN and SCRAM, by user name. */
  users?: Readonly<Record<string, string>>
  /** Decides on the tokens of OAUTHBEARER. Default: none is accepted. */
  acceptsToken?: (token: string) => boolean
  /** What is offered. Default: PLAIN, both SCRAM and OAUTHBEARER. */
  mechanisms?: readonly string[]
  /** How long a session lasts before the client must authenticate again; 0, the default: for ever. */
  sessionLifetimeMs?: number
  /** Changes what is answered. */
  tamper?: (answer: SaslAnswer) => SaslAnswer
}

/** An answer to SaslHandshake (step 0) or to SaslAuthenticate (from step 1 on). */
export interface SaslAnswer {
  readonly mechanism: string
  readonly step: number
  readonly handshake?: SaslHandshakeResponse
  readonly authenticate?: SaslAuthenticateResponse
}

const OFFERED = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']
const ITERATIONS = 4096
const SALT_BYTES = 16

/** What a mechanism says to a message of the client; `ok`: the client is who it says it is. */
interface Verdict {
  readonly ok?: boolean
  readonly failed?: boolean
  readonly message?: string
}

type Exchange = (message: string) => Verdict

/** The server's half of SASL on one connection, sessions and their renewal included (KIP-152, KIP-368). */
export class SaslServer {
  /** How many times the client has authenticated. */
  authentications = 0
  private readonly options: SaslServerOptions
  private readonly now: () => number
  private mechanism = ''
  private exchange: Exchange | null = null
  private step = 0
  private expiresAt = Number.NEGATIVE_INFINITY

  constructor(options: SaslServerOptions, now: () => number) {
    this.options = options
    this.now = now
  }

  /** Whether a request of this API may be answered now. A broker ends the connection otherwise. */
  allows(api: string): boolean {
    if (api === 'SaslAuthenticate') return this.exchange !== null
    if (this.exchange !== null) return false
    if (api === 'SaslHandshake') return true
    return this.now() < this.expiresAt || (api === 'ApiVersions' && this.authentications === 0)
  }

  handshake(mechanism: string): SaslHandshakeResponse {
    const mechanisms = [...(this.options.mechanisms ?? OFFERED)]
    const isOffered = mechanisms.includes(mechanism)
    this.mechanism = mechanism
    this.step = 0
    const errorCode = isOffered ? ErrorCodes.NONE : ErrorCodes.UNSUPPORTED_SASL_MECHANISM
    const tampered = this.tampered({ handshake: { errorCode, mechanisms } })
    const answer = tampered.handshake as SaslHandshakeResponse
    this.exchange = answer.errorCode === ErrorCodes.NONE ? this.begin() : null
    return answer
  }

  authenticate(message: Uint8Array): SaslAuthenticateResponse {
    this.step++
    const verdict = (this.exchange as Exchange)(Buffer.from(message).toString())
    const { sessionLifetimeMs = 0 } = this.options
    const answer = this.tampered({
      authenticate: {
        errorCode: verdict.failed ? ErrorCodes.SASL_AUTHENTICATION_FAILED : ErrorCodes.NONE,
        errorMessage: verdict.failed ? 'Authentication failed: invalid credentials' : null,
        authBytes: Buffer.from(verdict.message ?? ''),
        sessionLifetimeMs: verdict.ok ? BigInt(sessionLifetimeMs) : 0n,
      },
    }).authenticate as SaslAuthenticateResponse
    if (verdict.ok) {
      this.authentications++
      this.exchange = null
      this.expiresAt = sessionLifetimeMs === 0 ? Number.POSITIVE_INFINITY : this.now() + sessionLifetimeMs
    } else if (verdict.failed) this.exchange = null
    return answer
  }

  private tampered(answer: Pick<SaslAnswer, 'handshake' | 'authenticate'>): SaslAnswer {
    const whole = { mechanism: this.mechanism, step: this.step, ...answer }
    return this.options.tamper?.(whole) ?? whole
  }

  private begin(): Exchange {
    const { users = {}, acceptsToken = () => false } = this.options
    if (this.mechanism === 'PLAIN') return message => judgePlain(message, users)
    if (this.mechanism === 'OAUTHBEARER') return oauthExchange(acceptsToken)
    return scramExchange(this.mechanism === 'SCRAM-SHA-512' ? 'sha512' : 'sha256', users)
  }
}

function judgePlain(message: string, users: Readonly<Record<string, string>>): Verdict {
  const [, username = '', password] = message.split('\0')
  const isRight = Object.hasOwn(users, username) && users[username] === password
  return isRight ? { ok: true } : { failed: true }
}

function oauthExchange(acceptsToken: (token: string) => boolean): Exchange {
  let isRefused = false
  return message => {
    const [, authorization = ''] = message.split('\x01')
    const token = authorization.replace(/^auth=Bearer /, '')
    if (!isRefused && acceptsToken(token)) return { ok: true }
    if (isRefused) return { failed: true }
    isRefused = true
    return { message: '{"status":"invalid_token"}' }
  }
}

function scramExchange(hash: 'sha256' | 'sha512', users: Readonly<Record<string, string>>): Exchange {
  const keyBytes = hash === 'sha256' ? 32 : 64
  const hmac = (key: Uint8Array, text: string) => createHmac(hash, key).update(text).digest()
  const salt = randomBytes(SALT_BYTES)
  let first = ''
  let salted: Buffer | null = null
  return message => {
    if (salted === null) {
      const [, name = '', nonce = ''] = /^n,,n=([^,]*),r=([^,]+)/.exec(message) ?? []
      const username = name.replaceAll('=2C', ',').replaceAll('=3D', '=')
      if (!Object.hasOwn(users, username)) return { failed: true }
      salted = pbkdf2Sync(users[username] as string, salt, ITERATIONS, keyBytes, hash)
      const serverNonce = nonce + randomBytes(SALT_BYTES).toString('base64')
      const answer = `r=${serverNonce},s=${salt.toString('base64')},i=${ITERATIONS}`
      first = `${message.slice(3)},${answer}`
      return { message: answer }
    }
    const [, unproved = '', proof = ''] = /^(.*),p=([^,]*)$/.exec(message) ?? []
    const exchanged = `${first},${unproved}`
    const clientKey = hmac(salted, 'Client Key')
    const signature = hmac(createHash(hash).update(clientKey).digest(), exchanged)
    const expected = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] as number)))
    const given = Buffer.from(proof, 'base64')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return { failed: true }
    return { ok: true, message: `v=${hmac(hmac(salted, 'Server Key'), exchanged).toString('base64')}` }
  }
}
