import assert from 'node:assert/strict'
import { inspect } from 'node:util'

/**
 * Forms in which a secret can be read off a text or a stream: raw, base64 at any offset, hex, as in URLs and
 * forms, and escaped.
 */
export function secretForms(secret: string): string[] {
  const bytes = Buffer.from(secret)
  // Only characters all of whose bits are the secret's own.
  const base64 = ([0, 1, 2] as const).flatMap(shift =>
    (['base64', 'base64url'] as const).map(encoding =>
      Buffer.concat([Buffer.alloc(shift), bytes])
        .toString(encoding)
        .slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6)),
    ),
  )
  const hex = bytes.toString('hex')
  const escaped = JSON.stringify(secret).slice(1, -1)
  const ascii = escaped.replace(/[^ -~]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const urls = [encodeURIComponent(secret), new URLSearchParams([['', secret]]).toString().slice(1)]
  const lower = urls.map(url => url.replace(/%../g, percent => percent.toLowerCase()))
  const forms = [secret, ...base64, hex, hex.toUpperCase(), ...urls, ...lower, escaped, ascii]
  return [...new Set(forms)]
}

/** How `inspect` and JSON show the first bytes of a Buffer or an array that is the secret. */
function dumps(secret: string): string[] {
  const bytes = [...Buffer.from(secret)].slice(0, 12)
  return [bytes.map(byte => byte.toString(16).padStart(2, '0')).join(' '), bytes.join(', '), bytes.join(',')]
}

/** Secrets in a PEM text: each of its lines, but for the first, which is alike in all keys of a kind. */
export function pemSecrets(pem: string): string[] {
  const lines = pem.split(/\r?\n/).filter(line => line.length > 40 && !line.startsWith('-----'))
  return lines.slice(1).flatMap(line => [line, Buffer.from(line, 'base64').toString('hex')])
}

/** Bytes as the text that they may be: as numbers nobody would find a secret in them, and they take long. */
function withTexts(this: Record<string, unknown>, name: string, value: unknown): unknown {
  const given = this[name]
  return given instanceof Uint8Array ? Buffer.from(given).toString('latin1') : value
}

function asJson(thing: unknown): string {
  try {
    return JSON.stringify(thing, withTexts) ?? ''
  } catch {
    // What cannot be written as JSON cannot be given away by it.
    return ''
  }
}

/** Also what is not enumerable, as the fields of errors are. */
function ownProperties(thing: object): object {
  const entries = Object.entries(Object.getOwnPropertyDescriptors(thing)).map(([name, { value }]) => [
    name,
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  ])
  return Object.fromEntries(entries)
}

/** All that the library has said. */
export class SecretListener {
  readonly texts: string[] = []
  /** Errors heard, without their causes. */
  errors = 0
  /** What went to people as it is: messages of errors and of the log. */
  private readonly lines: string[] = []
  readonly logger = {
    debug: (...said: unknown[]) => this.log(said),
    info: (...said: unknown[]) => this.log(said),
    warn: (...said: unknown[]) => this.log(said),
    error: (...said: unknown[]) => this.log(said),
  }

  /** Errors with their causes. */
  hear(...things: unknown[]): void {
    for (const thing of things) {
      if (thing instanceof Error) this.errors++
      this.take(thing)
    }
  }

  private log(said: unknown[]): void {
    this.lines.push(String(said[0]))
    for (const thing of said) this.take(thing)
  }

  private take(thing: unknown): void {
    // All of an error; of a producer, which has all of the runtime hanging on it, what is near: one step more
    // takes minutes on Deno.
    const depth = thing instanceof Error ? 40 : 7
    this.texts.push(String(thing), inspect(thing, { depth, showHidden: true, getters: true }))
    this.texts.push(asJson(thing))
    if (!(thing instanceof Error)) return
    this.texts.push(asJson(ownProperties(thing)))
    this.lines.push(thing.message)
    this.texts.push(String(thing.stack))
    if (thing.cause != null) this.take(thing.cause)
    if (thing instanceof AggregateError) for (const each of thing.errors) this.take(each)
  }

  longestLogged(): number {
    return Math.max(...this.lines.map(line => line.length))
  }

  /** No character that steers a terminal, begins a line or turns the writing around. */
  assertPrintable(): void {
    assert.ok(this.lines.length > 0, 'nothing was said at all')
    for (const line of this.lines)
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u, inspect(line))
    // Stacks and what `inspect` makes of them have lines of their own, and nothing else.
    const said = this.texts.join('\n').replaceAll('\n', '')
    const at = said.search(/[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069]/u)
    assert.equal(at, -1, inspect(said.slice(Math.max(0, at - 100), at + 100)))
    for (const text of this.texts) assert.doesNotMatch(text, /^\s*FORGED/m)
  }

  /** No form in which a secret could be read off what was said, and nothing that cannot be printed. */
  assertSilent(secrets: readonly string[]): void {
    if (this.lines.length > 0) this.assertPrintable()
    const said = this.texts.join('\n')
    assert.ok(said.length > 100, 'nothing was said at all')
    for (const form of secrets.flatMap(secret => [...secretForms(secret), ...dumps(secret)])) {
      const at = said.indexOf(form)
      assert.equal(at, -1, `found ${form}: …${said.slice(Math.max(0, at - 200), at + 100)}…`)
    }
  }
}
