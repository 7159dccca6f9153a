import type { Buffer } from 'node:buffer'
import type { KeyObject } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import { builtins } from '../../common/builtins.js'
import { reasonOf } from '../../common/foreign-text.js'
import { type Secret, shownValue } from '../../common/secret.js'
import { ConfigError } from '../../errors/index.js'
import { DerTag, derElements, inside } from './der.js'
import { type Deriving, TooLongError } from './derivation.js'
import type { StoreOptions, TlsOptions } from './options.js'
import { type PemBlock, pemBytes, pemCertificates, pemKey, pemOf } from './pem.js'
import { type Pkcs12, readPkcs12 } from './pkcs12.js'
import { decrypt } from './pkcs12-encryption.js'

const PEM_BEGIN = '-----BEGIN '
/** First bytes of Java's own formats, JKS and JCEKS. */
const JAVA_MAGIC = ['feedfeed', 'cececece']
const DER_SEQUENCE = 0x30

/** The content of a store file, by its path. */
type ReadFile = (path: string) => Buffer

/** The files that the options name. */
export function storeFiles({ keystore, truststore }: TlsOptions): string[] {
  return [keystore.location, truststore.location].filter(path => path !== null)
}

/** Trusted certificates as PEM; null where none are given, which leaves the runtime's own. */
export function* trustOf(
  { truststore }: Pick<TlsOptions, 'truststore'>,
  read: ReadFile,
): Deriving<string[] | null> {
  const { location, certificates } = truststore
  if (certificates !== null) {
    if (location !== null) throw conflict('ssl.truststore.location', 'ssl.truststore.certificates')
    return pemCertificates('ssl.truststore.certificates', certificates.reveal())
  }
  if (location === null) return null
  const store = yield* openStore('truststore', truststore, null, read(location))
  if ('pem' in store) return pemCertificates('ssl.truststore.location', store.pem)
  const { certificates: trusted } = store
  if (trusted.length === 0) throw storeError('truststore', location, 'has no certificates')
  return trusted
}

/** The client's certificate and key; empty where none are given. */
export function* identityOf(
  { keystore, keyPassword }: TlsOptions,
  read: ReadFile,
): Deriving<SecureContextOptions> {
  const { location, key, chain } = keystore
  if (key !== null || chain !== null) {
    if (location !== null) throw conflict('ssl.keystore.location', 'ssl.keystore.key')
    if (key === null) throw missing('ssl.keystore.key', 'ssl.keystore.certificate.chain')
    if (chain === null) throw missing('ssl.keystore.certificate.chain', 'ssl.keystore.key')
    const certificates = pemCertificates('ssl.keystore.certificate.chain', chain.reveal())
    const option = 'ssl.keystore.key'
    return yield* fromPem(option, pemKey(option, key.reveal()), certificates, keyPassword)
  }
  if (location === null) return {}
  const option = 'ssl.keystore.location'
  const store = yield* openStore('keystore', keystore, keyPassword, read(location))
  if ('pem' in store) {
    const certificates = pemCertificates(option, store.pem)
    return yield* fromPem(option, pemKey(option, store.pem), certificates, keyPassword)
  }
  if (store.key === null) throw storeError('keystore', location, 'has no private key')
  return matching(option, store.key, store.certificates, null)
}

/**
 * A key of a PEM text with its certificates. One that is encrypted as in PKCS#8 is decrypted here: runtimes
 * would do it on the event loop, with as many iterations as the text asks for.
 */
function* fromPem(
  option: string,
  key: PemBlock,
  certificates: readonly string[],
  password: Secret | null,
): Deriving<SecureContextOptions> {
  if (key.label !== 'ENCRYPTED PRIVATE KEY') return matching(option, key.block, certificates, password)
  let opened: Buffer
  try {
    const [algorithm, encrypted] = inside(derElements(pemBytes(key) as Buffer)[0], DerTag.SEQUENCE)
    if (encrypted?.tag !== DerTag.OCTET_STRING) throw new Error('it is not well-formed')
    opened = yield* decrypt(algorithm, encrypted.content, password?.reveal() ?? '')
  } catch (cause) {
    if (cause instanceof TooLongError) throw cause
    throw unreadableKey(option, `: ${reasonOf(cause)}`)
  }
  return matching(option, pemOf('PRIVATE KEY', opened), certificates, null)
}

