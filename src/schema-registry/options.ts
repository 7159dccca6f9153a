import { defaultLogger, harmless, type Logger } from '../common/logger.js'
import { isOptionLike, Secret, shownName } from '../common/secret.js'
import { ConfigError } from '../errors/index.js'

/** What a request is made with: the part of the standard `fetch` that the client uses. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchResponse>

/** What a `fetch` of the application gets as its second argument. */
export interface FetchInit {
  method: string
  headers: Record<string, string>
  signal: AbortSignal
  body?: string
}

/** What is read of the answer of a `fetch`. */
export interface FetchResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
}

/** Basic authentication, or a bearer token. A function is asked for the token before every request. */
export type SchemaRegistryAuth =
  | { readonly username: string; readonly password: string }
  | { readonly token: string | (() => string | Promise<string>) }

/** Options of `SchemaRegistryClient`. */
export interface SchemaRegistryClientOptions {
  /**
   * Base addresses (http or https), as a list or separated by commas. A request goes to the one that answered
   * last, and to the others in turn where that one fails. `user:password@` in an address means Basic.
   */
  readonly urls: string | readonly string[]
  readonly auth?: SchemaRegistryAuth
  /** Headers of every request, such as `target-sr-cluster`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds one request to one address may take. Default 10,000. */
  readonly requestTimeoutMs?: number
  /**
   * Rounds through all addresses after the first one, if none answers or all answer 5xx or 429. Default 3.
   */
  readonly retries?: number
  /** Milliseconds before the first of these rounds; doubled for each further one, ±20 %. Default 100. */
  readonly retryBackoffMs?: number
  /** Most of these milliseconds, a `Retry-After` included. Default 5,000. */
  readonly retryBackoffMaxMs?: number
  /** Milliseconds the latest version of a subject is used before it is asked for again. Default 60,000. */
  readonly latestTtlMs?: number
  /** Milliseconds a subject, version or schema that is not there is not asked for again. Default 1,000. */
  readonly notFoundTtlMs?: number
  /** Answers kept; the least recently used are forgotten. Default 1,000. */
  readonly cacheSize?: number
  /** Default the runtime's own. With a `dispatcher` of undici's, give the same package's `fetch`. */
  readonly fetch?: Fetch
  /**
   * Given to `fetch` with every request; for mutual TLS on Node, an undici `Agent` with `connect: { cert,
   * key }`.
   */
  readonly dispatcher?: unknown
  /** More of what `fetch` takes: `tls` on Bun, `client` on Deno. */
  readonly fetchOptions?: Readonly<Record<string, unknown>>
  readonly logger?: Logger
}

/** A base address without credentials, and what it asks for in its place. */
export interface BaseUrl {
  readonly url: string
  readonly authorization: Secret | null
}

export interface ClientConfig {
  readonly urls: readonly BaseUrl[]
  readonly authorization: Secret | null
  readonly token: (() => string | Promise<string>) | null
  readonly headers: Readonly<Record<string, string>>
  readonly requestTimeoutMs: number
  readonly retries: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly latestTtlMs: number
  readonly notFoundTtlMs: number
  readonly cacheSize: number
  readonly fetch: Fetch
  readonly fetchOptions: Readonly<Record<string, unknown>>
  readonly logger: Logger
}

const NUMBERS = {
  requestTimeoutMs: { fallback: 10_000, min: 1, max: 2 ** 31 - 1 },
  retries: { fallback: 3, min: 0, max: 2 ** 31 - 1 },
  retryBackoffMs: { fallback: 100, min: 0, max: 2 ** 31 - 1 },
  retryBackoffMaxMs: { fallback: 5_000, min: 0, max: 2 ** 31 - 1 },
  latestTtlMs: { fallback: 60_000, min: 0, max: Number.POSITIVE_INFINITY },
  notFoundTtlMs: { fallback: 1_000, min: 0, max: Number.POSITIVE_INFINITY },
  cacheSize: { fallback: 1_000, min: 1, max: 2 ** 24 },
} as const

const OTHERS = ['urls', 'auth', 'headers', 'fetch', 'dispatcher', 'fetchOptions', 'logger']

