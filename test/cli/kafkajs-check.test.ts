import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js')
const folder = mkdtempSync(join(tmpdir(), 'millrace-check-'))
after(() => rmSync(folder, { recursive: true, force: true }))

interface Shown {
  name: string
  verdict: string
  places: { file: string; line: number }[]
}

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [MAIN, 'kafkajs-check', ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

function project(name: string, files: Record<string, string>): string {
  const root = join(folder, name)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

async function usesOf(root: string): Promise<Shown[]> {
  return JSON.parse((await run(root, '--json')).stdout)
}

test('a project of producers only has nothing that is different', async () => {
  const root = project('plain', {
    'src/kafka.ts': [
      "import { Kafka } from 'kafkajs'",
      "// kafka.consumer({ groupId: 'x' }) was here once",
      "export const producer = new Kafka({ brokers: ['b:9092'], ssl: true }).producer({ idempotent: true })",
    ].join('\n'),
    'node_modules/other/index.js': "require('kafkajs').Kafka.consumer({})",
  })
  const { code, stdout } = await run(root)
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^1 files/)
  assert.match(stdout, /BETTER:[\s\S]*idempotent[\s\S]*src.kafka\.ts:3[\s\S]*SAME:/)
  assert.doesNotMatch(stdout, /consumers/)
})

test('what is different is listed first, with its places, and the exit code says so', async () => {
  const root = project('mixed', {
    'a.js': "const { Kafka } = require('kafkajs')\nconst kafka = new Kafka({ sasl: { mechanism: 'AWS' } })\n",
    'b.mts':
      "import type { Kafka } from 'kafkajs'\nexport const f = (k: Kafka) => [k.consumer({ groupId: 'g' }), k.admin()]\n",
    'test/c.spec.ts': "jest.mock('kafkajs')\n",
    'package.json': '{ "dependencies": { "kafkajs": "2.2.4", "kafkajs-snappy": "1.1.0" } }',
  })
  assert.equal((await run(root)).code, 1)
  const uses = await usesOf(root)
  const different = uses.filter(({ verdict }) => verdict === 'different')
  assert.deepEqual(different.map(({ name }) => name).sort(), [
    'admin clients',
    'consumers',
    'mocks of the module',
    "sasl mechanism 'aws'",
  ])
  assert.equal(uses[0]?.verdict, 'different')
  const consumers = different.find(({ name }) => name === 'consumers')
  assert.deepEqual(consumers?.places, [{ file: 'b.mts', line: 2 }])
  assert.ok(uses.some(({ name, verdict }) => name === 'codec packages' && verdict === 'better'))
})

test('a project without Kafka', async () => {
  const { code, stdout } = await run(project('none', { 'a.ts': 'export const partition: number = 1\n' }))
  assert.equal(code, 0)
  assert.equal(stdout, 'Nothing of KafkaJS is used here.\n')
})

test('wrong usage', async () => {
  for (const args of [['nowhere'], ['.', '..'], ['--what']]) {
    const { code, stderr } = await run(...args)
    assert.equal(code, 2, args.join(' '))
    assert.match(stderr, /kafkajs-check/)
  }
})
