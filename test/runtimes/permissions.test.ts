// With least privilege: what may be done is done, and what may not is asked for at once, by the names of the flags.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'

// biome-ignore lint/suspicious/noTsIgnore: the module has no types
// @ts-ignore
const { programs } = (await import('../../test/runtimes/programs.mjs')) as {
  programs: Record<string, string>
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const main = fileURLToPath(new URL('../../test/runtimes/permissions-main.mjs', import.meta.url))
const index = new URL('../../dist/index.js', import.meta.url).href
/** Far below `max.block.ms`, which is how long what is retried takes. */
const AT_ONCE_MS = 20_000

interface Outcome {
  outcome?: 'stored'
  name?: string
  code?: string
  message: string
  retriable?: boolean
  ms: number
}

async function run(program: string, flags: string[], ...parameters: string[]): Promise<Outcome> {
  const all = [...flags, main, index, ...parameters]
  const { stdout } = await promisify(execFile)(programs[program] as string, all, { timeout: 120_000 })
  return JSON.parse(stdout.trim().split('\n').at(-1) as string)
}

const deno = (broker: TestBroker | string, flags: string[], ...more: string[]) => {
  const bootstrap = typeof broker === 'string' ? broker : broker.bootstrapServers
  return run('deno', ['run', '--no-prompt', ...flags], bootstrap, ...more)
}

function checkRefusal(outcome: Outcome, ...flags: RegExp[]): void {
  const { name, code, message, retriable, ms } = outcome
  assert.deepEqual([name, code, retriable], ['PermissionError', 'PERMISSION_DENIED', false])
  for (const flag of flags) assert.match(message, flag)
  assert.ok(ms < AT_ONCE_MS, `it took ${ms} ms`)
}

describe('Deno', () => {
  const read = `--allow-read=${root}`
  const ffi = `--allow-ffi=${root}`

  test('without permissions: one error names all flags, and with those of its own a record is stored', async () => {
    await using broker = await startBroker({ quiet: true })
    // The program imports the library when it runs, which is its own affair.
    const refused = await deno(broker, [`--allow-read=${root}dist`])
    checkRefusal(refused, /--allow-read=/, /--allow-ffi=/, /--allow-net=127\.0\.0\.1:\d+/)
    assert.doesNotMatch(refused.message, /--allow-env|--allow-sys/)
    const named = refused.message.match(/--allow-\S+/g) as string[]
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
      assert.equal((await deno(broker, named, codec)).outcome, 'stored', codec)
  })

  test('what is permitted already is not asked for', async () => {
    await using broker = await startBroker({ quiet: true })
    const { message } = await deno(broker, [read, `--allow-net=${broker.bootstrapServers}`])
    assert.match(message, /--allow-ffi/)
    assert.doesNotMatch(message, /--allow-read|--allow-net/)
  })

  test('a connection that is not permitted is no failure of the network', async () => {
    await using broker = await startBroker({ quiet: true })
    checkRefusal(await deno(broker, [read, ffi]), /--allow-net=127\.0\.0\.1:\d+/)
    checkRefusal(await deno('localhost:9', [read, ffi]), /--allow-net=localhost:9/)
  })

  test('a host that is permitted by name is connected to by name, and its brokers are asked for', async () => {
    await using broker = await startBroker({ quiet: true })
    const port = broker.bootstrapServers.split(':')[1] as string
    const byName = [read, ffi, `--allow-net=localhost:${port}`]
    const refused = await deno(`localhost:${port}`, byName)
    checkRefusal(refused, new RegExp(`--allow-net=127\\.0\\.0\\.1:${port}`))
    const both = [read, ffi, `--allow-net=localhost:${port},127.0.0.1:${port}`]
    assert.equal((await deno(`localhost:${port}`, both)).outcome, 'stored')
  })

  test('a second bootstrap server that is permitted is enough', async () => {
    await using broker = await startBroker({ quiet: true })
    const net = `--allow-net=${broker.bootstrapServers}`
    assert.equal((await deno(`127.0.0.1:9,${broker.bootstrapServers}`, [read, ffi, net])).outcome, 'stored')
  })
})

describe('Node with --permission', () => {
  const read = '--allow-fs-read=*'
  const run26 = (broker: TestBroker, flags: string[]) =>
    run('node26', ['--permission', read, ...flags], broker.bootstrapServers)

  test('the flags are named that are missing, and with those a record is stored', async () => {
    await using broker = await startBroker({ quiet: true })
    checkRefusal(await run26(broker, ['--allow-net']), /--allow-addons/)
    checkRefusal(await run26(broker, ['--allow-addons']), /--allow-net/)
    assert.equal((await run26(broker, ['--allow-addons', '--allow-net'])).outcome, 'stored')
  })
})
