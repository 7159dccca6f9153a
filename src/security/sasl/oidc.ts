import { Buffer } from 'node:buffer'
import type { RequestOptions } from 'node:https'
import { builtins } from '../../common/builtins.js'
import { ExponentialBackoff } from '../../common/exponential-backoff.js'
import { ForeignTexts } from '../../common/foreign-text.js'
import type { Secret } from '../../common/secret.js'
import { AuthenticationError, type KafkaError, NetworkError } from '../../errors/index.js'
import type { AssertionSource } from './assertion.js'
import type { OauthToken, OauthTokenProvider } from './oauth-token.js'

/** Certificates as PEM, or a promise of them where a store takes its time to be opened. */
export type Trust = readonly string[] | null | Promise<readonly string[] | null>

/** Where tokens come from, and how long that may take. */
export interface TokenEndpoint {
  /** https only: what is sent there is the client's secret. */
  readonly tokenEndpoint: URL
  readonly scope: string | null
  readonly connectTimeoutMs: number
  readonly readTimeoutMs: number
  readonly retryBackoffMs: number
  /** Also for how long failures are retried, as in Java. */
  readonly retryBackoffMaxMs: number
  readonly extensions: Readonly<Record<string, string>>
  /** Certificates trusted for the endpoint; null: those of the runtime. */
  readonly ca: Trust
}

/** The client-credentials grant (RFC 6749, section 4.4; KIP-768). */
export interface ClientCredentials extends TokenEndpoint {
  readonly clientId: string
  readonly clientSecret: Secret
  /** Whether id and secret are URL-encoded in the Authorization header, as RFC 6749 has it. */
  readonly urlEncodesHeader: boolean
}

/** How one request proves who the client is. */
interface Proof {
  readonly form: Readonly<Record<string, string>>
  /** What is in the header Authorization; null: the form says it all. */
  readonly authorization: string | null
  /** Never shown, whoever repeats them. */
  readonly secrets: readonly string[]
}

/** Longest answer read. */
const ANSWER_BYTES_MAX = 1024 * 1024
/** As RFC 6749 spells error codes, and short: the rest of an answer is not shown, it may repeat secrets. */
const ERROR_CODE = /^[a-z_]{1,64}$/

/** What the endpoint answered. */
interface Answer {
  readonly status: number
  readonly body: string
}

/** Fetches tokens with a client's own id and secret. */
export function clientCredentialsProvider(grant: ClientCredentials): OauthTokenProvider {
  const proof: Proof = {
    form: { grant_type: 'client_credentials' },
    authorization: `Basic ${basic(grant)}`,
    secrets: [grant.clientSecret.reveal(), basic(grant)],
  }
  return tokenProvider(grant, () => proof)
}

/** Fetches tokens for an assertion (RFC 7523, section 2.1; KIP-1139). */
export function jwtBearerProvider(endpoint: TokenEndpoint, source: AssertionSource): OauthTokenProvider {
  return tokenProvider(endpoint, async () => {
    const assertion = await source()
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }
    return { form, authorization: null, secrets: [assertion] }
  })
}

/** The client-credentials grant with an assertion in place of the secret (RFC 7523, section 2.2). */
export function clientAssertionProvider(
  endpoint: TokenEndpoint,
  clientId: string | null,
  source: AssertionSource,
): OauthTokenProvider {
  return tokenProvider(endpoint, async () => {
    const assertion = await source()
    const form = {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      ...(clientId === null ? {} : { client_id: clientId }),
    }
    return { form, authorization: null, secrets: [assertion] }
  })
}

/** Redirects are not followed. */
function tokenProvider(endpoint: TokenEndpoint, proofOf: () => Proof | Promise<Proof>): OauthTokenProvider {
  const texts = new ForeignTexts()
  const backoff = new ExponentialBackoff(endpoint.retryBackoffMs, endpoint.retryBackoffMaxMs)
  return async () => {
    const giveUpAt = performance.now() + endpoint.retryBackoffMaxMs
    for (let attempt = 0; ; attempt++) {
      try {
        const proof = await proofOf()
        texts.learn(proof.secrets)
        return tokenOf(await post(endpoint, proof, await endpoint.ca, texts), endpoint)
      } catch (error) {
        const delayMs = backoff.delayMs(attempt)
        const isFinal = !(error as KafkaError).retriable || performance.now() + delayMs > giveUpAt
        if (isFinal) throw error
        await new Promise(resolve => setTimeout(resolve, delayMs))
      }
    }
  }
}

