import { Buffer } from 'node:buffer'
import { AuthenticationError, ConfigError } from '../../errors/index.js'
import { type AwsCredentials, presign, sha256 } from './aws-signature.js'
import type { OauthToken, OauthTokenProvider } from './oauth-token.js'

/** Where a cluster is and who asks. */
export interface AwsMskIamOptions {
  /** Region of the cluster, such as `eu-central-1`. */
  readonly region: string
  /**
   * Asked for each token. Default: the environment variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
   * `AWS_SESSION_TOKEN`. For roles pass a provider of AWS's own SDK, such as `fromNodeProviderChain()`.
   */
  readonly credentials?: () => AwsCredentials | Promise<AwsCredentials>
}

const LIFETIME_SECONDS = 900
const REGION = /^[a-z0-9-]+$/

/**
 * Tokens for Amazon MSK with IAM access control: a signed request to connect, in base64. Use it as
 * `saslOauthTokenProvider` with `sasl.mechanism` OAUTHBEARER and `security.protocol` SASL_SSL.
 */
export function awsMskIamTokenProvider(options: AwsMskIamOptions): OauthTokenProvider {
  const { region, credentials = credentialsOfEnvironment } = options
  if (typeof region !== 'string' || !REGION.test(region)) {
    throw new ConfigError('awsMskIamTokenProvider needs a region, such as eu-central-1')
  }
  return async (): Promise<OauthToken> => {
    const now = new Date()
    const request = {
      host: `kafka.${region}.amazonaws.com`,
      path: '/',
      query: { Action: 'kafka-cluster:Connect' },
      region,
      service: 'kafka-cluster',
      expiresSeconds: LIFETIME_SECONDS,
      payloadHash: sha256(''),
    }
    // The user agent is for the service's own records and not part of what is signed.
    const url = `${presign(request, await credentials(), now)}&User-Agent=millrace`
    return {
      value: Buffer.from(url).toString('base64url'),
      expiresAtMs: now.getTime() + LIFETIME_SECONDS * 1000,
    }
  }
}

function credentialsOfEnvironment(): AwsCredentials {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env
  if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) {
    return {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      sessionToken: AWS_SESSION_TOKEN || undefined,
    }
  }
  throw new AuthenticationError('there are no AWS credentials in the environment; pass credentials')
}
