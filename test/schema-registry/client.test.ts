import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { Agent, fetch } from 'undici'
import { ConfigError, KafkaError } from '../../dist/index.js'
import {
  SchemaRegistryClient,
  type SchemaRegistryClientOptions,
  SchemaRegistryError,
} from '../../dist/schema-registry/index.js'
import { Authority, opensslSkip } from '../helpers/certificates.js'
import { RegistryServer, type RegistryServerOptions } from './registry-server.js'

const AVRO = '{"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]}'
const SCHEMA = { schema: AVRO, schemaType: 'AVRO' } as const
const silent = { debug() {}, info() {}, warn() {}, error() {} }

async function withRegistry(
  work: (server: RegistryServer, client: SchemaRegistryClient) => Promise<void>,
  options: Partial<SchemaRegistryClientOptions> = {},
  serverOptions: RegistryServerOptions = {},
): Promise<void> {
  await using server = await RegistryServer.start(serverOptions)
  using client = new SchemaRegistryClient({
    urls: server.url,
    retryBackoffMs: 1,
    logger: silent,
    ...options,
  })
  await work(server, client)
}

async function rejection(call: Promise<unknown>): Promise<SchemaRegistryError> {
  const error = await call.then(
    () => assert.fail('it did not reject'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof SchemaRegistryError, inspect(error))
  assert.ok(error instanceof KafkaError)
  assert.equal(error.code, 'SCHEMA_REGISTRY')
  return error
}

test('an id, a guid and a version are asked for once, ever', () =>
  withRegistry(async (server, client) => {
    const id = server.add('orders-value', AVRO)
    const guid = server.guidOf(id)
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await client.getSchemaById(id), {
        id,
        guid,
        schema: AVRO,
        schemaType: 'AVRO',
        subject: 'orders-value',
        version: 1,
      })
      assert.equal((await client.getSchemaByGuid(guid)).schema, AVRO)
      assert.equal((await client.getVersion('orders-value', 1)).id, id)
    }
    assert.deepEqual(
      server.requests.map(({ path }) => path),
      [`/schemas/ids/${id}`, `/schemas/guids/${guid}`, '/subjects/orders-value/versions/1'],
    )
    client.clearCache()
    await client.getSchemaById(id)
    assert.equal(server.requests.length, 4)
  }))

test('the latest version is asked for again after its time', () =>
  withRegistry(
    async (server, client) => {
      server.add('s', AVRO)
      assert.equal((await client.getLatest('s')).version, 1)
      const second = AVRO.replace('Order', 'Other')
      server.add('s', second)
      const deadline = Date.now() + 10_000
      while ((await client.getLatest('s')).version === 1) {
        assert.ok(Date.now() < deadline)
        await new Promise(resolve => setTimeout(resolve, 20))
      }
      assert.equal((await client.getLatest('s')).schema, second)
    },
    { latestTtlMs: 200 },
  ))

test('within its time the latest version is the one it was', () =>
  withRegistry(async (server, client) => {
    server.add('s', AVRO)
    assert.equal((await client.getLatest('s')).version, 1)
    server.add('s', AVRO.replace('Order', 'Other'))
    assert.equal((await client.getLatest('s')).version, 1)
    assert.equal(server.requests.length, 1)
  }))

test('a thousand that ask the same share one request, and its failure', () =>
  withRegistry(async (server, client) => {
    const id = server.add('s', AVRO)
    server.delayMs = 50
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => client.getSchemaById(id)))
    assert.equal(new Set(answers).size, 1)
    assert.equal(server.requests.length, 1)
    const failures = await Promise.allSettled(Array.from({ length: 10 }, () => client.getLatest('none')))
    assert.ok(failures.every(({ status }) => status === 'rejected'))
    assert.equal(server.requests.length, 2)
  }))

