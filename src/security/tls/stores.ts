import type { Buffer } from 'node:buffer'
import type { KeyObject } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import { builtins } from '../../common/builtins.js'
import type { Secret } from '../../common/secret.js'
import { ConfigError } from '../../errors/index.js'
import type { StoreOptions, TlsOptions } from './options.js'
import { readPkcs12 } from './pkcs12.js'

const PEM_BEGIN = '-----BEGIN '
const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g
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
export function trustOf({ truststore }: Pick<TlsOptions, 'truststore'>, read: ReadFile): string[] | null {
  const { location, certificates } = truststore
  if (certificates !== null) {
    if (location !== null) throw conflict('ssl.truststore.location', 'ssl.truststore.certificates')
    return pemCertificates('ssl.truststore.certificates', certificates.reveal())
  }
  if (location === null) return null
  const store = openStore('truststore', truststore, read(location))
  if ('pem' in store) return pemCertificates('ssl.truststore.location', store.pem)
  const { certificates: trusted } = store
  if (trusted.length === 0) throw storeError('truststore', location, 'has no certificates')
  return trusted
}

/** The client's certificate and key; empty where none are given. */
export function identityOf({ keystore, keyPassword }: TlsOptions, read: ReadFile): SecureContextOptions {
  const { location, key, chain } = keystore
  if (key !== null || chain !== null) {
    if (location !== null) throw conflict('ssl.keystore.location', 'ssl.keystore.key')
    if (key === null) throw missing('ssl.keystore.key', 'ssl.keystore.certificate.chain')
    if (chain === null) throw missing('ssl.keystore.certificate.chain', 'ssl.keystore.key')
    const certificates = pemCertificates('ssl.keystore.certificate.chain', chain.reveal())
    return matching('ssl.keystore.key', pemKey('ssl.keystore.key', key.reveal()), certificates, keyPassword)
  }
  if (location === null) return {}
  const option = 'ssl.keystore.location'
  const store = openStore('keystore', keystore, read(location))
  if ('pem' in store) {
    return matching(option, pemKey(option, store.pem), pemCertificates(option, store.pem), keyPassword)
  }
  if (store.key === null) throw storeError('keystore', location, 'has no private key')
  return matching(option, store.key, store.certificates, null)
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
    throw new ConfigError(
      `${option} has a private key that cannot be read; is ssl.key.password right?`,
      option,
    )
  }
  if (!new builtins.crypto.X509Certificate(certificates[0] ?? '').checkPrivateKey(key)) {
    throw new ConfigError(`${option} has a private key that does not belong to the first certificate`, option)
  }
  return { key: key.export({ type: 'pkcs8', format: 'pem' }), cert: certificates.join('\n') }
}

type Store = { readonly pem: string } | ReturnType<typeof readPkcs12>

/** What a file is, its content tells; where the option names a type, both must agree. */
function openStore(
  name: 'keystore' | 'truststore',
  { location, type, password }: StoreOptions,
  bytes: Buffer,
): Store {
  const path = location as string
  if (JAVA_MAGIC.includes(bytes.subarray(0, 4).toString('hex'))) {
    throw storeError(
      name,
      path,
      `is in Java's own JKS format, which cannot be read here; convert it with: keytool -importkeystore ` +
        `-srckeystore ${path} -destkeystore ${name}.p12 -deststoretype PKCS12`,
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
  return openPkcs12(name, path, bytes, password)
}

function openPkcs12(name: string, path: string, bytes: Buffer, password: Secret | null): Store {
  try {
    return readPkcs12(bytes, password?.reveal() ?? '')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw storeError(name, path, `could not be opened: ${reason}`)
  }
}

function pemCertificates(option: string, text: string): string[] {
  const blocks = blocksOf(text).filter(({ label }) => label === 'CERTIFICATE')
  if (blocks.length === 0) throw new ConfigError(`${option} has no PEM block "CERTIFICATE"`, option)
  return blocks.map(({ block }) => block)
}

function pemKey(option: string, text: string): string {
  const keys = blocksOf(text).filter(({ label }) => label.endsWith('PRIVATE KEY'))
  if (keys.length !== 1) {
    throw new ConfigError(`${option} has ${keys.length} PEM blocks "PRIVATE KEY"; one is needed`, option)
  }
  return (keys[0] as { block: string }).block
}

/** The blocks of a PEM text. One on a single line, as properties files hold it, gets its lines back. */
function blocksOf(text: string): { label: string; block: string }[] {
  return Array.from(text.matchAll(PEM_BLOCK), ([whole, label = '']) => {
    const begin = `-----BEGIN ${label}-----`
    const end = `-----END ${label}-----`
    const body = whole.slice(begin.length, -end.length)
    const lines = body.includes('\n') ? body.trim() : body.trim().replaceAll(/\s+/g, '\n')
    return { label, block: `${begin}\n${lines}\n${end}` }
  })
}

function conflict(one: string, other: string): ConfigError {
  return new ConfigError(`${one} and ${other} are both given; allowed: one of them`, one)
}

function missing(option: string, companion: string): ConfigError {
  return new ConfigError(`${companion} is given without ${option}; allowed: both, or neither`, option)
}

function storeError(name: string, path: string, what: string): ConfigError {
  return new ConfigError(`ssl.${name}.location = ${JSON.stringify(path)} ${what}`, `ssl.${name}.location`)
}
