import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Certificate } from './certificates.js'

type Fields = Record<string, unknown>

export interface OauthServerOptions {
  /** What it serves TLS with. */
  readonly certificate: Certificate
  /** Secrets of its clients, by their ids. */
  readonly clients?: Readonly<Record<string, string>>
  /** Keys of those who sign assertions, by their `iss`. */
  readonly issuers?: Readonly<Record<string, KeyObject>>
  /** Lifetime of its tokens; default 600. */
  readonly lifetimeSeconds?: number
  readonly audience?: string
}

/** A token that was given, and for what. */
export interface Grant {
  readonly grantType: string
  readonly client: string
  readonly scope: string | null
  /** Header and claims of the assertion; null for a secret. */
  readonly assertion: { readonly header: Fields; readonly claims: Fields } | null
}

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const CLIENT_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const FORM_BYTES_MAX = 64 * 1024

/** A refusal as RFC 6749, section 5.2 has it. */
class Refusal extends Error {
  readonly code: string

  constructor(code: string, reason: string) {
    super(reason)
    this.code = code
  }
}

/**
 * A small OAuth 2.0 authorization server: client credentials with a secret (RFC 6749, section 4.4) or with an
 * assertion (RFC 7523, section 2.2), assertions as grants (section 2.1), and the keys of its tokens (RFC 7517).
 * Signatures, audience, times and repeated ids of assertions are checked.
 */
export class OauthServer implements AsyncDisposable {
  readonly grants: Grant[] = []
  /** Why requests were refused. */
  readonly refusals: string[] = []
  private readonly options: OauthServerOptions
  private readonly server: Server
  private readonly usedIds = new Set<string>()
  private readonly key = generateKeyPairSync('rsa', { modulusLength: 2048 })
  private readonly keyId = randomUUID()

  private constructor(options: OauthServerOptions) {
    this.options = options
    const { cert, key } = options.certificate
    this.server = createServer({ cert, key }, (request, response) => void this.answer(request, response))
  }

  static async start(options: OauthServerOptions): Promise<OauthServer> {
    const started = new OauthServer(options)
    await new Promise<void>(resolve => started.server.listen(0, '127.0.0.1', resolve))
    return started
  }