test('the least recently used answer is forgotten first', () =>
  withRegistry(
    async (server, client) => {
      for (const name of ['a', 'b', 'c']) server.add(name, AVRO.replace('Order', name.toUpperCase()))
      await client.getVersion('a', 1)
      await client.getVersion('b', 1)
      await client.getVersion('a', 1)
      await client.getVersion('c', 1)
      await client.getVersion('a', 1)
      assert.equal(server.requests.length, 3)
      await client.getVersion('b', 1)
      assert.equal(server.requests.length, 4)
    },
    { cacheSize: 2 },
  ))

test('registering and looking up: what is sent, and what comes back', () =>
  withRegistry(async (server, client) => {
    const schema = {
      schema: 'syntax = "proto3"; message A {}',
      schemaType: 'PROTOBUF',
      references: [{ name: 'b.proto', subject: 'b', version: 2 }],
    } as const
    const made = await client.register('t/ä-value', schema, { normalize: true })
    assert.deepEqual({ ...made }, { ...schema, id: 1, guid: server.guidOf(1) })
    assert.equal((await client.lookup('t/ä-value', schema)).version, 1)
    assert.deepEqual(await client.register('t/ä-value', schema, { normalize: true }), made)
    const [first, second] = server.requests
    assert.equal(server.requests.length, 2)
    assert.equal(first?.path, '/subjects/t%2F%C3%A4-value/versions?normalize=true')
    assert.deepEqual(first?.body, schema)
    assert.equal(first?.headers['content-type'], 'application/vnd.schemaregistry.v1+json')
    assert.equal(second?.path, '/subjects/t%2F%C3%A4-value')
    await client.register('avro', SCHEMA)
    assert.deepEqual(server.requests[2]?.body, { schema: AVRO })
  }))

describe('what a registry refuses', () => {
  const rows = [
    [404, 40401, 'SUBJECT_NOT_FOUND', false],
    [404, 40402, 'VERSION_NOT_FOUND', false],
    [404, 40403, 'SCHEMA_NOT_FOUND', false],
    [404, 0, 'NOT_FOUND', false],
    [409, 409, 'INCOMPATIBLE_SCHEMA', false],
    [422, 42201, 'INVALID_SCHEMA', false],
    [422, 42202, 'INVALID_VERSION', false],
    [422, 42205, 'OPERATION_NOT_PERMITTED', false],
    [401, 401, 'UNAUTHORIZED', false],
    [403, 40301, 'FORBIDDEN', false],
    [429, 42901, 'THROTTLED', true],
    [500, 50001, 'STORE_ERROR', true],
    [500, 50002, 'OPERATION_TIMED_OUT', true],
    [500, 50003, 'FORWARDING_ERROR', true],
    [500, 50004, 'UNKNOWN_LEADER', true],
    [503, 0, 'HTTP_ERROR', true],
    [418, 0, 'HTTP_ERROR', false],
  ] as const
  for (const [status, code, name, retriable] of rows) {
    test(`${status} ${code}: ${name}`, () =>
      withRegistry(
        async (server, client) => {
          const body = code === 0 ? '<html>no JSON</html>' : { error_code: code, message: 'because' }
          server.fail([status, body])
          const error = await rejection(client.register('s', SCHEMA))
          assert.equal(error.errorName, name)
          assert.equal(error.errorCode, code)
          assert.equal(error.status, status)
          assert.equal(error.retriable, retriable)
          assert.equal(error.url, `${server.url}/subjects/s/versions`)
          if (code !== 0) assert.match(error.message, /because/)
          assert.equal(server.requests.length, retriable ? 3 : 1, 'requests')
          assert.equal(JSON.parse(JSON.stringify(error)).errorName, name)
          server.recover()
          assert.equal((await client.register('s', SCHEMA)).id, 1)
        },
        { retries: 2, notFoundTtlMs: 0 },
      ))
  }

  test('what is not there is not asked for again for a while, then it is', () =>
    withRegistry(
      async (server, client) => {
        await rejection(client.getLatest('s'))
        await rejection(client.getLatest('s'))
        assert.equal(server.requests.length, 1)
        server.add('s', AVRO)
        const deadline = Date.now() + 10_000
        while ((await client.getLatest('s').catch(() => undefined)) === undefined) {
          assert.ok(Date.now() < deadline)
          await new Promise(resolve => setTimeout(resolve, 20))
        }
        assert.equal(server.requests.length, 2)
      },
      { notFoundTtlMs: 300 },
    ))

  const wrong = [
    ['no JSON', 'hello'],
    ['no object', 'null'],
    ['no schema', { id: 1 }],
    ['a schema that is no text', { id: 1, schema: {} }],
    ['no id', { schema: '"string"' }],
    ['an id that is no int32', { id: 2 ** 31, schema: '"string"' }],
    ['an unknown type', { id: 1, schema: '"string"', schemaType: 'THRIFT' }],
  ] as const
  for (const [name, body] of wrong) {
    test(`an answer with ${name}`, () =>
      withRegistry(
        async (server, client) => {
          server.fail([200, body])
          assert.equal((await rejection(client.getLatest('s'))).errorName, 'BAD_RESPONSE')
        },
        { retries: 0 },
      ))
  }
})

