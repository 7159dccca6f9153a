import assert from 'node:assert/strict'
import { test } from 'node:test'
import { awsMskIamTokenProvider } from '../../dist/index.js'
import { presign } from '../../dist/security/sasl/aws-signature.js'

const EXAMPLE = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

test('a request is signed as in the example of the documentation of Signature Version 4', () => {
  const request = {
    host: 'examplebucket.s3.amazonaws.com',
    path: '/test.txt',
    query: {},
    region: 'us-east-1',
    service: 's3',
    expiresSeconds: 86400,
    payloadHash: 'UNSIGNED-PAYLOAD',
  }
  const url = new URL(presign(request, EXAMPLE, new Date('2013-05-24T00:00:00Z')))
  assert.equal(
    url.searchParams.get('X-Amz-Signature'),
    'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  )
})

test('a token is a signed request to connect to the cluster, and ends after 15 minutes', async () => {
  const credentials = async () => ({ ...EXAMPLE, sessionToken: 'a/b+c=' })
  const token = (await awsMskIamTokenProvider({ region: 'eu-central-1', credentials })()) as {
    value: string
    expiresAtMs: number
  }
  assert.match(token.value, /^[A-Za-z0-9_-]+$/)
  assert.ok(Math.abs(token.expiresAtMs - Date.now() - 900_000) < 10_000)
  const url = new URL(Buffer.from(token.value, 'base64url').toString())
  assert.equal(url.origin, 'https://kafka.eu-central-1.amazonaws.com')
  const parameters = Object.fromEntries(url.searchParams)
  assert.equal(parameters.Action, 'kafka-cluster:Connect')
  assert.equal(parameters['X-Amz-Security-Token'], 'a/b+c=')
  assert.equal(parameters['X-Amz-Expires'], '900')
  assert.match(
    String(parameters['X-Amz-Credential']),
    /^AKIAIOSFODNN7EXAMPLE\/\d{8}\/eu-central-1\/kafka-cluster\/aws4_request$/,
  )
  assert.match(String(parameters['X-Amz-Signature']), /^[0-9a-f]{64}$/)
  assert.ok(!url.href.includes(EXAMPLE.secretAccessKey))
})

test('a region that could lead elsewhere is refused', () => {
  for (const region of ['', 'x.example.com/', 'a@b', undefined as never]) {
    assert.throws(() => awsMskIamTokenProvider({ region }), /region/)
  }
})
