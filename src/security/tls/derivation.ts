import { Buffer } from 'node:buffer'
import { promisify } from 'node:util'
import { builtins } from '../../common/builtins.js'

/** Keys made of a password, slowly on purpose: how slowly, the file says that is to be opened. */
export interface Derivation {
  /** RFC 8018 (PBKDF2), or RFC 7292, appendix B.2. */
  readonly kind: 'pbkdf2' | 'pkcs12'
  readonly hash: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  readonly password: string
  readonly salt: Buffer
  readonly iterations: number
  /** Only of `pkcs12`: what the bytes are for. */
  readonly purpose: KeyPurpose
  readonly bytes: number
}

export const KeyPurpose = { KEY: 1, IV: 2, MAC: 3 } as const
export type KeyPurpose = (typeof KeyPurpose)[keyof typeof KeyPurpose]

/** Work that now and then asks for a key, and leaves it to its caller how to wait for that. */
export type Deriving<T> = Generator<Derivation, T, Buffer>

/** Iterations of one derivation, and those of all of a file. Java and OpenSSL write 2,048 to 10,000. */
const ITERATIONS_MAX = 1_000_000
const ROUNDS_MAX = 3_000_000
const SALT_BYTES_MAX = 1024
/** What is derived at once: some milliseconds. */
const ROUNDS_AT_ONCE = { pbkdf2: 16_000, pkcs12: 5_000 } as const
/** Rounds of a hash between two turns of the event loop: about a millisecond. */
const ROUNDS_PER_TURN = 500

export const HASH_BYTES = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 } as const

/** Work that takes too long to be done while the event loop waits. */
export class TooLongError extends Error {}

/** Does the work at once; throws {@link TooLongError} where that would hold the event loop. */
export function deriveNow<T>(work: Deriving<T>): T {
  const spent = { pbkdf2: 0, pkcs12: 0 }
  let step = work.next()
  while (!step.done) {
    const derivation = step.value
    const fault = faultOf(derivation)
    spent[derivation.kind] += fault === null ? roundsOf(derivation) : 0
    if (spent[derivation.kind] > ROUNDS_AT_ONCE[derivation.kind]) throw new TooLongError()
    step = fault === null ? work.next(derivedNow(derivation)) : work.throw(fault)
  }
  return step.value
}

/** Does the work beside the event loop: PBKDF2 on the thread pool, what has no such call a little a turn. */
export async function deriveBeside<T>(work: Deriving<T>): Promise<T> {
  let spent = 0
  let step = work.next()
  while (!step.done) {
    const derivation = step.value
    let fault = faultOf(derivation)
    spent += fault === null ? roundsOf(derivation) : 0
    if (spent > ROUNDS_MAX) fault = new Error(`it asks for more than ${ROUNDS_MAX} rounds of hashing`)
    step = fault === null ? work.next(await derived(derivation)) : work.throw(fault)
  }
  return step.value
}

/** What the work itself is to be told: it knows which file or option it is about. */
function faultOf({ iterations, salt }: Derivation): Error | null {
  if (!(iterations >= 1 && iterations <= ITERATIONS_MAX)) {
    return new Error(`it asks for ${iterations} iterations; 1 to ${ITERATIONS_MAX} are accepted`)
  }
  return salt.length > SALT_BYTES_MAX ? new Error(`it has a salt of ${salt.length} bytes`) : null
}

function roundsOf({ hash, iterations, bytes }: Derivation): number {
  return iterations * Math.ceil(bytes / HASH_BYTES[hash])
}

function derivedNow(derivation: Derivation): Buffer {
  const { kind, hash, password, salt, iterations, bytes } = derivation
  if (kind === 'pbkdf2') return builtins.crypto.pbkdf2Sync(password, salt, iterations, bytes, hash)
  const steps = pkcs12Steps(derivation)
  let step = steps.next()
  while (!step.done) step = steps.next()
  return step.value
}

async function derived(derivation: Derivation): Promise<Buffer> {
  const { kind, hash, password, salt, iterations, bytes } = derivation
  if (kind === 'pbkdf2') {
    return promisify(builtins.crypto.pbkdf2)(password, salt, iterations, bytes, hash)
  }
  const steps = pkcs12Steps(derivation)
  let step = steps.next()
  while (!step.done) {
    await new Promise(resolve => setImmediate(resolve))
    step = steps.next()
  }
  return step.value
}

/** RFC 7292, appendix B.2: key material from a password in UTF-16 with a zero at its end. Yields often. */
function* pkcs12Steps(derivation: Derivation): Generator<void, Buffer> {
  const { hash, password, salt, iterations, purpose, bytes } = derivation
  const { createHash } = builtins.crypto
  const block = hash === 'sha384' || hash === 'sha512' ? 128 : 64
  const secret = Buffer.from(`${password}\0`, 'utf16le').swap16()
  let input: Buffer = Buffer.concat([repeated(salt, block), repeated(secret, block)])
  const diversifier = Buffer.alloc(block, purpose)
  const parts: Buffer[] = []
  for (let made = 0; made < bytes; ) {
    let digest = createHash(hash).update(diversifier).update(input).digest()
    for (let i = 1; i < iterations; i++) {
      digest = createHash(hash).update(digest).digest()
      if (i % ROUNDS_PER_TURN === 0) yield
    }
    parts.push(digest)
    made += digest.length
    input = addToBlocks(input, repeated(digest, block).subarray(0, block), block)
  }
  return Buffer.concat(parts).subarray(0, bytes)
}

/** The bytes over and over, up to a whole number of blocks. */
function repeated(bytes: Uint8Array, block: number): Buffer {
  const length = block * Math.ceil(bytes.length / block)
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, bytes)
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
