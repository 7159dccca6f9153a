import assert from 'node:assert/strict'
import { inspect } from 'node:util'

/** Forms in which a secret can be read off a text or a stream: raw, base64 at any offset, hex, as in URLs. */
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
  return [...new Set([secret, ...base64, hex, hex.toUpperCase(), encodeURIComponent(secret)])]
}

/** All that the library has said. */
export class SecretListener {
  readonly texts: string[] = []
  readonly logger = {
    debug: (...said: unknown[]) => this.hear(...said),
    info: (...said: unknown[]) => this.hear(...said),
    warn: (...said: unknown[]) => this.hear(...said),
    error: (...said: unknown[]) => this.hear(...said),
  }

  /** Errors with their causes. */
  hear(...things: unknown[]): void {
    for (const thing of things) {
      this.texts.push(String(thing), inspect(thing, { depth: 12, showHidden: true, getters: true }))
      if (thing instanceof Error) {
        this.texts.push(String(thing.stack))
        if (thing.cause != null) this.hear(thing.cause)
      }
      try {
        this.texts.push(JSON.stringify(thing) ?? '')
      } catch {
        // What cannot be written as JSON cannot be given away by it.
      }
    }
  }

  /** Forms in which a secret could be read off what was said. */
  assertSilent(secrets: readonly string[]): void {
    const said = this.texts.join('\n')
    assert.ok(said.length > 100, 'nothing was said at all')
    for (const form of secrets.flatMap(secretForms)) {
      const at = said.indexOf(form)
      assert.equal(at, -1, `found ${form}: …${said.slice(Math.max(0, at - 200), at + 100)}…`)
    }
  }
}