/** A key, decrypted, with its certificates. Not every runtime sees by itself when they do not match. */
function matching(
  option: string,
  pem: string,
  certificates: readonly string[],
  password: Secret | null,
): SecureContextOptions {
  let key: KeyObject
  try {
    key = builtins.crypto.createPrivateKey({
      key: pem,
      ...(password === null ? {} : { passphrase: password.reveal() }),
    })
  } catch {
    throw unreadableKey(option, '')
  }
  if (!belongs(key, certificates[0] ?? '')) {
    throw new ConfigError(`${option} has a private key that does not belong to the first certificate`, option)
  }
  return { key: key.export({ type: 'pkcs8', format: 'pem' }), cert: certificates.join('\n') }
}

function belongs(key: KeyObject, certificate: string): boolean {
  try {
    return new builtins.crypto.X509Certificate(certificate).checkPrivateKey(key)
  } catch {
    return false
  }
}

function unreadableKey(option: string, reason: string): ConfigError {
  return new ConfigError(
    `${option} has a private key that cannot be read${reason}; is ssl.key.password right?`,
    option,
  )
}

type Store = { readonly pem: string } | Pkcs12

/** What a file is, its content tells; where the option names a type, both must agree. */
function* openStore(
  name: 'keystore' | 'truststore',
  { location, type, password }: StoreOptions,
  keyPassword: Secret | null,
  bytes: Buffer,
): Deriving<Store> {
  const path = location as string
  if (JAVA_MAGIC.includes(bytes.subarray(0, 4).toString('hex'))) {
    throw storeError(
      name,
      path,
      "is in Java's own JKS format, which cannot be read here; convert it with: keytool -importkeystore " +
        `-srckeystore ${shownValue(path)} -destkeystore ${name}.p12 -deststoretype PKCS12`,
    )
  }
  const isPem = bytes.includes(PEM_BEGIN)
  if (!isPem && bytes[0] !== DER_SEQUENCE) throw storeError(name, path, 'is neither PEM nor PKCS#12')
  const actual = isPem ? 'PEM' : 'PKCS12'
  if (type !== 'JKS' && type !== actual) {
    throw storeError(name, path, `is ${actual}, but ssl.${name}.type is ${type}`)
  }
  if (isPem) {
    if (password !== null) throw storeError(name, path, `is PEM, which has no ssl.${name}.password`)
    return { pem: bytes.toString() }
  }
  return yield* openPkcs12(name, path, bytes, password, keyPassword)
}

function* openPkcs12(
  name: string,
  path: string,
  bytes: Buffer,
  password: Secret | null,
  keyPassword: Secret | null,
): Deriving<Store> {
  const passwords = { password: password?.reveal() ?? null, keyPassword: keyPassword?.reveal() ?? null }
  try {
    return yield* readPkcs12(bytes, passwords)
  } catch (cause) {
    if (cause instanceof TooLongError) throw cause
    throw storeError(name, path, `could not be opened: ${reasonOf(cause)}`)
  }
}

function conflict(one: string, other: string): ConfigError {
  return new ConfigError(`${one} and ${other} are both given; allowed: one of them`, one)
}

function missing(option: string, companion: string): ConfigError {
  return new ConfigError(`${companion} is given without ${option}; allowed: both, or neither`, option)
}

/**
 * The path is shown as a value is that may be a secret: some give the text of a key where its file belongs.
 */
function storeError(name: string, path: string, what: string): ConfigError {
  return new ConfigError(`ssl.${name}.location = ${shownValue(path)} ${what}`, `ssl.${name}.location`)
}