function post(
  grant: TokenEndpoint,
  { form, authorization }: Proof,
  ca: readonly string[] | null,
  texts: ForeignTexts,
): Promise<Answer> {
  const fields = new URLSearchParams(form)
  if (grant.scope !== null) fields.set('scope', grant.scope)
  const body = fields.toString()
  const options: RequestOptions = {
    method: 'POST',
    // One request in a long while: a kept connection would only hold the process.
    agent: false,
    headers: {
      accept: 'application/json',
      ...(authorization === null ? {} : { authorization }),
      'cache-control': 'no-cache',
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
    },
    // As strict as with brokers. Told outright, or an environment variable would decide.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(ca === null ? {} : { ca: [...ca] }),
  }
  return new Promise((resolve, reject) => {
    const outgoing = builtins.https.request(grant.tokenEndpoint, options)
    const fail = (reason: string, cause?: Error) => {
      clearTimeout(timer)
      outgoing.destroy()
      reject(new NetworkError(`No token from ${originOf(grant)}: ${reason}`, { cause }))
    }
    // What the runtime throws may carry the whole answer, and the token with it.
    const failWith = (thrown: unknown) => {
      const cause = texts.error(thrown)
      fail(cause.message, cause)
    }
    const late = (phase: string, ms: number) => setTimeout(() => fail(`${phase} took over ${ms} ms`), ms)
    let timer = late('connecting', grant.connectTimeoutMs)
    outgoing.on('socket', socket =>
      socket.once('secureConnect', () => {
        clearTimeout(timer)
        timer = late('the answer', grant.readTimeoutMs)
      }),
    )
    outgoing.on('error', failWith)
    outgoing.on('response', response => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > ANSWER_BYTES_MAX) fail(`it answered with more than ${ANSWER_BYTES_MAX} bytes`)
        else chunks.push(chunk)
      })
      response.on('error', failWith)
      response.on('end', () => {
        clearTimeout(timer)
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() })
      })
    })
    outgoing.end(body)
  })
}

function basic({ clientId, clientSecret, urlEncodesHeader }: ClientCredentials): string {
  const encode = urlEncodesHeader ? formEncode : (text: string) => text
  return Buffer.from(`${encode(clientId)}:${encode(clientSecret.reveal())}`).toString('base64')
}

/** `application/x-www-form-urlencoded`, in which a blank is a plus. */
function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

/** The token in an answer. */
export function tokenOf({ status, body }: Answer, grant: TokenEndpoint): OauthToken {
  const answer = fieldsOf(body)
  if (status !== 200) {
    const code = typeof answer.error === 'string' && ERROR_CODE.test(answer.error) ? `, ${answer.error}` : ''
    const redirect = status >= 300 && status < 400 ? '; redirects are not followed' : ''
    const message = `${originOf(grant)} gave no token: it answered with status ${status}${code}${redirect}`
    // A server in trouble, or one that is asked too often, may do better later; a refusal stands.
    if (status >= 500 || status === 429) throw new NetworkError(message)
    throw new AuthenticationError(message)
  }
  const { access_token: value, expires_in: expiresInSeconds } = answer
  if (typeof value !== 'string' || value === '') {
    throw new AuthenticationError(`${originOf(grant)} answered without an access_token`)
  }
  const expiresAtMs =
    typeof expiresInSeconds === 'number' && expiresInSeconds > 0
      ? Date.now() + expiresInSeconds * 1000
      : undefined
  return { value, expiresAtMs, extensions: grant.extensions }
}

function fieldsOf(body: string): { [name: string]: unknown } {
  try {
    return (JSON.parse(body) as { [name: string]: unknown } | null) ?? {}
  } catch {
    return {}
  }
}

/** Without path and query, which may hold what is nobody's business. */
function originOf({ tokenEndpoint }: TokenEndpoint): string {
  return `the token endpoint ${tokenEndpoint.origin}`
}
