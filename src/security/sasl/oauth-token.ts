import { Buffer } from 'node:buffer'
import { shownValue } from '../../common/secret.js'
import { AuthenticationError } from '../../errors/index.js'

/** What a token function answers. */
export interface OauthToken {
  /** The token itself, as sent after `Bearer`. */
  readonly value: string
  /**
   * When it ends, in milliseconds since the epoch. Default: what its `exp` claim says, if it is a JWT;
   * otherwise a new token is asked for at every authentication.
   */
  readonly expiresAtMs?: number | undefined
  /** SASL extensions (KIP-342), such as `logicalCluster`. */
  readonly extensions?: Readonly<Record<string, string>> | undefined
}

/** Source of OAUTHBEARER tokens. A token is used until shortly before it ends, then asked for again. */
export type OauthTokenProvider = () => OauthToken | string | Promise<OauthToken | string>

/** `b64token` of RFC 6750: nothing that could end the header it stands in. */
const TOKEN = /^[-._~+/A-Za-z0-9]+=*$/
const EXTENSION_NAME = /^[A-Za-z]+$/
const EXTENSION_VALUE = /^[\x21-\x7e \t\r\n]+$/

/** The token, checked: what a provider answers is not believed. */
export function checkedToken(given: unknown): OauthToken {
  const { value, expiresAtMs, extensions } = (
    typeof given === 'string' ? { value: given } : (given ?? {})
  ) as {
    [Name in keyof OauthToken]?: unknown
  }
  if (typeof value !== 'string' || !TOKEN.test(value)) {
    throw new AuthenticationError('the token function answered without a token as RFC 6750 allows it')
  }
  if (expiresAtMs !== undefined && !Number.isFinite(expiresAtMs)) {
    throw new AuthenticationError('the token function answered with an expiresAtMs that is no number')
  }
  const checked = checkedExtensions(extensions ?? {})
  return { value, expiresAtMs: (expiresAtMs as number | undefined) ?? expiryOf(value), extensions: checked }
}

function checkedExtensions(given: unknown): Readonly<Record<string, string>> {
  if (typeof given !== 'object') throw new AuthenticationError('the extensions of the token are no object')
  for (const [name, value] of Object.entries(given as object)) {
    if (!EXTENSION_NAME.test(name) || name === 'auth') {
      throw new AuthenticationError(`the extension ${shownValue(name)} is not named with letters, or "auth"`)
    }
    if (typeof value !== 'string' || !EXTENSION_VALUE.test(value)) {
      throw new AuthenticationError(`the extension ${name} has a value that is not printable ASCII`)
    }
  }
  return given as Readonly<Record<string, string>>
}

/** The end of a JWT by its `exp` claim, in milliseconds; undefined where the token does not tell. */
function expiryOf(token: string): number | undefined {
  const [, payload, ...rest] = token.split('.')
  if (payload === undefined || rest.length !== 1) return undefined
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp?: unknown }
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined
  } catch {
    return undefined
  }
}

/** When to replace a token before it ends (Java: `ExpiringCredentialRefreshConfig`). */
export interface RefreshRule {
  /** Share of the token's life after which it is replaced, 0.5 to 1. */
  readonly windowFactor: number
  /** Largest random share added to it. */
  readonly windowJitter: number
  /** A token is kept at least so long, as long as it lives. */
  readonly minPeriodSeconds: number
  /** A token that is so near to its end is replaced, unless `minPeriodSeconds` forbids. */
  readonly bufferSeconds: number
}

/** Keeps one token as long as it is good, and asks for one at a time. */
export class TokenCache {
  private readonly fetch: () => Promise<OauthToken>
  private readonly rule: RefreshRule
  private readonly now: () => number
  private token: OauthToken | null = null
  private refreshAt = Number.NEGATIVE_INFINITY
  private pending: Promise<OauthToken> | null = null

  constructor(provider: OauthTokenProvider, rule: RefreshRule, now: () => number = Date.now) {
    this.fetch = async () => checkedToken(await provider())
    this.rule = rule
    this.now = now
  }

  get(): Promise<OauthToken> {
    if (this.token !== null && this.now() < this.refreshAt) return Promise.resolve(this.token)
    this.pending ??= this.renew().finally(() => {
      this.pending = null
    })
    return this.pending
  }

  /** The broker refused the token: it is not offered again. */
  forget(token: OauthToken): void {
    if (this.token === token) this.token = null
  }

  private async renew(): Promise<OauthToken> {
    const startedAt = this.now()
    let token: OauthToken
    try {
      token = await this.fetch()
    } catch (error) {
      // A token that has not ended is good enough while no newer one can be had.
      if (this.token?.expiresAtMs !== undefined && this.token.expiresAtMs > this.now()) return this.token
      throw error
    }
    this.token = token
    this.refreshAt = this.refreshTimeOf(startedAt, token.expiresAtMs)
    return token
  }

  private refreshTimeOf(startedAt: number, expiresAt: number | undefined): number {
    if (expiresAt === undefined) return Number.NEGATIVE_INFINITY
    const { windowFactor, windowJitter, minPeriodSeconds, bufferSeconds } = this.rule
    const share = Math.min(1, windowFactor + windowJitter * Math.random())
    const inWindow = startedAt + (expiresAt - startedAt) * share
    const beforeEnd = Math.max(expiresAt - bufferSeconds * 1000, startedAt + minPeriodSeconds * 1000)
    return Math.min(inWindow, beforeEnd)
  }
}
