import { builtins } from '../../common/builtins.js'

/** Credentials of AWS. */
export interface AwsCredentials {
  /** Id of the access key. */
  readonly accessKeyId: string
  /** Secret of the access key; it signs and is never sent. */
  readonly secretAccessKey: string
  /** With temporary credentials. */
  readonly sessionToken?: string | undefined
}

/** A request that is to be signed in its URL. */
interface PresignedRequest {
  readonly host: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly region: string
  readonly service: string
  readonly expiresSeconds: number
  /** SHA-256 of the body in hex, or what the service takes instead. */
  readonly payloadHash: string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/** The URL of a GET request with its signature (AWS Signature Version 4, in the query). */
export function presign(request: PresignedRequest, credentials: AwsCredentials, at: Date): string {
  const { host, path, region, service } = request
  const timestamp = at.toISOString().replace(/[-:]|\.\d{3}/g, '')
  const date = timestamp.slice(0, 8)
  const scope = `${date}/${region}/${service}/aws4_request`
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const query = sortedQuery({
    ...request.query,
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': `${accessKeyId}/${scope}`,
    'X-Amz-Date': timestamp,
    'X-Amz-Expires': String(request.expiresSeconds),
    ...(sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken }),
    'X-Amz-SignedHeaders': 'host',
  })
  const canonical = ['GET', path, query, `host:${host}`, '', 'host', request.payloadHash].join('\n')
  const toSign = [ALGORITHM, timestamp, scope, sha256(canonical)].join('\n')
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(
    (signing, part) => builtins.crypto.createHmac('sha256', signing).update(part).digest(),
    `AWS4${secretAccessKey}`,
  )
  const signature = builtins.crypto.createHmac('sha256', key).update(toSign).digest('hex')
  return `https://${host}${path}?${query}&X-Amz-Signature=${signature}`
}

export function sha256(text: string): string {
  return builtins.crypto.createHash('sha256').update(text).digest('hex')
}

function sortedQuery(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`)
  return pairs.sort().join('&')
}

/** All but letters, digits and `-._~`, which is more than `encodeURIComponent` encodes. */
function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
