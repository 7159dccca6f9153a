import { setTimeout as sleep } from 'node:timers/promises'
import { ExponentialBackoff } from '../common/exponential-backoff.js'
import { ForeignTexts } from '../common/foreign-text.js'
import type { Secret } from '../common/secret.js'
import { errorNameOf, SchemaRegistryError } from './errors.js'
import { type BaseUrl, bearer, type ClientConfig, type FetchInit, type FetchResponse } from './options.js'

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'
const ACCEPT = `${CONTENT_TYPE}, application/json`
const THROTTLED = 429
/** Characters of a registry's own message that go into ours. */
const MESSAGE_MAX = 1_000

/** A failure, and how long the registry wants to be left alone. */
interface Failure {
  readonly error: SchemaRegistryError
  readonly retryAfterMs: number
}

/** Requests to the addresses of one registry, with retries, time-outs and credentials. */
export class Transport {
  private readonly config: ClientConfig
  private readonly backoff: ExponentialBackoff
  private readonly closing = new AbortController()
  /** What the registry gets to know may come back in its answers. */
  private readonly texts = new ForeignTexts()
  /** The address that answered last. */
  private preferred = 0

  constructor(config: ClientConfig) {
    this.config = config
    this.backoff = new ExponentialBackoff(config.retryBackoffMs, config.retryBackoffMaxMs)
    this.texts.learn(Object.entries(config.headers).flatMap(([name, value]) => credentialsOf(name, value)))
    for (const authorization of [config.authorization, ...config.urls.map(url => url.authorization)]) {
      if (authorization !== null) this.learn(authorization)
    }
  }

  /** The JSON that the registry answers. Throws `SchemaRegistryError`. */
  async request(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    const { retries, retryBackoffMaxMs, logger } = this.config
    for (let round = 0; ; round++) {
      const failure = await this.askAll(method, path, body)
      if ('answer' in failure) return failure.answer
      const { error, retryAfterMs } = failure
      if (!error.retriable || round >= retries || this.closing.signal.aborted) throw error
      const waitMs = Math.min(Math.max(this.backoff.delayMs(round), retryAfterMs), retryBackoffMaxMs)
      logger.debug(`Schema registry: ${error.message}; asked again in ${waitMs} ms`)
      await this.wait(waitMs)
    }
  }

  /** Gives up what is in flight, and refuses what comes later. */
  close(): void {
    this.closing.abort()
  }

  /** One round through the addresses; ends at the first answer, or at a refusal that others would repeat. */
  private async askAll(
    method: string,
    path: string,
    body: object | undefined,
  ): Promise<Failure | { answer: unknown }> {
    const { urls } = this.config
    const first = this.preferred
    let last: Failure | undefined
    for (let tried = 0; tried < urls.length; tried++) {
      const index = (first + tried) % urls.length
      const outcome = await this.askOne(urls[index] as BaseUrl, method, path, body)
      if ('answer' in outcome) {
        this.preferred = index
        return outcome
      }
      last = outcome
      if (!outcome.error.retriable) break
    }
    return last as Failure
  }

  private async askOne(
    base: BaseUrl,
    method: string,
    path: string,
    body: object | undefined,
  ): Promise<Failure | { answer: unknown }> {
    const url = base.url + path
    if (this.closing.signal.aborted) return failed(this.closed(url))
    const authorization = await this.authorizationFor(base, url)
    const { fetch, fetchOptions, requestTimeoutMs, headers } = this.config
    // Not AbortSignal.any: Bun and Deno keep the timers of such signals beyond the request.
    const abort = new AbortController()
    const stop = () => abort.abort()
    const timer = setTimeout(stop, requestTimeoutMs)
    this.closing.signal.addEventListener('abort', stop, { once: true })
    const init: FetchInit = {
      ...fetchOptions,
      method,
      headers: {
        accept: ACCEPT,
        ...(body === undefined ? {} : { 'content-type': CONTENT_TYPE }),
        ...headers,
        ...(authorization === null ? {} : { authorization: authorization.reveal() }),
      },
      signal: abort.signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }
    try {
      const response = await fetch(url, init)
      return this.judge(response, await response.text(), url)
    } catch (cause) {
      if (this.closing.signal.aborted) return failed(this.closed(url))
      return failed(abort.signal.aborted ? timedOut(url, requestTimeoutMs) : this.unreachable(url, cause))
    } finally {
      clearTimeout(timer)
      this.closing.signal.removeEventListener('abort', stop)
    }
  }

