// Every block of docs/schema-registry.md that is marked as JavaScript runs, with a registry and a broker of the test's.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { RegistryServer } from './registry-server.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Within the project, so that its own name can be imported. */
const FOLDER = join(dirname(fileURLToPath(import.meta.url)), 'docs-blocks')
const TIMEOUT_MS = 60_000
const text = readFileSync(join(ROOT, 'docs/schema-registry.md'), 'utf8')
const blocks = [...text.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(match => match[1] as string)

let registry: RegistryServer
let broker: TestBroker

before(async () => {
  registry = await RegistryServer.start()
  broker = await startBroker({ partitions: 1, quiet: true })
  mkdirSync(FOLDER, { recursive: true })
  const order = {
    type: 'record',
    name: 'Order',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'cents', type: 'long' },
    ],
  }
  registry.add('orders-value', order)
  registry.add('payments-value', { properties: { amount: { type: 'number' } } }, 'JSON')
})

after(async () => {
  rmSync(FOLDER, { recursive: true, force: true })
  await registry.down()
  await broker[Symbol.asyncDispose]()
})

/** What the block prints. Node 20 knows no `await using`: a plain `const`, and a close at the end, mean the same. */
async function run(block: string, index: number): Promise<string> {
  const code = block
    .replaceAll('http://localhost:8081', registry.url)
    .replaceAll('localhost:9092', broker.bootstrapServers)
    .replaceAll('await using ', 'const ')
  const file = join(FOLDER, `block-${index}.mjs`)
  writeFileSync(file, /\bproducer\b/.test(code) ? `${code}\nawait producer.close()\n` : code)
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
  const code_ = await new Promise(resolve => child.once('close', resolve))
  clearTimeout(timer)
  assert.equal(code_, 0, output)
  return output
}

const expected: readonly RegExp[] = [
  /stored at 0n/,
  /Uint8Array/,
  /Uint8Array/,
  /^$/,
  /^1\n/,
  /SERIALIZATION_FAILED SUBJECT_NOT_FOUND 40401 404 http.*\/subjects\/no-schema-value\/versions\/latest/,
  /^$/,
  /^$/,
]

test('the guide has as many blocks as are looked at', () => assert.equal(blocks.length, expected.length))

blocks.forEach((block, index) => {
  test(`block ${index + 1} runs`, async () => {
    assert.match(await run(block, index), expected[index] as RegExp)
  })
})

test('what the blocks have sent is there', () => {
  const stored = (topic: string) => Array.from(broker.records(topic), ({ value }) => Buffer.from(value ?? []))
  assert.deepEqual(stored('orders'), [Buffer.from([0, 0, 0, 0, 1, 2, 97, 0xc6, 0x0f])])
  assert.equal(stored('events').length, 2)
  assert.equal(stored('cloud-events')[0]?.toString(), '{"id":"a"}')
  assert.deepEqual(stored('secrets'), [Buffer.from('text').map(byte => byte ^ 7)])
})
