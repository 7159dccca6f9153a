import { AuthenticationError } from '../../errors/index.js'

/** User name and password for PLAIN and SCRAM. */
export interface SaslCredentials {
  /** Name of the user; text of any length. */
  readonly username: string
  /** Password of the user, as it is. */
  readonly password: string
}

/** Asked at every authentication: what it answers then is used, so passwords may change at run time. */
export type SaslCredentialsProvider = () => SaslCredentials | Promise<SaslCredentials>

/** Credentials as mechanisms use them. */
export interface CheckedCredentials extends SaslCredentials {
  /** SCRAM: they are those of a delegation token (KIP-48). */
  readonly isDelegationToken?: boolean
}

export type CredentialsSource = () => CheckedCredentials | Promise<CheckedCredentials>

/** A source that believes nothing of what the provider answers. */
export function checkedProvider(provider: SaslCredentialsProvider): CredentialsSource {
  return async () => {
    const given: unknown = await provider()
    const { username, password } = (given ?? {}) as Partial<SaslCredentials>
    for (const [name, value] of Object.entries({ username, password })) {
      if (typeof value === 'string' && value !== '') continue
      throw new AuthenticationError(`saslCredentialsProvider answered without a ${name}`)
    }
    return { username: username as string, password: password as string }
  }
}
