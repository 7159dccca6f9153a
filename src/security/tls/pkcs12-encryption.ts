import { Buffer } from 'node:buffer'
import { builtins } from '../../common/builtins.js'
import { contentOf, type DerElement, DerTag, inside, integerOf, oidOf } from './der.js'

const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'
const PBE_SHA1_3DES = '1.2.840.113549.1.12.1.3'

const PRF_DEFAULT = '1.2.840.113549.2.7'
const PRF_HASHES: Readonly<Record<string, string>> = {
  [PRF_DEFAULT]: 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}
const AES: Readonly<Record<string, readonly [cipher: string, keyBytes: number]>> = {
  '2.16.840.1.101.3.4.1.2': ['aes-128-cbc', 16],
  '2.16.840.1.101.3.4.1.22': ['aes-192-cbc', 24],
  '2.16.840.1.101.3.4.1.42': ['aes-256-cbc', 32],
}

/** What the bytes that {@link deriveKey} makes are for. */
export const KeyPurpose = { KEY: 1, IV: 2, MAC: 3 } as const
type KeyPurpose = (typeof KeyPurpose)[keyof typeof KeyPurpose]

/** Undoes the encryption an AlgorithmIdentifier names: PBES2 with AES, or the older one with triple DES. */
export function decrypt(algorithm: DerElement | undefined, encrypted: Buffer, password: string): Buffer {
  const [oid, parameters] = inside(algorithm, DerTag.SEQUENCE)
  const name = oidOf(oid)
  if (name === PBES2) return decryptPbes2(parameters, encrypted, password)
  if (name !== PBE_SHA1_3DES) {
    throw new Error(
      `it is encrypted in a way that is not supported (${name}); write it anew with: openssl pkcs12`,
    )
  }
  const [salt, iterations] = inside(parameters, DerTag.SEQUENCE)
  const derive = (purpose: KeyPurpose, bytes: number) =>
    deriveKey('sha1', password, contentOf(salt, DerTag.OCTET_STRING), integerOf(iterations), purpose, bytes)
  return decipher('des-ede3-cbc', derive(KeyPurpose.KEY, 24), derive(KeyPurpose.IV, 8), encrypted)
}

/** RFC 8018, section 6.2. */
function decryptPbes2(parameters: DerElement | undefined, encrypted: Buffer, password: string): Buffer {
  const [derivation, scheme] = inside(parameters, DerTag.SEQUENCE)
  const [kdf, kdfParameters] = inside(derivation, DerTag.SEQUENCE)
  const [salt, iterations, ...optional] = inside(kdfParameters, DerTag.SEQUENCE)
  const prf = optional.find(({ tag }) => tag === DerTag.SEQUENCE)
  const hash = PRF_HASHES[prf === undefined ? PRF_DEFAULT : oidOf(inside(prf, DerTag.SEQUENCE)[0])]
  const [cipherOid, iv] = inside(scheme, DerTag.SEQUENCE)
  const aes = AES[oidOf(cipherOid)]
  if (oidOf(kdf) !== PBKDF2 || hash === undefined || aes === undefined) {
    throw new Error('it is encrypted with a key derivation or cipher that is not supported')
  }
  const [cipher, keyBytes] = aes
  const saltBytes = contentOf(salt, DerTag.OCTET_STRING)
  const key = builtins.crypto.pbkdf2Sync(password, saltBytes, integerOf(iterations), keyBytes, hash)
  return decipher(cipher, key, contentOf(iv, DerTag.OCTET_STRING), encrypted)
}

function decipher(cipher: string, key: Uint8Array, iv: Uint8Array, encrypted: Uint8Array): Buffer {
  try {
    const stream = builtins.crypto.createDecipheriv(cipher, key, iv)
    return Buffer.concat([stream.update(encrypted), stream.final()])
  } catch {
    throw new Error('the password is wrong')
  }
}

/** RFC 7292, appendix B.2: key material from a password in UTF-16 with a zero at its end. */
export function deriveKey(
  hash: string,
  password: string,
  salt: Uint8Array,
  iterations: number,
  purpose: KeyPurpose,
  bytes: number,
): Buffer {
  const block = hash === 'sha384' || hash === 'sha512' ? 128 : 64
  const secret = Buffer.from(`${password}\0`, 'utf16le').swap16()
  let input: Buffer = Buffer.concat([repeated(salt, block), repeated(secret, block)])
  const diversifier = Buffer.alloc(block, purpose)
  const parts: Buffer[] = []
  for (let made = 0; made < bytes; ) {
    let digest = builtins.crypto.createHash(hash).update(diversifier).update(input).digest()
    for (let i = 1; i < iterations; i++) digest = builtins.crypto.createHash(hash).update(digest).digest()
    parts.push(digest)
    made += digest.length
    input = addToBlocks(input, repeated(digest, block).subarray(0, block), block)
  }
  return Buffer.concat(parts).subarray(0, bytes)
}

/** The bytes over and over, up to a whole number of blocks. */
function repeated(bytes: Uint8Array, block: number): Buffer {
  const length = block * Math.ceil(bytes.length / block)
  return Buffer.from(Array.from({ length }, (_, at) => bytes[at % bytes.length] as number))
}

/** Each block, as a number, plus `added` plus one. */
function addToBlocks(input: Buffer, added: Buffer, block: number): Buffer {
  const sum = Buffer.from(input)
  for (let start = 0; start < sum.length; start += block) {
    let carry = 1
    for (let at = block - 1; at >= 0; at--) {
      carry += (sum[start + at] as number) + (added[at] as number)
      sum[start + at] = carry & 0xff
      carry >>= 8
    }
  }
  return sum
}
