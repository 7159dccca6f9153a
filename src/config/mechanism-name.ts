/** What the protocol calls the mechanisms that are known by name here. */
const KNOWN = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'GSSAPI']

/**
 * The mechanism as brokers write it: other clients take it in lower case. The application's own
 * (`saslMechanisms`) are what they are called.
 */
export function mechanismName(given: string, own: unknown): string {
  const isOwn = Array.isArray(own) && own.some(each => (each as { name?: unknown } | null)?.name === given)
  return isOwn ? given : (KNOWN.find(name => name === given.toUpperCase()) ?? given)
}
