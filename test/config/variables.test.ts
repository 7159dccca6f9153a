import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { parseProducerOptions } from '../../dist/config/index.js'
import { fetchVariables, resolveVariables } from '../../dist/config/variables.js'
import { ConfigError, Producer, parseProperties } from '../../dist/index.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-variables-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const JAVA = 'org.apache.kafka.common.config.provider.'
const variable = (inner: string) => `$\{${inner}}`
const file = (name: string, text: string) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const credentials = file('credentials.properties', 'user=u\nkey\\:colon = with\\tblank \npassword=hunter2\n')

const FILE = { 'config.providers': 'file', 'config.providers.file.class': `${JAVA}FileConfigProvider` }

function refuses(options: object, ...patterns: RegExp[]): ConfigError {
  try {
    resolveVariables(options)
  } catch (error) {
    assert.ok(error instanceof ConfigError, inspect(error))
    for (const pattern of patterns) assert.match(error.message, pattern)
    return error
  }
  return assert.fail('nothing was thrown')
}

describe("Kafka's own providers", () => {
  test('file: a key of a .properties file, in any part of a value and in lists', () => {
    const resolved = resolveVariables({
      ...FILE,
      'client.id': `app-${variable(`file:${credentials}:user`)}-${variable(`file:${credentials}:password`)}!`,
      'bootstrap.servers': [`${variable(`file:${credentials}:user`)}:9092`],
      colon: variable(`file:${credentials}:key:colon`),
      lingerMs: 5,
    })
    assert.deepEqual(resolved, {
      'client.id': 'app-u-hunter2!',
      'bootstrap.servers': ['u:9092'],
      colon: 'with\tblank ',
      lingerMs: 5,
    })
  })

  test('directory: the text of a file in it, as it is; no name leads out of it', () => {
    const secrets = join(folder, 'secrets')
    mkdirSync(secrets)
    writeFileSync(join(secrets, 'token'), 'a\nb\n')
    const options = { configProviders: { dir: `${JAVA}DirectoryConfigProvider` } }
    const one = (inner: string) => resolveVariables({ ...options, clientId: variable(inner) })
    assert.deepEqual(one(`dir:${secrets}:token`), { clientId: 'a\nb\n' })
    refuses({ ...options, clientId: variable(`dir:${secrets}:../credentials.properties`) }, /no value/)
    refuses({ ...options, clientId: variable(`dir:${secrets}:none`) }, /no value/)
    refuses({ ...options, clientId: variable(`dir:${secrets}-none:x`) }, /dir failed: .* ENOENT/)
  })

  test('env: an environment variable, if the pattern allows it', () => {
    process.env.MILLRACE_TEST_VARIABLE = 'v'
    const options = { 'config.providers': 'env', 'config.providers.env.class': `${JAVA}EnvVarConfigProvider` }
    const clientId = variable('env:MILLRACE_TEST_VARIABLE')
    assert.deepEqual(resolveVariables({ ...options, clientId }), { clientId: 'v' })
    const limited = { ...options, 'config.providers.env.param.allowlist.pattern': 'TEST_.*' }
    refuses({ ...limited, clientId }, /no value/)
    refuses({ ...options, clientId: variable('env:MILLRACE_TEST_NONE') }, /no value/)
    refuses({ ...options, clientId: variable('env:constructor') }, /no value/)
    refuses({ ...options, clientId: variable('env:path:X') }, /has no path/)
    delete process.env.MILLRACE_TEST_VARIABLE
  })

  test('allowed.paths bounds what file and directory read, links included', () => {
    const inside = join(folder, 'inside')
    mkdirSync(inside)
    writeFileSync(join(inside, 'x.properties'), 'a=1')
    symlinkSync(credentials, join(inside, 'link.properties'))
    const options = { ...FILE, 'config.providers.file.param.allowed.paths': `${inside}, ${folder}/elsewhere` }
    const one = (path: string) => ({ ...options, clientId: variable(`file:${path}:a`) })
    assert.deepEqual(resolveVariables(one(join(inside, 'x.properties'))), { clientId: '1' })
    for (const path of [
      credentials,
      join(inside, 'link.properties'),
      join(inside, '../credentials.properties'),
    ])
      refuses(one(path), /not below any of allowed\.paths/)
    refuses(
      { ...FILE, 'config.providers.file.param.allowed.paths': 'relative', clientId: variable('file:/x:y') },
      /not absolute/,
    )
  })
})

