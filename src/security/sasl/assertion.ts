import { Buffer } from 'node:buffer'
import type { KeyObject } from 'node:crypto'
import { builtins } from '../../common/builtins.js'
import { reasonOf } from '../../common/foreign-text.js'
import type { Secret } from '../../common/secret.js'
import { ConfigError } from '../../errors/index.js'
import { type Files, StoreFiles } from '../tls/store-files.js'
import { jsonOf, partsOf } from './jwt.js'

/** What `sasl.oauthbearer.assertion.*` says (KIP-1139). */
export interface AssertionOptions {
  /** A file with a ready-made assertion, which goes before all others. */
  readonly file: string | null
  readonly algorithm: 'RS256' | 'ES256'
  readonly aud: string | null
  readonly iss: string | null
  readonly sub: string | null
  /** Seconds that an assertion is good for. */
  readonly expSeconds: number
  /** Seconds before now from which it is good. */
  readonly nbfSeconds: number
  readonly includesJti: boolean
  readonly privateKeyFile: string | null
  readonly passphrase: Secret | null
  /** JSON with `header` and `payload`, whose fields go over those of the claims above. */
  readonly templateFile: string | null
}

/** Makes a JWT that says who the client is, for one request. */
export type AssertionSource = () => Promise<string>

const PREFIX = 'sasl.oauthbearer.assertion'
type Fields = Readonly<Record<string, unknown>>

/**
 * Assertions of the client's own: the one in a file, or JWTs that are signed with its private key. Files are
 * looked at again for each, so they can be replaced while the producer runs.
 *
 * @throws ConfigError for files that are missing or of no use
 */
export function assertionSource(options: AssertionOptions): AssertionSource {
  const { file, privateKeyFile, templateFile } = options
  if (file !== null) return readyMade(file)
  if (privateKeyFile === null) {
    throw new ConfigError(
      `${PREFIX}.private.key.file is required, or ${PREFIX}.file with a ready-made assertion`,
      `${PREFIX}.private.key.file`,
    )
  }
  const paths = templateFile === null ? [privateKeyFile] : [privateKeyFile, templateFile]
  const files = new StoreFiles(paths, 'the file')
  const signer = new Signer(options, privateKeyFile)
  const assertionOf = (read: Files) => {
    const template = templateFile === null ? null : templateOf(read.get(templateFile) as Buffer)
    return signer.sign(read, template)
  }
  // Now, so that a key of the wrong kind shows before anything is sent.
  assertionOf(files.readNow())
  return async () => assertionOf(await files.read())
}

function readyMade(file: string): AssertionSource {
  const files = new StoreFiles([file], 'the file')
  const assertionOf = (read: Files) => {
    const text = (read.get(file) as Buffer).toString().trim()
    const [header, payload] = partsOf(text)?.map(jsonOf) ?? []
    if (header && payload) return text
    throw new ConfigError(`${PREFIX}.file holds no JWT`, `${PREFIX}.file`)
  }
  assertionOf(files.readNow())
  return async () => assertionOf(await files.read())
}

class Signer {
  private readonly options: AssertionOptions
  private readonly file: string
  /** Out of reach of `util.inspect`. */
  #kept: { readonly bytes: Buffer; readonly key: KeyObject } | null = null

  constructor(options: AssertionOptions, file: string) {
    this.options = options
    this.file = file
  }

  /** Later layers go over earlier ones, as in Java: claims, template, what is made anew. */
  sign(files: Files, template: { header: Fields; payload: Fields } | null): string {
    const { algorithm, aud, iss, sub, expSeconds, nbfSeconds, includesJti } = this.options
    const key = this.keyOf(files.get(this.file) as Buffer)
    const now = Math.floor(Date.now() / 1000)
    const claims = Object.entries({ aud, iss, sub }).filter(([, claim]) => claim !== null)
    const payload = {
      ...Object.fromEntries(claims),
      ...template?.payload,
      iat: now,
      exp: now + expSeconds,
      nbf: now - nbfSeconds,
      ...(includesJti ? { jti: builtins.crypto.randomUUID() } : {}),
    }
    const header = { ...template?.header, alg: algorithm, typ: 'JWT' }
    const content = `${encode(header)}.${encode(payload)}`
    // JWS has the two numbers of an ECDSA signature as they are, not in DER (RFC 7518, section 3.4).
    const input = { key, dsaEncoding: 'ieee-p1363' } as const
    return `${content}.${builtins.crypto.sign('sha256', Buffer.from(content), input).toString('base64url')}`
  }

  private keyOf(bytes: Buffer): KeyObject {
    if (this.#kept?.bytes === bytes) return this.#kept.key
    const { algorithm, passphrase } = this.options
    let key: KeyObject
    try {
      key = builtins.crypto.createPrivateKey({
        key: bytes,
        format: 'pem',
        ...(passphrase === null ? {} : { passphrase: passphrase.reveal() }),
      })
    } catch (cause) {
      const hint = passphrase === null ? '' : `, or ${PREFIX}.private.key.passphrase is wrong`
      throw unusable(`it is no private key in PEM${hint} (${codeOf(cause)})`)
    }
    const curve = key.asymmetricKeyDetails?.namedCurve
    const isRight = algorithm === 'RS256' ? key.asymmetricKeyType === 'rsa' : curve === 'prime256v1'
    if (!isRight) {
      const wanted = algorithm === 'RS256' ? 'an RSA key' : 'a key of the curve P-256'
      throw unusable(`${algorithm} needs ${wanted}, and it is ${key.asymmetricKeyType} ${curve ?? ''}`.trim())
    }
    this.#kept = { bytes, key }
    return key
  }
}

function unusable(reason: string): ConfigError {
  const option = `${PREFIX}.private.key.file`
  return new ConfigError(`${option} cannot be used: ${reason}`, option)
}

function codeOf(cause: unknown): string {
  const { code } = cause as { code?: unknown }
  return typeof code === 'string' ? code : reasonOf(cause)
}

function templateOf(bytes: Buffer): { header: Fields; payload: Fields } {
  const option = `${PREFIX}.template.file`
  let parsed: unknown
  try {
    parsed = JSON.parse(bytes.toString())
  } catch {
    // Refused below.
  }
  const { header = {}, payload = {} } = (isFields(parsed) ? parsed : { header: null }) as Fields
  if (isFields(header) && isFields(payload)) return { header, payload }
  throw new ConfigError(
    `${option} is of no use; allowed: JSON such as { "header": { "kid": "…" }, "payload": { "aud": "…" } }`,
    option,
  )
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function encode(fields: Fields): string {
  return Buffer.from(JSON.stringify(fields)).toString('base64url')
}
