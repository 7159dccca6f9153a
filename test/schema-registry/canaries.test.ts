// The credentials of a registry's client, which the registry gets to know, and sends back as it likes.
import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { SchemaRegistryClient, type SchemaRegistryClientOptions } from '../../dist/schema-registry/index.js'
import { SecretListener } from '../helpers/secret-listener.js'

const PASSWORD = 'c4nary-password/+ü&'
const TOKEN = 'c4nary.of-the.token'
const API_KEY = 'c4nary-of-the-api-key'
const SECRETS = [PASSWORD, TOKEN, API_KEY]
const HOSTILE = '\u001b]0;owned\u0007\r\nFORGED\u009b2J\u202e'

/** What the client has sent, in every form in which it may come back. */
function knownOf(request: string): string {
  const authorization = /^authorization: *(.*?)\r?$/im.exec(request)?.[1] ?? ''
  const [, credentials = ''] = authorization.split(' ')
  const plain = Buffer.from(credentials, 'base64').toString()
  const password = plain.slice(plain.indexOf(':') + 1)
  const key = /^x-api-key: *(.*?)\r?$/im.exec(request)?.[1] ?? ''
  const forms = [PASSWORD, TOKEN].some(each => each === password)
    ? [password, encodeURIComponent(password), Buffer.from(password).toString('hex'), credentials]
    : [credentials]
  return `${HOSTILE} ${authorization} ${forms.join(' ')} ${key} ${request}`
}

const http = (status: string, body: string) =>
  `HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`

const answers: [title: string, answer: (known: string) => string | null][] = [
  ['refuses', known => http('401 x', JSON.stringify({ error_code: 40101, message: known }))],
  ['is out of order', known => http('500 x', JSON.stringify({ error_code: 50001, message: known }))],
  ['refuses in its status line', known => http(`403 ${known.replace(/[^ -~]/g, ' ')}`, '{}')],
  ['answers no JSON', known => http('200 OK', known)],
  ['answers another JSON', known => http('200 OK', JSON.stringify({ [known]: known }))],
  [
    'answers a schema that is none',
    known => http('200 OK', JSON.stringify({ schema: 5, schemaType: known })),
  ],
  ['answers what is no HTTP', known => `${known}\r\n\r\n`],
  ['has a length that is none', known => `HTTP/1.1 200 OK\r\ncontent-length: ${known}\r\n\r\n{}`],
  ['has a header that is none', known => `HTTP/1.1 200 OK\r\n${known} \u0001: x\r\n\r\n{}`],
  [
    'redirects',
    known => `HTTP/1.1 302 x\r\nlocation: http://127.0.0.1:1/${encodeURIComponent(known)}\r\n\r\n`,
  ],
  ['ends in the middle', known => `HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{"schema":"${known}`],
  ['closes the connection', () => null],
]

const logins: ((url: string) => Partial<SchemaRegistryClientOptions>)[] = [
  url => ({ urls: url.replace('//', `//alice:${encodeURIComponent(PASSWORD)}@`) }),
  url => ({ urls: url, auth: { username: 'alice', password: PASSWORD } }),
  url => ({ urls: url, auth: { token: TOKEN } }),
  url => ({ urls: url, auth: { token: async () => TOKEN } }),
]

async function ask(listener: SecretListener, options: Partial<SchemaRegistryClientOptions>): Promise<void> {
  const client = new SchemaRegistryClient({
    ...{ retries: 1, retryBackoffMs: 1, requestTimeoutMs: 500, logger: listener.logger },
    headers: { 'x-api-key': API_KEY },
    ...options,
  } as SchemaRegistryClientOptions)
  const outcomes = await Promise.allSettled([
    client.getSchemaById(1),
    client.getLatest('s'),
    client.register('s', { schema: '"string"', schemaType: 'AVRO', references: [] }),
  ])
  for (const outcome of outcomes) {
    assert.equal(outcome.status, 'rejected')
    listener.hear((outcome as PromiseRejectedResult).reason)
  }
  listener.hear(client)
  client.close()
}

describe('the credentials of a registry are not told when it', () => {
  for (const [title, answer] of answers) {
    test(title, async () => {
      const listener = new SecretListener()
      const server = createServer((socket: Socket) => {
        socket.on('error', () => {})
        socket.on('data', data => {
          const said = answer(knownOf(`${data}`))
          if (said === null) socket.destroy()
          else socket.end(said)
        })
      }).unref()
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      await Promise.all(logins.map(login => ask(listener, login(url))))
      server.close()
      assert.ok(listener.errors >= 12, `${listener.errors} errors`)
      listener.assertSilent(SECRETS)
    })
  }

  test('is not there, or an address or login is not valid', async () => {
    const listener = new SecretListener()
    await Promise.all(logins.map(login => ask(listener, login('http://127.0.0.1:1'))))
    const wrong: object[] = [
      { urls: `http://alice:${PASSWORD}@ h` },
      { urls: `ftp://alice:${encodeURIComponent(PASSWORD)}@h` },
      { urls: `http://alice:%zz${encodeURIComponent(PASSWORD)}@h` },
      { urls: 'http://h', auth: { token: `${TOKEN}\n` } },
      { urls: 'http://h', auth: { password: PASSWORD } },
      { urls: 'http://h', headers: { 'x-api-key': `${API_KEY}\n` } },
      { urls: 'http://h', [`password=${PASSWORD}`]: 1 },
      { urls: 'http://h', requestTimeoutMs: PASSWORD },
    ]
    for (const options of wrong) {
      assert.throws(
        () => new SchemaRegistryClient(options as never),
        (error: unknown) => {
          listener.hear(error)
          return true
        },
      )
    }
    const token = async () => {
      throw new Error('no token today')
    }
    await ask(listener, { urls: 'http://127.0.0.1:1', auth: { token } })
    listener.assertSilent(SECRETS)
  })
})
