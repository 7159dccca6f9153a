import type { Buffer } from 'node:buffer'
import { builtins } from '../../common/builtins.js'
import {
  contentOf,
  contextTag,
  type DerElement,
  DerTag,
  derElements,
  inside,
  integerOf,
  oidOf,
} from './der.js'
import { type Derivation, type Deriving, HASH_BYTES, KeyPurpose } from './derivation.js'
import { CERTIFICATES_MAX, isCertificate, pemOf } from './pem.js'
import { decrypt } from './pkcs12-encryption.js'

/** What a PKCS#12 file holds, as PEM. */
export interface Pkcs12 {
  /** The first private key, decrypted; null in a trust store. */
  readonly key: string | null
  /** The certificate of the key first, then the others as they come. */
  readonly certificates: string[]
}

/** Of the store and of the key in it; null: none was given. */
interface Pkcs12Passwords {
  readonly password: string | null
  /** Opens a file without a checksum. */
  readonly keyPassword?: string | null
}

const NO_CHECKSUM =
  'it has no checksum (MAC), so its password would prove nothing; write it anew with one, or leave out its ' +
  'password (ssl.key.password opens the key then)'

const DATA = '1.2.840.113549.1.7.1'
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6'
const KEY_BAG = '1.2.840.113549.1.12.10.1.1'
const SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2'
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3'
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21'

const MAC_HASHES: Readonly<Record<string, Derivation['hash']>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

/** A key or certificate and the id that tells which of them belong together. */
interface Bag {
  readonly der: Buffer
  readonly keyId: string | null
}

/**
 * Reads a PKCS#12 file (RFC 7292) as Java's keytool and OpenSSL write it. Runtimes read such files, too, but
 * none that hold only trusted certificates, and they go on to trust the authorities of the client's own.
 *
 *     PFX            = SEQUENCE { 3, authSafe ContentInfo, macData? }
 *     authSafe       = OCTET STRING of SEQUENCE OF ContentInfo, each a SafeContents or one that is encrypted
 *     SafeContents   = SEQUENCE OF SEQUENCE { kind OID, [0] value, attributes SET? }
 *
 * The checksum is required where there is a password: without it any password opens what is not encrypted,
 * and whoever can write the file chooses whom the client trusts. Without a password a file needs none.
 *
 * @throws Error with a reason that follows the file's name: not well-formed, wrong password, not supported
 */
export function* readPkcs12(
  file: Buffer,
  { password, keyPassword = null }: Pkcs12Passwords,
): Deriving<Pkcs12> {
  const [, authSafe, macData] = inside(derElements(file)[0], DerTag.SEQUENCE)
  const safe = dataOf(authSafe)
  if (macData !== undefined) yield* checkMac(macData, safe, password ?? '')
  else if (password !== null) throw new Error(NO_CHECKSUM)
  const opening = macData === undefined ? (keyPassword ?? '') : (password ?? '')
  const keys: Bag[] = []
  const certificates: Bag[] = []
  for (const content of inside(derElements(safe)[0], DerTag.SEQUENCE)) {
    const plain = yield* plainOf(content, opening)
    for (const bag of inside(derElements(plain)[0], DerTag.SEQUENCE)) {
      yield* readBag(bag, opening, keys, certificates)
    }
  }
  if (certificates.length > CERTIFICATES_MAX) {
    throw new Error(`it has ${certificates.length} certificates, more than ${CERTIFICATES_MAX}`)
  }
  const [key] = keys
  const isLeaf = ({ keyId }: Bag) => key !== undefined && keyId !== null && keyId === key.keyId
  const ordered = [...certificates.filter(isLeaf), ...certificates.filter(bag => !isLeaf(bag))]
  return {
    key: key === undefined ? null : pemOf('PRIVATE KEY', key.der),
    certificates: ordered.map(({ der }) => pemOf('CERTIFICATE', der)),
  }
}

/** `SEQUENCE { id-data, [0] { OCTET STRING } }` */
function dataOf(contentInfo: DerElement | undefined): Buffer {
  const [type, explicit] = inside(contentInfo, DerTag.SEQUENCE)
  if (oidOf(type) !== DATA) throw new Error('it is protected by a public key, which is not supported')
  return contentOf(inside(explicit, contextTag(0))[0], DerTag.OCTET_STRING)
}

function* plainOf(contentInfo: DerElement, password: string): Deriving<Buffer> {
  const [type, explicit] = inside(contentInfo, DerTag.SEQUENCE)
  if (oidOf(type) !== ENCRYPTED_DATA) return dataOf(contentInfo)
  const [, content] = inside(inside(explicit, contextTag(0))[0], DerTag.SEQUENCE)
  const [, algorithm, encrypted] = inside(content, DerTag.SEQUENCE)
  // [0] IMPLICIT OCTET STRING: the tag replaces that of the string.
  return yield* decrypt(algorithm, contentOf(encrypted, 0x80), password)
}

function* readBag(bag: DerElement, password: string, keys: Bag[], certificates: Bag[]): Deriving<void> {
  const [kind, explicit, attributes] = inside(bag, DerTag.SEQUENCE)
  const value = inside(explicit, contextTag(0))[0] as DerElement
  const keyId = keyIdOf(attributes)
  const name = oidOf(kind)
  if (name === KEY_BAG) {
    keys.push({ der: contentOf(explicit, contextTag(0)), keyId })
  } else if (name === SHROUDED_KEY_BAG) {
    const [algorithm, encrypted] = inside(value, DerTag.SEQUENCE)
    const der = yield* decrypt(algorithm, contentOf(encrypted, DerTag.OCTET_STRING), password)
    keys.push({ der, keyId })
  } else if (name === CERTIFICATE_BAG) {
    const [, certificate] = inside(value, DerTag.SEQUENCE)
    const der = contentOf(inside(certificate, contextTag(0))[0], DerTag.OCTET_STRING)
    if (!isCertificate(der)) throw new Error('it has a certificate that is none')
    certificates.push({ der, keyId })
  }
}

function keyIdOf(attributes: DerElement | undefined): string | null {
  if (attributes === undefined) return null
  for (const attribute of inside(attributes, DerTag.SET)) {
    const [name, values] = inside(attribute, DerTag.SEQUENCE)
    if (oidOf(name) === LOCAL_KEY_ID) return contentOf(values, DerTag.SET).toString('hex')
  }
  return null
}

/** `SEQUENCE { SEQUENCE { algorithm, digest }, salt, iterations = 1 }` */
function* checkMac(macData: DerElement, safe: Buffer, password: string): Deriving<void> {
  const [info, salt, iterations] = inside(macData, DerTag.SEQUENCE)
  const [algorithm, digest] = inside(info, DerTag.SEQUENCE)
  const hash = MAC_HASHES[oidOf(inside(algorithm, DerTag.SEQUENCE)[0])]
  if (hash === undefined) throw new Error('it is protected by a digest that is not supported')
  const expected = contentOf(digest, DerTag.OCTET_STRING)
  const key = yield {
    kind: 'pkcs12',
    hash,
    password,
    salt: contentOf(salt, DerTag.OCTET_STRING),
    iterations: iterations === undefined ? 1 : integerOf(iterations),
    purpose: KeyPurpose.MAC,
    bytes: HASH_BYTES[hash],
  }
  const actual = builtins.crypto.createHmac(hash, key).update(safe).digest()
  if (actual.length === expected.length && builtins.crypto.timingSafeEqual(actual, expected)) return
  throw new Error('the password is wrong, or the file is damaged')
}