  private async authorizationFor(base: BaseUrl, url: string): Promise<Secret | null> {
    const { authorization, token } = this.config
    if (token === null) return authorization ?? base.authorization
    try {
      const authorization = bearer(await token())
      this.learn(authorization)
      return authorization
    } catch (cause) {
      const reason = cause instanceof Error ? this.texts.shown(cause.message) : 'it threw no Error'
      throw new SchemaRegistryError(`No token for the schema registry at ${url}: ${reason}`, {
        errorName: 'BAD_CREDENTIALS',
        url,
        cause,
      })
    }
  }

  private learn(authorization: Secret): void {
    this.texts.learn(credentialsOf('authorization', authorization.reveal()))
  }

  /** Errors of HTTP clients carry requests and answers, so what failed is told anew. */
  private unreachable(url: string, thrown: unknown): SchemaRegistryError {
    const cause = this.texts.error(rootOf(thrown))
    return new SchemaRegistryError(`The schema registry at ${url} cannot be reached: ${cause.message}.`, {
      errorName: 'UNREACHABLE',
      url,
      retriable: true,
      cause,
    })
  }

  /** What a response means. */
  private judge(response: FetchResponse, text: string, url: string): Failure | { answer: unknown } {
    const { status } = response
    const json = parse(text)
    if (status >= 200 && status < 300) {
      if (json !== undefined) return { answer: json }
      return failed(
        new SchemaRegistryError(`What answers at ${url} is no schema registry: its answer is not JSON.`, {
          errorName: 'BAD_RESPONSE',
          status,
          url,
          retriable: true,
        }),
      )
    }
    const { error_code: code, message } = (json ?? {}) as Record<string, unknown>
    const errorCode = Number.isInteger(code) ? (code as number) : 0
    const errorName = errorNameOf(errorCode, status)
    const said = typeof message === 'string' ? `: ${this.texts.shown(message, MESSAGE_MAX)}` : ''
    const number = errorCode === 0 || errorCode === status ? '' : ` ${errorCode}`
    const error = new SchemaRegistryError(
      `The schema registry at ${url} answered ${status}${number} (${errorName})${said}`,
      {
        errorName,
        errorCode,
        status,
        url,
        retriable: status >= 500 || status === THROTTLED || status === 408,
      },
    )
    return failed(error, retryAfterMs(response))
  }

  private closed(url: string): SchemaRegistryError {
    return new SchemaRegistryError('The client of the schema registry is closed.', {
      errorName: 'CLOSED',
      url,
    })
  }

  private async wait(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.closing.signal })
    } catch {
      // Closed: the next round says so.
    }
  }
}

function failed(error: SchemaRegistryError, retryAfterMs = 0): Failure {
  return { error, retryAfterMs }
}

function timedOut(url: string, ms: number): SchemaRegistryError {
  return new SchemaRegistryError(`The schema registry at ${url} has not answered within ${ms} ms.`, {
    errorName: 'TIMED_OUT',
    url,
    retriable: true,
  })
}

/** `fetch` says no more than that it failed; why stands in the cause. */
function rootOf(error: unknown): unknown {
  if (!(error instanceof Error)) return new Error('unknown')
  const { cause } = error
  if (cause instanceof AggregateError && cause.errors.length > 0) return rootOf(cause.errors[0])
  return cause instanceof Error ? rootOf(cause) : error
}

/** Headers that prove who asks; the values of others may be words that stand anywhere. */
const CREDENTIAL_HEADER = /auth|key|token|secret|password|cookie/i

/** The secrets in a header: what it says after its scheme, and of Basic the password. */
function credentialsOf(name: string, value: string): string[] {
  if (!CREDENTIAL_HEADER.test(name)) return []
  const [, scheme = '', rest = value] = /^(basic|bearer)\s+(.*)$/i.exec(value) ?? []
  if (scheme.toLowerCase() !== 'basic') return [rest]
  const password = Buffer.from(rest, 'base64')
    .toString()
    .replace(/^[^:]*:/, '')
  return [rest, password]
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function retryAfterMs(response: FetchResponse): number {
  const seconds = Number(response.headers.get('retry-after') ?? 0)
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0
}
