import { Buffer } from 'node:buffer'
import { promisify } from 'node:util'
import { builtins } from '../../common/builtins.js'
import type { CheckedCredentials, CredentialsSource } from './credentials.js'
import type { SaslExchange, SaslMechanism } from './mechanism.js'
import { alreadyPrepared } from './sasl-prep.js'
import { escapeName, parseServerFinal, parseServerFirst, refuse, type ServerFirst } from './scram-messages.js'

const HASHES = {
  'SCRAM-SHA-256': { hash: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { hash: 'sha512', bytes: 64 },
} as const
type ScramName = keyof typeof HASHES

const NONCE_BYTES = 24
/** No channel binding, no other identity to act as. */
const GS2_HEADER = 'n,,'

/**
 * SCRAM (RFC 5802, RFC 7677): both sides prove that they know the password, or for the broker a hash of it,
 * and none is sent.
 *
 *     client-first  = "n,," "n=" name ",r=" nonce [",tokenauth=true"]
 *     client-final  = "c=" base64("n,,") ",r=" nonce ",p=" proof
 */
export function scram(name: ScramName, source: CredentialsSource, nonce = newNonce): SaslMechanism {
  return {
    name,
    begin: async () => new ScramExchange(name, await source(), nonce()),
  }
}

function newNonce(): string {
  return builtins.crypto.randomBytes(NONCE_BYTES).toString('base64')
}

class ScramExchange implements SaslExchange {
  readonly secrets: readonly string[]
  private readonly shape: (typeof HASHES)[ScramName]
  private readonly password: string
  private readonly nonce: string
  private readonly firstBare: string
  /** What the server's last message must prove; null before its first. */
  private expected: Buffer | null = null

  constructor(name: ScramName, credentials: CheckedCredentials, nonce: string) {
    const { username, password, isDelegationToken } = credentials
    this.shape = HASHES[name]
    this.password = alreadyPrepared('password', password)
    this.secrets = [password]
    this.nonce = nonce
    const extension = isDelegationToken ? ',tokenauth=true' : ''
    this.firstBare = `n=${escapeName(alreadyPrepared('user name', username))},r=${nonce}${extension}`
  }

  start(): Uint8Array {
    return Buffer.from(GS2_HEADER + this.firstBare)
  }

  async step(challenge: Uint8Array): Promise<Uint8Array | null> {
    if (this.expected === null) return this.prove(parseServerFirst(challenge, this.nonce))
    const signature = parseServerFinal(challenge)
    const isRight =
      signature.length === this.expected.length && builtins.crypto.timingSafeEqual(signature, this.expected)
    if (!isRight) refuse('the server does not know the password: its signature is wrong')
    return null
  }

  private async prove(first: ServerFirst): Promise<Uint8Array> {
    const { hash, bytes } = this.shape
    // Runs on the thread pool.
    const pbkdf2 = promisify(builtins.crypto.pbkdf2)
    const salted = await pbkdf2(this.password, first.salt, first.iterations, bytes, hash)
    const unproved = `c=${Buffer.from(GS2_HEADER).toString('base64')},r=${first.nonce}`
    const exchanged = `${this.firstBare},${first.text},${unproved}`
    const sign = (key: Uint8Array, text: string) =>
      builtins.crypto.createHmac(hash, key).update(text).digest()
    const clientKey = sign(salted, 'Client Key')
    const signature = sign(builtins.crypto.createHash(hash).update(clientKey).digest(), exchanged)
    const proof = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] as number)))
    this.expected = sign(sign(salted, 'Server Key'), exchanged)
    return Buffer.from(`${unproved},p=${proof.toString('base64')}`)
  }
}
