import { AuthenticationError } from '../../errors/index.js'

/** Controls, format characters, surrogates, private and unassigned ones; blanks other than the plain one. */
const MAPPED_OR_PROHIBITED = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}|\u034f|\u1806|[\u180b-\u180d]|[\ufe00-\ufe0f]/u

/**
 * The text, if it is what SASLprep (RFC 4013) makes of it; otherwise it is refused. Kafka's brokers derive
 * keys from a password as it was typed, clients of other makes from the prepared one: only where both are the
 * same do all agree. The rule on mixed directions of writing, which changes no text, is not applied.
 */
export function alreadyPrepared(name: string, text: string): string {
  if (!MAPPED_OR_PROHIBITED.test(text) && text.normalize('NFKC') === text) return text
  throw new AuthenticationError(
    `the ${name} has characters that SASLprep (RFC 4013) prohibits or replaces, and brokers do not agree ` +
      'on what becomes of them; choose one that NFKC leaves as it is, without invisible characters',
  )
}
