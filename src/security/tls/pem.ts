import { Buffer } from 'node:buffer'
import { ConfigError } from '../../errors/index.js'
import { DerTag, derElements, inside } from './der.js'

/** Certificates of one store: twice those a browser trusts. Each takes up to 0.2 ms of the event loop. */
export const CERTIFICATES_MAX = 300

const BEGIN = '-----BEGIN '
const DASHES = '-----'
const LABEL_CHARACTERS_MAX = 64

/** A block of a PEM text (RFC 7468), with its lines. */
export interface PemBlock {
  readonly label: string
  readonly block: string
  /** What stands between the lines that begin and end it. */
  readonly body: string
}

/**
 * Line ends that were written as `\n`, once or more than once, as environment variables and JSON in them
 * have them. No backslash is part of a PEM text.
 */
export function unescapedPem(text: string): string {
  return text.includes(BEGIN) ? text.replaceAll(/\\+r(?:\\+n)?|\\+n/g, '\n') : text
}

/**
 * The blocks of a PEM text. One on a single line, as properties files hold it, gets its lines back, and so
 * does one with `\n` in the place of line ends. What is between blocks is passed over, and a block that has
 * no end, or another in it, is not.
 */
export function pemBlocks(option: string, given: string): PemBlock[] {
  const text = unescapedPem(given)
  const blocks: PemBlock[] = []
  for (let begin = text.indexOf(BEGIN); begin >= 0; ) {
    const label = labelAt(text, begin + BEGIN.length)
    const damaged = () =>
      new ConfigError(`${option} has a PEM block, number ${blocks.length + 1}, that is not whole`, option)
    if (label === null) throw damaged()
    const from = begin + BEGIN.length + label.length + DASHES.length
    const end = `-----END ${label}-----`
    const to = text.indexOf(end, from)
    const next = text.indexOf(BEGIN, from)
    if (to < 0 || (next >= 0 && next < to)) throw damaged()
    const body = text.slice(from, to).trim()
    const lines = body.includes('\n') ? body : body.replaceAll(/\s+/g, '\n')
    blocks.push({ label, body, block: `${BEGIN}${label}-----\n${lines}\n${end}` })
    if (blocks.length > CERTIFICATES_MAX) {
      throw new ConfigError(`${option} has more than ${CERTIFICATES_MAX} PEM blocks`, option)
    }
    begin = next
  }
  return blocks
}

function labelAt(text: string, from: number): string | null {
  const length = text.slice(from, from + LABEL_CHARACTERS_MAX).indexOf(DASHES)
  const label = text.slice(from, from + Math.max(0, length))
  return /^[A-Z0-9 ]+$/.test(label) ? label : null
}

/** The bytes of a block; null where it is not base64. */
export function pemBytes({ body }: PemBlock): Buffer | null {
  const text = body.replaceAll(/\s+/g, '')
  const isBase64 = text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)
  return isBase64 ? Buffer.from(text, 'base64') : null
}

/** Certificates as PEM. Runtimes pass over what is none, so that nobody would be told who is not trusted. */
export function pemCertificates(option: string, text: string): string[] {
  const blocks = pemBlocks(option, text).filter(({ label }) => label === 'CERTIFICATE')
  if (blocks.length === 0) throw new ConfigError(`${option} has no PEM block "CERTIFICATE"`, option)
  for (const [index, block] of blocks.entries()) {
    if (isCertificate(pemBytes(block))) continue
    throw new ConfigError(
      `${option} has a PEM block "CERTIFICATE", number ${index + 1}, that is no certificate`,
      option,
    )
  }
  return blocks.map(({ block }) => block)
}

/**
 * By its outline (RFC 5280, section 4.1): `SEQUENCE { SEQUENCE { …, at least 6 }, SEQUENCE, BIT STRING }`.
 */
export function isCertificate(bytes: Buffer | null): boolean {
  if (bytes === null) return false
  try {
    const [whole, ...rest] = derElements(bytes)
    const [content, algorithm, signature] = inside(whole, DerTag.SEQUENCE)
    const fields = inside(content, DerTag.SEQUENCE)
    return (
      rest.length === 0 &&
      fields.length >= 6 &&
      algorithm?.tag === DerTag.SEQUENCE &&
      signature?.tag === DerTag.BIT_STRING
    )
  } catch {
    return false
  }
}

/** The one private key of a text. */
export function pemKey(option: string, text: string): PemBlock {
  const keys = pemBlocks(option, text).filter(({ label }) => label.endsWith('PRIVATE KEY'))
  if (keys.length !== 1) {
    throw new ConfigError(`${option} has ${keys.length} PEM blocks "PRIVATE KEY"; one is needed`, option)
  }
  return keys[0] as PemBlock
}

export function pemOf(label: string, der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}(?!$)/g, '$&\n')
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----`
}