describe('when registries fail', () => {
  test('one that is down at the start is asked until it is there', async () => {
    await using server = await RegistryServer.start()
    server.add('s', AVRO)
    await server.down()
    using client = new SchemaRegistryClient({
      urls: server.url,
      retries: 1_000,
      retryBackoffMs: 20,
      retryBackoffMaxMs: 20,
    })
    const answer = client.getLatest('s')
    await new Promise(resolve => setTimeout(resolve, 200))
    await server.up()
    assert.equal((await answer).id, 1)
  })

  test('one that stays down: UNREACHABLE, with the address and the reason', async () => {
    await using server = await RegistryServer.start()
    await server.down()
    using client = new SchemaRegistryClient({ urls: server.url, retries: 1, retryBackoffMs: 1 })
    const error = await rejection(client.getLatest('s'))
    assert.equal(error.errorName, 'UNREACHABLE')
    assert.equal(error.retriable, true)
    assert.match(error.message, new RegExp(`${server.url}/subjects/s.*refused`, 'i'))
  })

  test('one that is slow: TIMED_OUT, after the time for each attempt', () =>
    withRegistry(
      async (server, client) => {
        server.add('s', AVRO)
        server.delayMs = 60_000
        server.fail('cut', 0)
        const error = await rejection(client.getLatest('s'))
        assert.equal(error.errorName, 'TIMED_OUT')
        assert.equal(server.requests.length, 2)
        server.delayMs = 0
        assert.equal((await client.getLatest('s')).id, 1)
      },
      { requestTimeoutMs: 300, retries: 1 },
    ))

  test('5xx and cut connections are retried, and the answer counts', () =>
    withRegistry(async (server, client) => {
      server.add('s', AVRO)
      server.fail([500, { error_code: 50003, message: 'Error while forwarding' }], 1)
      server.fail('cut', 1)
      server.fail([429, '', { 'retry-after': '1' }], 1)
      const startedMs = performance.now()
      assert.equal((await client.getLatest('s')).id, 1)
      assert.ok(performance.now() - startedMs > 900, 'Retry-After is kept to')
      assert.equal(server.requests.length, 4)
    }))

  test('the next address is asked where one fails, and the one that answered stays', async () => {
    await using down = await RegistryServer.start()
    await using failing = await RegistryServer.start()
    await using good = await RegistryServer.start()
    await down.down()
    failing.fail([502, 'Bad Gateway'])
    good.add('s', AVRO)
    using client = new SchemaRegistryClient({ urls: [down.url, `${failing.url}/`, good.url], retries: 0 })
    assert.equal((await client.getLatest('s')).id, 1)
    assert.equal((await client.getSchemaById(1)).id, 1)
    assert.equal(failing.requests.length, 1)
    assert.equal(good.requests.length, 2)
    await down.up()
    down.add('other', AVRO)
    await good.down()
    assert.equal((await client.getLatest('other')).id, 1)
  })

  test('a refusal is not taken to the next address', async () => {
    await using first = await RegistryServer.start()
    await using second = await RegistryServer.start()
    second.add('s', AVRO)
    using client = new SchemaRegistryClient({ urls: `${first.url}, ${second.url}` })
    assert.equal((await rejection(client.getLatest('s'))).errorName, 'SUBJECT_NOT_FOUND')
    assert.equal(second.requests.length, 0)
  })

  test('close gives up what is in flight and what waits, and refuses the rest', () =>
    withRegistry(
      async (server, client) => {
        server.delayMs = 60_000
        const inFlight = rejection(client.getLatest('a'))
        while (server.requests.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
        client.close()
        assert.equal((await inFlight).errorName, 'CLOSED')
        assert.equal((await rejection(client.getLatest('b'))).errorName, 'CLOSED')
        assert.equal(server.requests.length, 1)
      },
      { retries: 1_000 },
    ))
})

describe('credentials', () => {
  const PASSWORD = 's3cret päss:word'
  const BASIC = `Basic ${Buffer.from(`user:${PASSWORD}`).toString('base64')}`

  test('Basic by option, Basic by address, headers of one’s own', async () => {
    await using server = await RegistryServer.start({ authorization: BASIC })
    server.add('s', AVRO)
    const host = server.url.slice('http://'.length)
    const given: SchemaRegistryClientOptions[] = [
      { urls: server.url, auth: { username: 'user', password: PASSWORD } },
      { urls: `http://user:${encodeURIComponent(PASSWORD)}@${host}` },
      { urls: server.url, headers: { authorization: BASIC, 'x-cluster': 'lsrc-1' } },
    ]
    for (const options of given) {
      using client = new SchemaRegistryClient(options)
      assert.equal((await client.getLatest('s')).id, 1)
    }
    assert.equal(server.requests[2]?.headers['x-cluster'], 'lsrc-1')
  })

  test('Bearer: a token, and a function that is asked before every request', async () => {
    await using server = await RegistryServer.start({ authorization: 'Bearer t2' })
    server.add('s', AVRO)
    using fixed = new SchemaRegistryClient({ urls: server.url, auth: { token: 't2' } })
    assert.equal((await fixed.getLatest('s')).id, 1)
    let asked = 0
    using renewed = new SchemaRegistryClient({
      urls: server.url,
      auth: { token: async () => `t${++asked}` },
    })
    assert.equal((await rejection(renewed.getLatest('s'))).errorName, 'UNAUTHORIZED')
    assert.equal((await renewed.getLatest('s')).id, 1)
  })

  test('nothing shows them: no error, no option error, no inspection', async () => {
    const secrets = ['hunter2', Buffer.from('user:hunter2').toString('base64'), 'tok-hunter2']
    const hides = (shown: unknown) => {
      const text = `${inspect(shown, { depth: 10, showHidden: true })} ${String(shown)} ${JSON.stringify(shown)}`
      for (const secret of secrets) assert.ok(!text.includes(secret), text)
    }
    await using server = await RegistryServer.start({ authorization: 'Basic other' })
    const host = server.url.slice('http://'.length)
    const clients: SchemaRegistryClientOptions[] = [
      { urls: `http://user:hunter2@${host}` },
      { urls: server.url, auth: { username: 'user', password: 'hunter2' } },
      { urls: server.url, auth: { token: 'tok-hunter2' } },
      { urls: server.url, auth: { token: () => 'tok-hunter2\n' } },
    ]
    const ask = async (options: SchemaRegistryClientOptions) => {
      using client = new SchemaRegistryClient({ ...options, retries: 0 })
      hides(client)
      const error = await rejection(client.getLatest('s'))
      hides(error)
      return error
    }
    for (const options of clients) await ask(options)
    assert.equal((await ask(clients[3] as never)).errorName, 'BAD_CREDENTIALS')
    await server.down()
    for (const options of clients) await ask(options)
    const refused: unknown[] = [
      { urls: 'http//user:hunter2@host' },
      { urls: 'ftp://user:hunter2@host' },
      { urls: 'http://user:%zzhunter2@host' },
      { urls: 'http://host', auth: { token: 'tok-hunter2 ' } },
      { urls: 'http://host', headers: { authorization: 'tok-hunter2\n' } },
      { urls: 'http://host', auth: { user: 'user', password: 'hunter2' } },
    ]
    for (const options of refused) {
      const make = () => new SchemaRegistryClient(options as SchemaRegistryClientOptions)
      assert.throws(make, (error: unknown) => {
        assert.ok(error instanceof ConfigError)
        hides(error)
        return true
      })
    }
  })

  test('client certificates, through a dispatcher', { skip: opensslSkip() }, async () => {
    const authority = new Authority()
    after(() => authority.remove())
    const server = authority.issue()
    const mine = authority.issue({ commonName: 'client' })
    const ca = authority.ca.cert
    await using registry = await RegistryServer.start({ tls: { ...server, ca } })
    registry.add('s', AVRO)
    const trusting = new Agent({ connect: { ca } })
    const known = new Agent({ connect: { ca, cert: mine.cert, key: mine.key } })
    try {
      using client = new SchemaRegistryClient({ urls: registry.url, fetch, dispatcher: known })
      assert.equal((await client.getLatest('s')).id, 1)
      using unknown = new SchemaRegistryClient({
        urls: registry.url,
        fetch,
        dispatcher: trusting,
        retries: 0,
      })
      assert.equal((await rejection(unknown.getLatest('s'))).errorName, 'UNREACHABLE')
    } finally {
      await Promise.all([trusting.destroy(), known.destroy()])
    }
  })
})

describe('options', () => {
  const rows: [string, unknown][] = [
    ['nothing', undefined],
    ['no address', {}],
    ['an empty list', { urls: [] }],
    ['an empty text', { urls: ' , ' }],
    ['an address that is no text', { urls: [1] }],
    ['an unknown option', { urls: 'http://a', url: 'x' }],
    ['retries that are no number', { urls: 'http://a', retries: '3' }],
    ['a negative time', { urls: 'http://a', latestTtlMs: -1 }],
    ['NaN', { urls: 'http://a', requestTimeoutMs: Number.NaN }],
    ['auth without anything', { urls: 'http://a', auth: {} }],
    ['a fetch that is none', { urls: 'http://a', fetch: {} }],
  ]
  for (const [name, options] of rows) {
    test(`${name} is refused`, () => {
      assert.throws(() => new SchemaRegistryClient(options as SchemaRegistryClientOptions), ConfigError)
    })
  }
})

describe('associated subjects', () => {
  let server: RegistryServer
  before(async () => {
    server = await RegistryServer.start()
  })
  after(() => server.down())

  test('one, none and several', async () => {
    using client = new SchemaRegistryClient({ urls: server.url })
    server.associate('t', 'value', 'agreed')
    server.associate('u', 'value', 'a', 'b')
    assert.equal(await client.getAssociatedSubject('t', 'value'), 'agreed')
    assert.equal(await client.getAssociatedSubject('t', 'key'), undefined)
    assert.equal((await rejection(client.getAssociatedSubject('u', 'value'))).errorName, 'AMBIGUOUS_SUBJECT')
  })

  test('a registry that knows none answers 404', async () => {
    using client = new SchemaRegistryClient({ urls: `${server.url}/no/such` })
    assert.equal(await client.getAssociatedSubject('t', 'value'), undefined)
  })
})
