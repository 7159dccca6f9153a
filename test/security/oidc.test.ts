import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer, type Server } from 'node:net'
import { after, before, describe, mock, test } from 'node:test'
import { Secret } from '../../dist/common/secret.js'
import {
  AuthenticationError,
  ConfigError,
  type KafkaError,
  NetworkError,
  Producer,
} from '../../dist/index.js'
import { clientCredentialsProvider } from '../../dist/security/sasl/oidc.js'
import { startBroker } from '../../dist/testing/index.js'
import { Authority, opensslSkip } from '../helpers/certificates.js'
import { RecordingLogger } from '../helpers/cluster-options.js'

const SECRET = 'c4nary/s3cret+ü'
const JAAS = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required'

describe('the client-credentials grant', { skip: opensslSkip() }, () => {
  let authority: Authority
  let server: Server
  let answer: (request: IncomingMessage & { form: string }, response: ServerResponse) => void
  let requests: { path?: string; authorization?: string; form: string }[] = []
  const portOf = (of: Server) => (of.address() as { port: number }).port

  before(async () => {
    authority = new Authority()
    server = createHttpsServer(authority.issue(), async (request, response) => {
      let form = ''
      for await (const chunk of request) form += chunk
      const { url, headers } = request
      requests.push({ path: url ?? '', authorization: headers.authorization ?? '', form })
      answer(Object.assign(request, { form }), response)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  })
  after(async () => {
    await new Promise(resolve => server.close(resolve))
    authority.remove()
  })

  async function fetchToken(options: object = {}, ca: string | null = authority.ca.cert) {
    requests = []
    return clientCredentialsProvider({
      tokenEndpoint: new URL(`https://127.0.0.1:${portOf(server)}/token?tenant=x`),
      clientId: 'the client',
      clientSecret: new Secret(SECRET),
      scope: 'a b',
      urlEncodesHeader: false,
      connectTimeoutMs: 20_000,
      readTimeoutMs: 20_000,
      retryBackoffMs: 20,
      retryBackoffMaxMs: 200,
      extensions: {},
      ca: ca === null ? null : [ca],
      ...options,
    })()
  }

  const json = (status: number, body: unknown, headers = {}) => {
    answer = (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
    }
  }

  /** A refusal that is of this class, matches, shows no secret, and took so many requests. */
  async function refused(
    fetching: Promise<unknown>,
    kind: abstract new (...args: never[]) => KafkaError,
    reason: RegExp,
  ): Promise<void> {
    await assert.rejects(fetching, (error: Error) => {
      assert.ok(error instanceof kind, String(error))
      assert.match(error.message, reason)
      assert.ok(!error.message.includes('c4nary') && !error.message.includes('tenant'))
      return true
    })
  }

  test('asks with the id and secret in the header, and takes the token with its lifetime', async () => {
    json(200, { access_token: 'a.b.c', expires_in: 60, token_type: 'Bearer' })
    const token = (await fetchToken()) as { value: string; expiresAtMs: number }
    assert.equal(token.value, 'a.b.c')
    assert.ok(Math.abs(token.expiresAtMs - Date.now() - 60_000) < 10_000)
    const basic = Buffer.from(`the client:${SECRET}`).toString('base64')
    const form = 'grant_type=client_credentials&scope=a+b'
    assert.deepEqual(requests, [{ path: '/token?tenant=x', authorization: `Basic ${basic}`, form }])
  })

  test('encodes id and secret as RFC 6749 has it where that is asked for, and leaves out no scope', async () => {
    json(200, { access_token: 't' })
    await fetchToken({ urlEncodesHeader: true, scope: null })
    const basic = Buffer.from('the+client:c4nary%2Fs3cret%2B%C3%BC').toString('base64')
    assert.equal(requests[0]?.authorization, `Basic ${basic}`)
    assert.equal(requests[0]?.form, 'grant_type=client_credentials')
  })

  test('is not sent where a redirect points', async () => {
    json(307, {}, { location: `https://127.0.0.1:${portOf(server)}/elsewhere` })
    await refused(fetchToken(), AuthenticationError, /status 307; redirects are not followed/)
    assert.equal(requests.length, 1)
  })

  test('is not tried again after a refusal, of which only a plain code is shown', async () => {
    json(401, { error: 'invalid_client', error_description: `${SECRET} is wrong` })
    await refused(fetchToken(), AuthenticationError, /status 401, invalid_client$/)
    json(400, { error: SECRET })
    await refused(fetchToken(), AuthenticationError, /status 400$/)
    assert.equal(requests.length, 1)
  })

  test('is tried again while the server is in trouble, for as long as that may take', async () => {
    let turn = 0
    answer = (_request, response) => {
      response.writeHead(++turn < 3 ? 503 : 200).end(JSON.stringify({ access_token: 'late' }))
    }
    const patient = { retryBackoffMaxMs: 20_000 }
    assert.equal(((await fetchToken(patient)) as { value: string }).value, 'late')
    assert.equal(turn, 3)
    json(503, {})
    const fail = answer
    let nowMs = 0
    const clock = mock.method(performance, 'now', () => nowMs)
    try {
      answer = (request, response) => {
        nowMs += 400
        fail(request, response)
      }
      await refused(fetchToken({ retryBackoffMaxMs: 1000 }), NetworkError, /status 503/)
      assert.equal(requests.length, 3)
    } finally {
      // Not left to the test's end, at which not every runtime restores it.
      clock.mock.restore()
    }
  })

  test('takes no answer for a token that has none', async () => {
    for (const body of [{}, null, 'text', { access_token: 5 }, { access_token: '' }, []]) {
      json(200, body)
      await refused(fetchToken(), AuthenticationError, /without an access_token/)
    }
  })

  test('does not read an answer without end', async () => {
    answer = (_request, response) => {
      response.writeHead(200)
      const chunk = Buffer.alloc(1 << 16)
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      }
      response.on('drain', more)
      more()
    }
    await refused(fetchToken({ retryBackoffMaxMs: 1 }), NetworkError, /more than 1048576 bytes/)
  })

  test('waits neither for a connection nor for an answer longer than it may', async () => {
    answer = () => {}
    const once = { retryBackoffMaxMs: 1 }
    await refused(fetchToken({ ...once, readTimeoutMs: 200 }), NetworkError, /the answer took over 200 ms/)
    const silent = createServer(socket => socket.on('error', () => {})).unref()
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    const tokenEndpoint = new URL(`https://127.0.0.1:${portOf(silent)}/`)
    const unanswered = fetchToken({ ...once, tokenEndpoint, connectTimeoutMs: 200 })
    await refused(unanswered, NetworkError, /connecting took over 200 ms/)
  })

  test('gives no secret to a server whose certificate is not trusted or for another name', async () => {
    json(200, { access_token: 't' })
    await refused(fetchToken({ retryBackoffMaxMs: 1 }, null), NetworkError, /unable to verify|self.signed/)
    const tokenEndpoint = new URL(`https://127.0.0.2:${portOf(server)}/`)
    await refused(fetchToken({ retryBackoffMaxMs: 1, tokenEndpoint }), NetworkError, /./)
    assert.deepEqual(requests, [])
  })

  test('lets a producer deliver, configured as in Java', async () => {
    json(200, { access_token: 'from-the-endpoint', expires_in: 600 })
    let extensions = ''
    const sasl = { acceptsToken: (token: string) => token === 'from-the-endpoint' }
    await using broker = await startBroker({ quiet: true, sasl })
    broker.onRequest(({ api, body }) => {
      if (api === 'SaslAuthenticate') extensions = String((body as { authBytes: Buffer }).authBytes)
    })
    const caFile = authority.ca.certFile
    await using producer = new Producer({
      'bootstrap.servers': broker.bootstrapServers,
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': 'OAUTHBEARER',
      'sasl.oauthbearer.token.endpoint.url': `https://127.0.0.1:${portOf(server)}/token`,
      'sasl.oauthbearer.client.credentials.client.id': 'id',
      'sasl.oauthbearer.client.credentials.client.secret': SECRET,
      'sasl.jaas.config': `${JAAS} ssl.truststore.location="${caFile}" extension_pool="p-1";`,
      logger: new RecordingLogger(),
    })
    requests = []
    await producer.send({ topic: 't', value: 'v' })
    assert.equal(requests.length, 1, 'one token for both connections')
    assert.match(extensions, /pool=p-1/)
  })

  test('is refused by the constructor where its URL is not https or its client is not named', () => {
    const make = (url: string, more: object = {}) =>
      new Producer({
        bootstrapServers: '127.0.0.1:1',
        securityProtocol: 'SASL_SSL',
        saslMechanism: 'OAUTHBEARER',
        saslOauthbearerTokenEndpointUrl: url,
        saslOauthbearerClientCredentialsClientId: 'id',
        saslOauthbearerClientCredentialsClientSecret: SECRET,
        ...more,
      })
    for (const url of ['http://127.0.0.1/t', 'https://u:c4nary@x/', 'no url', 'ftp://x']) {
      assert.throws(
        () => make(url),
        (error: Error) =>
          error instanceof ConfigError && /https/.test(error.message) && !/c4nary/.test(error.message),
        url,
      )
    }
    assert.throws(() => make('https://x/', { saslOauthbearerClientCredentialsClientId: null }), /client\.id/)
    assert.throws(() => make('https://x/', { saslOauthbearerClientCredentialsClientSecret: null }), /secret/)
  })
})
