// The smaller examples, each as its user starts it, beside the in-process broker.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { exampleFile, Program, ROOT } from './program.js'

const SHUTDOWN_MS_MAX = 10_000
const POSTS = 200

const PLATFORM = `${process.platform}-${process.arch}`
const installed = (path: string) => join(ROOT, 'test/runtimes/node_modules', path)
const BUN = installed(`@oven/bun-${PLATFORM.replace('arm64', 'aarch64')}/bin/bun`)
const DENO = installed(`@deno/${process.platform === 'linux' ? `${PLATFORM}-glibc` : PLATFORM}/deno`)

const text = (bytes: Uint8Array | null) => Buffer.from(bytes ?? []).toString()

/** The words that a package.json starts its example with. */
function startWords(example: string): string[] {
  const { scripts } = JSON.parse(readFileSync(exampleFile(`${example}/package.json`), 'utf8'))
  return scripts.start
    .split(' ')
    .map((word: string) => word.replace(/^(src|dist)\//, exampleFile(`${example}/$1/`)))
}

const post = (url: string, body: unknown) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

/**
 * A service that answers when a record is stored: under load, with a lost connection, and stopped with requests in
 * hand.
 */
async function checkService(command: string, args: string[], path: string, topic: string, key: string) {
  await using broker = await startBroker({ quiet: true })
  await using service = new Program(command, args, {
    HOST: '127.0.0.1',
    PORT: '0',
    KAFKA_BROKERS: broker.bootstrapServers,
  })
  const [, port] = await service.line(
    /(?:listening at|Listening on) http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost):(\d+)/,
  )
  const url = `http://127.0.0.1:${port}`
  for (let i = 0; i < 500 && !(await fetch(`${url}/ready`)).ok; i++) await sleep(20)
  const bodyOf = (i: number) => ({ id: `e${i}`, [key]: 'ada', total: '9.50' })
  assert.equal((await post(url + path, { id: 'no key' })).status, 400)
  const answers = []
  for (let i = 0; i < POSTS; i++) {
    const answer = post(url + path, bodyOf(i))
    answers.push(answer)
    if (i % 20 === 0) await answer
    if (i === POSTS / 2) broker.disconnect()
  }
  const statuses = (await Promise.all(answers)).map(({ status }) => status)
  assert.deepEqual(new Set(statuses), new Set([200]), service.output)
  const stored = broker.records(topic)
  const ids = stored.map(({ value }) => JSON.parse(text(value)).id)
  assert.equal(new Set(ids).size, POSTS)
  assert.equal(ids.length, POSTS)
  assert.ok(stored.every(record => text(record.key) === 'ada'))

  broker.delay({ api: 'Produce', ms: 500 })
  const last = post(url + path, bodyOf(POSTS))
  await waitForRequest(broker)
  const tookMs = await service.stop()
  assert.equal((await last).status, 200)
  assert.ok(tookMs < SHUTDOWN_MS_MAX, `${tookMs} ms`)
  assert.equal(service.exitCode, 0, service.output)
  assert.equal(broker.records(topic).length, POSTS + 1)
}

function waitForRequest(broker: TestBroker): Promise<void> {
  return new Promise(resolve => {
    const stop = broker.onRequest(({ api }) => {
      if (api !== 'Produce') return
      stop()
      resolve()
    })
  })
}

test('bun', { timeout: 120_000 }, async () => {
  const [, ...args] = startWords('bun')
  await checkService(BUN, args, '/events', 'events', 'user')
})

test('deno, with the permissions it names', { timeout: 120_000 }, async () => {
  const [, ...args] = startWords('deno')
  await checkService(DENO, args, '/events', 'events', 'user')
})

test('nestjs', { timeout: 120_000 }, async () => {
  const [, ...args] = startWords('nestjs')
  await checkService(process.execPath, args, '/orders', 'orders', 'customer')
})

test('lambda: frozen while its connections end, and a record that is refused', {
  timeout: 120_000,
}, async () => {
  await using broker = await startBroker({ quiet: true, maxMessageBytes: 5000 })
  const runtime = fileURLToPath(new URL('lambda-runtime.js', import.meta.url))
  await using process_ = new Program(process.execPath, [runtime, exampleFile('lambda/src/handler.js')], {
    KAFKA_BROKERS: broker.bootstrapServers,
  })
  await process_.line(/ready/)
  let answered = 0
  const invoke = async (...bodies: string[]) => {
    const Records = bodies.map((body, i) => ({ messageId: `m${answered}.${i}`, body, attributes: {} }))
    process_.write(`${JSON.stringify({ Records })}\n`)
    answered++
    const answers = () => process_.lines.filter(line => line.startsWith('answer '))
    for (let i = 0; i < 1000 && answers().length < answered; i++) await sleep(20)
    return JSON.parse(answers()[answered - 1]?.slice('answer '.length) ?? 'null')
  }
  const none = { batchItemFailures: [] }
  assert.deepEqual(await invoke('a', 'b'), none)
  for (let round = 0; round < 3; round++) {
    process_.signal('SIGSTOP')
    broker.disconnect()
    await sleep(300)
    process_.signal('SIGCONT')
    assert.deepEqual(await invoke(`c${round}`), none, process_.output)
  }
  assert.deepEqual(await invoke('d', 'x'.repeat(8000), 'e'), {
    batchItemFailures: [{ itemIdentifier: 'm4.1' }],
  })
  const stored = broker.records('events').map(({ value }) => text(value))
  assert.deepEqual(stored.sort(), ['a', 'b', 'c0', 'c1', 'c2', 'd', 'e'])
  await process_.stop()
})

test('the examples use millrace by its types', () => {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', exampleFile('')], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout)
})

test('the examples name the versions that are tested', () => {
  const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'))
  // Other clients are those of the bench.
  const installedVersions: Record<string, string> = {
    ...read(join(ROOT, 'bench/peers/node/package.json')).dependencies,
    ...read(exampleFile('package.json')).dependencies,
  }
  const version = `^${read(join(ROOT, 'package.json')).version}`
  const examples = readdirSync(exampleFile(''), { withFileTypes: true }).filter(
    each => each.isDirectory() && each.name !== 'node_modules',
  )
  assert.ok(examples.length >= 7)
  for (const { name } of examples) {
    const { dependencies, devDependencies } = read(exampleFile(`${name}/package.json`))
    const { millrace, ...others } = { ...dependencies, ...devDependencies }
    assert.equal(millrace, version, name)
    for (const [dependency, wanted] of Object.entries(others)) {
      assert.equal(wanted, installedVersions[dependency], `${name}: ${dependency}`)
    }
  }
})