describe('providers of the application', () => {
  test('are asked once for each path, with all its keys, configured before and closed after', () => {
    const seen: unknown[] = []
    const provider = {
      configure: (parameters: object) => seen.push(['configure', parameters]),
      get(path: string, keys: readonly string[]) {
        seen.push([path, [...keys].sort()])
        return Object.fromEntries(keys.map(key => [key, `${path}/${key}`]))
      },
      close: () => seen.push('close'),
    }
    const resolved = resolveVariables({
      'config.providers': 'vault',
      'config.providers.vault.class': provider,
      'config.providers.vault.param.address': 'https://vault',
      a: `${variable('vault:p:1')} ${variable('vault:p:2')} ${variable('vault:p:1')}`,
      b: variable('vault:q:1'),
      c: variable('vault:k'),
    })
    assert.deepEqual(resolved, { a: 'p/1 p/2 p/1', b: 'q/1', c: '/k' })
    assert.deepEqual(seen, [
      ['configure', { address: 'https://vault' }],
      ['p', ['1', '2']],
      ['q', ['1']],
      ['', ['k']],
      'close',
    ])
  })

  test('may be functions, and their values are not read for variables again', () => {
    const configProviders = {
      own: (_: string, keys: readonly string[]) => ({ [keys[0] as string]: FILE_AGAIN }),
    }
    const FILE_AGAIN = variable('own:x:y')
    assert.deepEqual(resolveVariables({ configProviders, a: variable('own:p:k') }), { a: FILE_AGAIN })
  })

  test('what fails is closed, named, and refused', () => {
    let closed = 0
    const vault = {
      get: () => {
        throw new Error('sealed')
      },
      close: () => {
        closed++
      },
    }
    const error = refuses({ configProviders: { vault }, a: variable('vault:p:k') }, /vault failed: sealed/)
    assert.equal((error.cause as Error).message, 'sealed')
    assert.equal(closed, 1)
    for (const answer of [null, undefined, 'text', 5])
      refuses({ configProviders: { vault: () => answer }, a: variable('vault:p:k') }, /must answer an object/)
    refuses({ configProviders: { vault: () => ({ k: 5 }) }, a: variable('vault:p:k') }, /^a has .* no value/)
    refuses(
      { 'config.providers': 'x', 'config.providers.x.class': 'com.example.Vault' },
      /not valid; allowed/,
    )
    refuses({ 'config.providers': 'x' }, /config\.providers\.x\.class is not valid/)
    refuses({ 'config.providers': ['x', ''] }, /names with commas/)
    refuses({ 'config.providers': 5 }, /names with commas/)
    refuses({ ...FILE, 'config.providers.typo.class': 'x' }, /config\.providers does not name/)
  })

  test('that answer later need Producer.create', async () => {
    const configProviders = { own: async () => ({ k: 'late' }) }
    refuses({ configProviders, a: variable('own:p:k') }, /await Producer\.create/)
    refuses(
      { configProviders: { own: () => Promise.reject(new Error('x')) }, a: variable('own:p:k') },
      /create/,
    )
    assert.deepEqual(await fetchVariables({ configProviders, a: variable('own:p:k') }), { a: 'late' })
    const failing = { own: () => Promise.reject(new Error('sealed')) }
    await assert.rejects(
      fetchVariables({ configProviders: failing, a: variable('own:p:k') }),
      (error: unknown) => error instanceof ConfigError && /own failed: sealed/.test(error.message),
    )
  })
})

test('what is no variable of a configured provider stays as it is', () => {
  const text = `${variable('other:p:k')} ${variable('nothing')} $ {file:x:y} ${variable('')} $\{file:`
  assert.deepEqual(resolveVariables({ ...FILE, a: text }), { a: text })
  const options = { a: variable('file:x:y') }
  assert.equal(resolveVariables(options), options)
  const long = '${'.repeat(200_000)
  assert.deepEqual(resolveVariables({ ...FILE, a: long }), { a: long })
})

test('options are resolved before they are checked', () => {
  const linger = file('linger.properties', 'ms=17\nbad=much')
  const options = { ...FILE, bootstrapServers: 'a:1' }
  assert.equal(parseProducerOptions({ ...options, 'linger.ms': variable(`file:${linger}:ms`) }).lingerMs, 17)
  assert.throws(
    () => parseProducerOptions({ ...options, 'linger.ms': variable(`file:${linger}:bad`) }),
    /linger\.ms = "much" is not valid/,
  )
})

test('a .properties file is created from, with providers that answer at once or later', async () => {
  const text = [
    'bootstrap.servers=127.0.0.1:1',
    'config.providers=file',
    `config.providers.file.class=${JAVA}FileConfigProvider`,
    `client.id=${variable(`file:${credentials}:user`)}`,
  ].join('\n')
  for (const producer of [Producer.fromProperties(text), await Producer.create(text)]) {
    assert.equal((producer.toJSON() as { clientId: string }).clientId, 'u')
    await producer.close({ timeoutMs: 0 })
  }
  const own = { configProviders: { own: async () => ({ id: 'from-afar' }) }, clientId: variable('own:id') }
  const producer = await Producer.create({ ...own, bootstrapServers: '127.0.0.1:1' })
  assert.equal((producer.toJSON() as { clientId: string }).clientId, 'from-afar')
  await producer.close({ timeoutMs: 0 })
  await assert.rejects(
    Producer.create({ ...own, bootstrapServers: '127.0.0.1:1', lingerMs: -1 }),
    ConfigError,
  )
  assert.deepEqual(Object.keys(parseProperties(text)).length, 4)
})