  get issuer(): string {
    return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  get tokenUrl(): string {
    return `${this.issuer}/token`
  }

  get jwksUrl(): string {
    return `${this.issuer}/jwks`
  }

  get audience(): string {
    return this.options.audience ?? 'kafka'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections()
    await new Promise(resolve => this.server.close(resolve))
  }

  /** Whether a token is one of its own and still good; for the in-process broker. */
  accepts(token: string): boolean {
    const [header = '', payload = '', signature = ''] = token.split('.')
    const signed = Buffer.from(`${header}.${payload}`)
    if (!verify('sha256', signed, this.key.publicKey, Buffer.from(signature, 'base64url'))) return false
    const { exp, iss, aud } = fieldsOf(payload)
    return iss === this.issuer && aud === this.audience && (exp as number) * 1000 > Date.now()
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, body: Fields) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.url === '/jwks') {
      const jwk = this.key.publicKey.export({ format: 'jwk' })
      send(200, { keys: [{ ...jwk, kid: this.keyId, use: 'sig', alg: 'RS256' }] })
      return
    }
    let form = ''
    for await (const chunk of request) if (form.length < FORM_BYTES_MAX) form += chunk
    try {
      if (request.method !== 'POST' || request.url !== '/token') throw new Refusal('invalid_request', 'path')
      const grant = this.grantOf(new URLSearchParams(form), request.headers.authorization)
      this.grants.push(grant)
      const { lifetimeSeconds = 600 } = this.options
      send(200, { access_token: this.tokenFor(grant), token_type: 'Bearer', expires_in: lifetimeSeconds })
    } catch (error) {
      const code = error instanceof Refusal ? error.code : 'invalid_request'
      this.refusals.push((error as Error).message)
      send(code === 'invalid_client' ? 401 : 400, { error: code, error_description: 'no token' })
    }
  }

  private grantOf(form: URLSearchParams, authorization: string | undefined): Grant {
    const grantType = form.get('grant_type') ?? ''
    const scope = form.get('scope')
    if (grantType === JWT_BEARER) {
      const assertion = this.verified(form.get('assertion') ?? '', 'invalid_grant')
      return { grantType, client: String(assertion.claims.sub), scope, assertion }
    }
    if (grantType !== 'client_credentials') throw new Refusal('unsupported_grant_type', grantType)
    if (form.get('client_assertion_type') === CLIENT_ASSERTION) {
      const assertion = this.verified(form.get('client_assertion') ?? '', 'invalid_client')
      return { grantType, client: String(assertion.claims.sub), scope, assertion }
    }
    const [client = '', secret = ''] = Buffer.from((authorization ?? '').replace(/^Basic /, ''), 'base64')
      .toString()
      .split(':')
    const expected = this.options.clients?.[client] ?? ''
    const isRight = secret.length === expected.length && secret !== ''
    if (!isRight || !timingSafeEqual(Buffer.from(secret), Buffer.from(expected))) {
      throw new Refusal('invalid_client', 'a wrong secret')
    }
    return { grantType, client, scope, assertion: null }
  }

  /** Header and claims of an assertion whose signer is known (RFC 7523, section 3). */
  private verified(assertion: string, code: string): NonNullable<Grant['assertion']> {
    const [first = '', second = '', signature = ''] = assertion.split('.')
    const [header, claims] = [fieldsOf(first), fieldsOf(second)]
    const key = this.options.issuers?.[String(claims.iss)]
    if (key === undefined) throw new Refusal(code, `an unknown issuer: ${claims.iss}`)
    const isEc = createPublicKey(key.export({ type: 'spki', format: 'pem' })).asymmetricKeyType === 'ec'
    if (header.alg !== (isEc ? 'ES256' : 'RS256')) throw new Refusal(code, `the algorithm ${header.alg}`)
    const signed = Buffer.from(`${first}.${second}`)
    const input = { key, dsaEncoding: 'ieee-p1363' } as const
    if (!verify('sha256', signed, input, Buffer.from(signature, 'base64url'))) {
      throw new Refusal(code, 'a wrong signature')
    }
    const now = Date.now() / 1000
    if (typeof claims.sub !== 'string') throw new Refusal(code, 'no subject')
    if (claims.aud !== this.tokenUrl) throw new Refusal(code, `the audience ${claims.aud}`)
    if (typeof claims.exp !== 'number' || claims.exp < now) throw new Refusal(code, 'it has ended')
    if (typeof claims.nbf === 'number' && claims.nbf > now) throw new Refusal(code, 'it has not begun')
    if (typeof claims.jti === 'string') {
      if (this.usedIds.has(claims.jti)) throw new Refusal(code, 'its id was used before')
      this.usedIds.add(claims.jti)
    }
    return { header, claims }
  }

  private tokenFor({ client, scope }: Grant): string {
    const now = Math.floor(Date.now() / 1000)
    const { lifetimeSeconds = 600 } = this.options
    return signedJwt(
      this.key.privateKey,
      { alg: 'RS256', typ: 'JWT', kid: this.keyId },
      {
        ...{ iss: this.issuer, aud: this.audience, sub: client, scope: scope ?? 'all' },
        ...{ iat: now, exp: now + lifetimeSeconds, jti: randomUUID() },
      },
    )
  }
}

/** A JWT with RS256 or ES256, by the kind of the key. */
export function signedJwt(key: KeyObject, header: Fields, claims: Fields): string {
  const content = [header, claims]
    .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const signature = sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' })
  return `${content}.${signature.toString('base64url')}`
}

function fieldsOf(part: string): Fields {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Fields
}
