import type { Buffer } from 'node:buffer'

/** Elements that lie side by side: many times those of a store, and read in no time. */
const OID_BYTES_MAX = 64
const ELEMENTS_MAX = 2_000

/** One element of DER (X.690): its tag as one byte, and what it holds. */
export interface DerElement {
  readonly tag: number
  readonly content: Buffer
}

export const DerTag = {
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OID: 0x06,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const

/** `[n]`, holding a whole element. */
export const contextTag = (n: number): number => 0xa0 | n

/** The elements that lie one behind the other in these bytes. */
export function derElements(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number
    const first = bytes[at + 1]
    if ((tag & 0x1f) === 0x1f || first === undefined) throw malformed()
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f
    // 0x80 begins a length that is not told, which BER has and DER has not.
    if (first === 0x80 || lengthBytes > 4 || at + 2 + lengthBytes > bytes.length) throw malformed()
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes)
    const from = at + 2 + lengthBytes
    if (length > bytes.length - from) throw malformed()
    if (elements.length >= ELEMENTS_MAX) throw malformed()
    elements.push({ tag, content: bytes.subarray(from, from + length) })
    at = from + length
  }
  return elements
}

/** The elements inside one that is expected to be of a kind. */
export function inside(element: DerElement | undefined, tag: number): DerElement[] {
  return derElements(contentOf(element, tag))
}

export function contentOf(element: DerElement | undefined, tag: number): Buffer {
  if (element?.tag !== tag) throw malformed()
  return element.content
}

export function integerOf(element: DerElement | undefined): number {
  const content = contentOf(element, DerTag.INTEGER)
  if (content.length === 0 || content.length > 6) throw malformed()
  return content.readIntBE(0, content.length)
}

/** An object identifier in its dotted form. */
export function oidOf(element: DerElement | undefined): string {
  const content = contentOf(element, DerTag.OID)
  if (content.length > OID_BYTES_MAX) throw malformed()
  const numbers: number[] = []
  let value = 0
  for (const byte of content) {
    value = value * 0x80 + (byte & 0x7f)
    if (byte >= 0x80) continue
    numbers.push(value)
    value = 0
  }
  const [root = 0, ...rest] = numbers
  const arc = Math.min(2, Math.floor(root / 40))
  return [arc, root - arc * 40, ...rest].join('.')
}

function malformed(): Error {
  return new Error('it is not well-formed DER')
}
