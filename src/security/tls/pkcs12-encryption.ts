import { Buffer } from 'node:buffer'
import { builtins } from '../../common/builtins.js'
import { contentOf, type DerElement, DerTag, inside, integerOf, oidOf } from './der.js'
import { type Derivation, type Deriving, KeyPurpose } from './derivation.js'

const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'
const PBE_SHA1_3DES = '1.2.840.113549.1.12.1.3'

const PRF_DEFAULT = '1.2.840.113549.2.7'
const PRF_HASHES: Readonly<Record<string, Derivation['hash']>> = {
  [PRF_DEFAULT]: 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}
/** PBES2 with triple DES is what `openssl pkcs8 -v2 des3` writes. */
const CIPHERS: Readonly<Record<string, readonly [cipher: string, keyBytes: number]>> = {
  '2.16.840.1.101.3.4.1.2': ['aes-128-cbc', 16],
  '2.16.840.1.101.3.4.1.22': ['aes-192-cbc', 24],
  '2.16.840.1.101.3.4.1.42': ['aes-256-cbc', 32],
  '1.2.840.113549.3.7': ['des-ede3-cbc', 24],
}

/** Triple DES takes 40 ms for a megabyte. */
const TRIPLE_DES_BYTES_MAX = 256 * 1024

/** Undoes the encryption an AlgorithmIdentifier names: PBES2, or the older one with triple DES. */
export function* decrypt(
  algorithm: DerElement | undefined,
  encrypted: Buffer,
  password: string,
): Deriving<Buffer> {
  const [oid, parameters] = inside(algorithm, DerTag.SEQUENCE)
  const name = oidOf(oid)
  if (name === PBES2) return yield* decryptPbes2(parameters, encrypted, password)
  if (name !== PBE_SHA1_3DES) {
    throw new Error(
      `it is encrypted in a way that is not supported (${name}); write it anew with OpenSSL's defaults`,
    )
  }
  const [salt, iterations] = inside(parameters, DerTag.SEQUENCE)
  const derivation = {
    kind: 'pkcs12',
    hash: 'sha1',
    password,
    salt: contentOf(salt, DerTag.OCTET_STRING),
    iterations: integerOf(iterations),
  } as const
  const key = yield { ...derivation, purpose: KeyPurpose.KEY, bytes: 24 }
  const iv = yield { ...derivation, purpose: KeyPurpose.IV, bytes: 8 }
  return decipher('des-ede3-cbc', key, iv, encrypted)
}

/** RFC 8018, section 6.2. */
function* decryptPbes2(
  parameters: DerElement | undefined,
  encrypted: Buffer,
  password: string,
): Deriving<Buffer> {
  const [derivation, scheme] = inside(parameters, DerTag.SEQUENCE)
  const [kdf, kdfParameters] = inside(derivation, DerTag.SEQUENCE)
  const [cipherOid, iv] = inside(scheme, DerTag.SEQUENCE)
  const found = CIPHERS[oidOf(cipherOid)]
  if (oidOf(kdf) !== PBKDF2 || found === undefined) throw unsupported()
  const [salt, iterations, ...optional] = inside(kdfParameters, DerTag.SEQUENCE)
  const prf = optional.find(({ tag }) => tag === DerTag.SEQUENCE)
  const hash = PRF_HASHES[prf === undefined ? PRF_DEFAULT : oidOf(inside(prf, DerTag.SEQUENCE)[0])]
  if (hash === undefined) throw unsupported()
  const [cipher, bytes] = found
  const key = yield {
    kind: 'pbkdf2',
    hash,
    password,
    salt: contentOf(salt, DerTag.OCTET_STRING),
    iterations: integerOf(iterations),
    purpose: KeyPurpose.KEY,
    bytes,
  }
  return decipher(cipher, key, contentOf(iv, DerTag.OCTET_STRING), encrypted)
}

function unsupported(): Error {
  return new Error('it is encrypted with a key derivation or cipher that is not supported')
}

function decipher(cipher: string, key: Uint8Array, iv: Uint8Array, encrypted: Uint8Array): Buffer {
  if (cipher === 'des-ede3-cbc' && encrypted.length > TRIPLE_DES_BYTES_MAX) {
    throw new Error(`it has ${encrypted.length} bytes in triple DES, more than ${TRIPLE_DES_BYTES_MAX}`)
  }
  try {
    const stream = builtins.crypto.createDecipheriv(cipher, key, iv)
    return Buffer.concat([stream.update(encrypted), stream.final()])
  } catch {
    throw new Error('the password is wrong')
  }
}
