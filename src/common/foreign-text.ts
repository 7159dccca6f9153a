import { Buffer } from 'node:buffer'

/**
 * The one door for text that somebody else wrote: a broker, an endpoint, a peer's certificate, a file, a
 * caller. What goes through it cannot forge a line of a log, steer a terminal, fill a disk or repeat a
 * secret.
 */

/** Controls, format characters such as those that turn the writing around, line ends, lone surrogates. */
export const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])
/** Longest foreign text shown, in UTF-16 units before escaping. */
const FOREIGN_TEXT_MAX = 500

const HIDDEN = '[hidden]'
/** Shorter secrets are only looked for as they are: their encodings would be found by chance. */
const ENCODED_CHARACTERS_MIN = 4
/** Shorter ones may be part of an honest name. */
const NAME_SECRET_CHARACTERS_MIN = 8
/** Tokens are replaced; one that was used so many tokens ago has ended. */
const SECRETS_MAX = 16

/** The text with what cannot be printed escaped as in JavaScript, and cut where it is too long. */
export function printable(text: string, charactersMax = FOREIGN_TEXT_MAX): string {
  if (text.length <= charactersMax) return escaped(text)
  return `${escaped(text.slice(0, charactersMax))}… (${text.length} characters)`
}

/** In quotation marks, which the text itself cannot end. */
export function quoted(text: string, charactersMax = FOREIGN_TEXT_MAX): string {
  if (text.length <= charactersMax) return escaped(JSON.stringify(text))
  return `${escaped(JSON.stringify(text.slice(0, charactersMax)))}… (${text.length} characters)`
}

function escaped(text: string): string {
  return text.replace(UNPRINTABLE, character => {
    const code = (character.codePointAt(0) as number).toString(16)
    const long = code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
    return SHORT_ESCAPES.get(character) ?? long
  })
}

/** Why something failed, in the words of what was thrown: printable, and never failing itself. */
export function reasonOf(thrown: unknown): string {
  try {
    return printable(thrown instanceof Error ? String(thrown.message) : String(thrown))
  } catch {
    return 'what was thrown cannot be shown'
  }
}

/**
 * The door of one client, which knows what it must not let through. A secret that a peer turns around,
 * encrypts or tells letter by letter is not recognised: nobody could.
 */
export class ForeignTexts {
  // Out of reach of `util.inspect`.
  readonly #secrets = new Map<string, readonly string[]>()
  #forms: readonly string[] = []
  #formsInNames: readonly string[] = []
  /** Of a form in which a secret is looked for. */
  private longest = 0

  /** Secrets that peers get to know. Each is hidden from here on. */
  learn(secrets: readonly string[]): void {
    for (const secret of secrets) {
      if (secret === '' || this.#secrets.has(secret)) continue
      const [oldest] = this.#secrets.keys()
      if (this.#secrets.size >= SECRETS_MAX) this.#secrets.delete(oldest as string)
      this.#secrets.set(secret, formsOf(secret))
      const entries = [...this.#secrets]
      this.#forms = entries.flatMap(([, forms]) => forms)
      this.#formsInNames = entries.flatMap(([each, forms]) =>
        each.length >= NAME_SECRET_CHARACTERS_MIN ? forms : [],
      )
      this.longest = Math.max(...this.#forms.map(form => form.length))
    }
  }

  /** How much of a text needs to be there to show so much of it, in UTF-16 units. */
  windowOf(charactersMax = FOREIGN_TEXT_MAX): number {
    return charactersMax + this.longest
  }

  /** The text without secrets, printable and cut. */
  shown(text: string, charactersMax = FOREIGN_TEXT_MAX): string {
    return through(this.#forms, text, charactersMax)
  }

  /** As {@link shown}, of a host: a short password may be part of an honest name. */
  shownName(name: string): string {
    return through(this.#formsInNames, name, FOREIGN_TEXT_MAX)
  }

  /**
   * What a runtime threw about a peer, with nothing of it but what is known to be harmless: such errors
   * carry whole packets, certificates and requests. The code stays, to be matched on.
   */
  error(thrown: unknown): Error {
    const { name, code, errno, syscall, address, port } = Object(thrown) as NodeJS.ErrnoException & {
      address?: unknown
      port?: unknown
    }
    const message = thrown instanceof Error ? String(thrown.message) : String(thrown)
    const rebuilt = new Error(this.shown(message))
    const keep = (field: string, value: unknown) =>
      Object.defineProperty(rebuilt, field, { value, configurable: true, writable: true, enumerable: true })
    if (isWord(name)) rebuilt.name = name
    if (isWord(code)) keep('code', code)
    if (isWord(syscall)) keep('syscall', syscall)
    if (typeof errno === 'number') keep('errno', errno)
    if (typeof address === 'string' && /^[0-9a-fA-F.:]{2,45}$/.test(address)) keep('address', address)
    if (typeof port === 'number') keep('port', port)
    return rebuilt
  }
}

/** The door of whoever has no secrets. */
export const foreignTexts = new ForeignTexts()

function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^\w{1,64}$/.test(value)
}

/** Secrets are looked for beyond the end of what is shown, or half of one would be. */
function through(forms: readonly string[], text: string, charactersMax: number): string {
  const hidden = forms.flatMap(form => placesOf(form, text, charactersMax))
  if (hidden.length === 0) return printable(text, charactersMax)
  hidden.sort(([left], [right]) => left - right)
  let made = ''
  let shownTo = 0
  for (const [start, end] of hidden) {
    if (start >= shownTo) made += text.slice(shownTo, start) + HIDDEN
    shownTo = Math.max(shownTo, end)
  }
  const shown = escaped(made + text.slice(shownTo, Math.max(shownTo, charactersMax)))
  return text.length > charactersMax ? `${shown}… (${text.length} characters)` : shown
}

/** Where a form of a secret stands that begins in what is shown. */
function placesOf(form: string, text: string, charactersMax: number): [start: number, end: number][] {
  const window = text.slice(0, charactersMax + form.length)
  const places: [number, number][] = []
  for (let at = window.indexOf(form); at >= 0 && at < charactersMax; at = window.indexOf(form, at + 1)) {
    places.push([at, at + form.length])
  }
  return places
}

/** In what forms a secret can be read off a text. */
function formsOf(secret: string): readonly string[] {
  if (secret.length < ENCODED_CHARACTERS_MIN) return [secret]
  const hex = Buffer.from(secret).toString('hex')
  const json = JSON.stringify(secret).slice(1, -1)
  const url = encodeURIComponent(secret.replace(/\p{Cs}/gu, '\ufffd'))
  const form = url.replaceAll('%20', '+').replace(/[!'()~]/g, percentEncoded)
  const urls = [url, form, ...[url, form].map(lowerPercents)]
  const ascii = json.replace(/[^ -~]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const texts = [json, escaped(secret), escaped(json), ascii]
  const forms = [secret, ...urls, hex, hex.toUpperCase(), ...texts]
  for (let shift = 0; shift < 3; shift++) forms.push(...base64Forms(secret, shift))
  return [...new Set(forms)]
}

function percentEncoded(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`
}

function lowerPercents(url: string): string {
  return url.replace(/%[0-9A-F]{2}/g, percent => percent.toLowerCase())
}

/** How base64 spells the secret after `shift` other bytes: only characters all of whose bits are its own. */
function base64Forms(secret: string, shift: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)])
  const from = Math.ceil((shift * 8) / 6)
  const to = Math.floor((bytes.length * 8) / 6)
  return (['base64', 'base64url'] as const).map(encoding => bytes.toString(encoding).slice(from, to))
}
