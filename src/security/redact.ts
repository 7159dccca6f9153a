import { Buffer } from 'node:buffer'

const HIDDEN = '[hidden]'
/** Shorter secrets are only looked for as they are: their encodings would be found by chance. */
const ENCODED_CHARACTERS_MIN = 4

/** A peer's text, without the forms in which a secret can be read off it. */
export function redact(text: string, secrets: readonly string[]): string {
  let redacted = text
  for (const form of secrets.flatMap(formsOf)) redacted = redacted.replaceAll(form, HIDDEN)
  return redacted
}

function formsOf(secret: string): string[] {
  if (secret === '') return []
  if (secret.length < ENCODED_CHARACTERS_MIN) return [secret]
  const hex = Buffer.from(secret).toString('hex')
  const forms = [
    secret,
    encodeURIComponent(secret),
    hex,
    hex.toUpperCase(),
    JSON.stringify(secret).slice(1, -1),
  ]
  for (let shift = 0; shift < 3; shift++) forms.push(...base64Forms(secret, shift))
  return [...new Set(forms)].sort((left, right) => right.length - left.length)
}

/** How base64 spells the secret after `shift` other bytes: only characters all of whose bits are its own. */
function base64Forms(secret: string, shift: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)])
  const from = Math.ceil((shift * 8) / 6)
  const to = Math.floor((bytes.length * 8) / 6)
  return (['base64', 'base64url'] as const).map(encoding => bytes.toString(encoding).slice(from, to))
}
