import { Buffer } from 'node:buffer'
import { AuthenticationError } from '../../errors/index.js'

/**
 * The messages of SCRAM (RFC 5802) that the server sends. What departs from the grammar is refused:
 *
 *     first = "r=" nonce ",s=" salt ",i=" count *("," attr "=" value)      salt is base64
 *     final = ("v=" signature | "e=" error) *("," attr "=" value)          signature is base64
 *
 * Attributes come in this order, each once. Unknown ones at the end are ignored, as the RFC asks; `m`, which
 * it reserves for extensions that must be understood, is refused anywhere.
 */
export interface ServerFirst {
  readonly nonce: string
  readonly salt: Buffer
  readonly iterations: number
  /** The whole message: both proofs cover it. */
  readonly text: string
}

const ITERATIONS_MIN = 4096
const ITERATIONS_MAX = 1_000_000

/** As the server's errors are spelt; anything else is not repeated. */
const ERROR_VALUE = /^[A-Za-z-]{1,64}$/
const ATTRIBUTE = /^([A-Za-z])=(.+)$/s
const NONCE = /^[\x21-\x2b\x2d-\x7e]+$/
const COUNT = /^[1-9][0-9]{0,9}$/

export function parseServerFirst(message: Uint8Array, clientNonce: string): ServerFirst {
  const text = textOf(message)
  const [nonce, salt, count] = attributesOf(text, ['r', 's', 'i']) as [string, string, string]
  if (!NONCE.test(nonce) || !nonce.startsWith(clientNonce) || nonce.length === clientNonce.length) {
    refuse("the server's nonce does not extend the one of this client")
  }
  return { nonce, salt: base64Of('salt', salt), iterations: iterationsOf(count), text }
}

/** The server's signature, which is still to be compared. */
export function parseServerFinal(message: Uint8Array): Buffer {
  const [signature] = attributesOf(textOf(message), ['v']) as [string]
  return base64Of('signature', signature)
}

function iterationsOf(count: string): number {
  const iterations = COUNT.test(count) ? Number(count) : Number.NaN
  if (iterations >= ITERATIONS_MIN && iterations <= ITERATIONS_MAX) return iterations
  return refuse(
    `the server asks for ${COUNT.test(count) ? count : 'no valid number of'} iterations; ` +
      `${ITERATIONS_MIN} to ${ITERATIONS_MAX} are accepted`,
  )
}

/** The values of the attributes that must come first, in this order. */
function attributesOf(text: string, names: readonly string[]): string[] {
  const pairs = text.split(',').map(part => ATTRIBUTE.exec(part))
  const error = pairs[0]?.[1] === 'e' ? (pairs[0][2] as string) : null
  if (error !== null) {
    refuse(`the server answered with an error${ERROR_VALUE.test(error) ? `: ${error}` : ''}`)
  }
  const seen = new Set<string>()
  const values = pairs.map((pair, at) => {
    if (pair === null) return refuse("the server's message is malformed")
    const [, name = '', value = ''] = pair
    if (name === 'm') refuse('the server asks for an extension that this client does not have')
    const expected = names[at]
    if (expected !== undefined && name !== expected) {
      refuse(`the server's message has "${name}" where "${expected}" belongs`)
    }
    if (seen.has(name)) refuse(`the server's message has "${name}" more than once`)
    seen.add(name)
    return value
  })
  if (values.length < names.length) refuse(`the server's message has no "${names[values.length]}"`)
  return values.slice(0, names.length)
}

function textOf(message: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message)
  } catch {
    return refuse("the server's message is not UTF-8")
  }
}

/** Bytes whose base64 is exactly this text: Node would pass over what does not belong. */
function base64Of(name: string, text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length === 0 || bytes.toString('base64') !== text) refuse(`the server's ${name} is not base64`)
  return bytes
}

/** Ends the exchange. */
export function refuse(reason: string): never {
  throw new AuthenticationError(reason)
}

/** A user name in a message: `,` and `=` would end it. */
export function escapeName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}