/** Checks the options. Throws `ConfigError`, which never shows an address that may hold credentials. */
export function checkClientOptions(options: SchemaRegistryClientOptions): ClientConfig {
  refuseUnknown('SchemaRegistryClient', options, [...OTHERS, ...Object.keys(NUMBERS)])
  const auth = checkAuth(options.auth)
  const headers = options.headers ?? {}
  for (const [name, value] of Object.entries(headers)) checkHeader(name, value)
  if (options.fetch !== undefined && typeof options.fetch !== 'function') {
    throw new ConfigError('SchemaRegistryClient: fetch must be a function.', 'fetch')
  }
  const given = options.dispatcher === undefined ? {} : { dispatcher: options.dispatcher }
  return {
    urls: checkUrls(options.urls),
    ...auth,
    headers,
    requestTimeoutMs: number(options, 'requestTimeoutMs'),
    retries: number(options, 'retries'),
    retryBackoffMs: number(options, 'retryBackoffMs'),
    retryBackoffMaxMs: number(options, 'retryBackoffMaxMs'),
    latestTtlMs: number(options, 'latestTtlMs'),
    notFoundTtlMs: number(options, 'notFoundTtlMs'),
    cacheSize: number(options, 'cacheSize'),
    // Asked for at the time of the request, so that a fetch that is put in its place later counts.
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    fetchOptions: { ...options.fetchOptions, ...given },
    logger: harmless(options.logger ?? defaultLogger),
  }
}

/** Refuses options that nobody reads, and what is no object. */
export function refuseUnknown(what: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigError(`${what} takes an object of options.`)
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      const key = isOptionLike(name) ? name : undefined
      throw new ConfigError(`${what} has no option ${shownName(name)}; it has ${known.join(', ')}.`, key)
    }
  }
}

function number(options: SchemaRegistryClientOptions, name: keyof typeof NUMBERS): number {
  const { fallback, min, max } = NUMBERS[name]
  const value = options[name] ?? fallback
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw new ConfigError(`SchemaRegistryClient: ${name} must be a number from ${min} to ${max}.`, name)
}

function checkUrls(urls: unknown): BaseUrl[] {
  const list = typeof urls === 'string' ? urls.split(',') : urls
  const isList = Array.isArray(list) && list.every(each => typeof each === 'string')
  const texts = isList ? (list as string[]).map(each => each.trim()).filter(each => each !== '') : []
  if (texts.length === 0) {
    throw new ConfigError('SchemaRegistryClient: urls must name at least one address.', 'urls')
  }
  return texts.map(checkUrl)
}

function checkUrl(text: string, index: number): BaseUrl {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ConfigError(`SchemaRegistryClient: urls[${index}] is not an http or https address.`, 'urls')
  }
  const authorization =
    url.username === '' ? null : basic(decoded(url.username, index), decoded(url.password, index))
  url.username = ''
  url.password = ''
  url.search = ''
  url.hash = ''
  return { url: url.href.replace(/\/+$/, ''), authorization }
}

function decoded(part: string, index: number): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new ConfigError(
      `SchemaRegistryClient: the credentials in urls[${index}] are not URL-encoded.`,
      'urls',
    )
  }
}

function checkAuth(auth: unknown): Pick<ClientConfig, 'authorization' | 'token'> {
  if (auth === undefined || auth === null) return { authorization: null, token: null }
  const { username, password, token } = auth as Record<string, unknown>
  if (typeof token === 'function') {
    return { authorization: null, token: token as () => string | Promise<string> }
  }
  if (typeof token === 'string') return { authorization: bearer(token), token: null }
  if (typeof username === 'string' && typeof password === 'string') {
    return { authorization: basic(username, password), token: null }
  }
  throw new ConfigError('SchemaRegistryClient: auth takes { username, password } or { token }.', 'auth')
}

function basic(username: string, password: string): Secret {
  return new Secret(`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`)
}

/** The runtimes print a header value that they refuse, so none they would refuse may reach them. */
export function bearer(token: unknown): Secret {
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return new Secret(`Bearer ${token}`)
  throw new ConfigError(
    'The bearer token for the schema registry must be printable ASCII without blanks.',
    'auth',
  )
}

function checkHeader(name: string, value: unknown): void {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name) && typeof value === 'string' && /^[\t\x20-\x7e]*$/.test(value))
    return
  throw new ConfigError(`SchemaRegistryClient: header ${shownName(name)} is not a valid header.`, 'headers')
}
