// What stands around the producer: an installed kafkajs, types, the default export, many producers.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import * as ours from '../../../dist/compat/kafkajs/index.js'
import { startBroker } from '../../../dist/testing/index.js'
import { original } from './compare.js'

const ROOT = join(import.meta.dirname, '../../..')
const folder = mkdtempSync(join(tmpdir(), 'millrace-around-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const silent = { logLevel: ours.logLevel.NOTHING }

test('consumer() and admin() are those of the installed kafkajs', async () => {
  await using broker = await startBroker({ quiet: true })
  const kafka = new ours.Kafka({ brokers: [broker.bootstrapServers], ...silent })
  const admin = kafka.admin()
  await admin.connect()
  assert.equal(
    await admin.createTopics({ topics: [{ topic: 'made', numPartitions: 2 }], waitForLeaders: false }),
    true,
  )
  assert.equal(broker.partitions('made').length, 2)
  await admin.disconnect()
  const consumer = kafka.consumer({ groupId: 'g' })
  assert.equal(consumer.events.CRASH, 'consumer.crash')
})

test("errors of the installed kafkajs are instances of our classes, and ours not of each other's", async () => {
  const theirs = new original.KafkaJSConnectionError('x')
  assert.ok(theirs instanceof ours.KafkaJSConnectionError)
  assert.ok(theirs instanceof ours.KafkaJSError)
  assert.ok(!((theirs as Error) instanceof ours.KafkaJSNonRetriableError))
  assert.ok(!(new Error('x') instanceof ours.KafkaJSError))
  class Own extends ours.KafkaJSError {}
  assert.ok(new Own('x') instanceof Own)
  assert.ok(!(new ours.KafkaJSError('x') instanceof Own))
})

/** Runs a program in a folder where `kafkajs` is what `modules` says. */
function runWith(name: string, modules: Record<string, string>, program: string): string {
  const root = join(folder, name)
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  for (const [module, path] of Object.entries(modules)) {
    if (module === 'kafkajs' && path.includes('alias'))
      cpSync(path, join(root, 'node_modules', module), { recursive: true })
    else symlinkSync(path, join(root, 'node_modules', module), 'junction')
  }
  writeFileSync(join(root, 'program.mjs'), program)
  return execFileSync(process.execPath, ['program.mjs'], { cwd: root, encoding: 'utf8' }).trim()
}

test('without kafkajs, consumer() says which package to install', () => {
  // A copy of what is published, so that the kafkajs of this checkout is out of sight.
  const copy = join(folder, 'copy')
  mkdirSync(copy)
  for (const path of ['dist', 'package.json']) cpSync(join(ROOT, path), join(copy, path), { recursive: true })
  const program = `
    import { Kafka, KafkaJSNotImplemented } from 'millrace/kafkajs'
    for (const method of ['consumer', 'admin']) {
      try {
        new Kafka({ brokers: ['127.0.0.1:1'] })[method]({ groupId: 'g' })
      } catch (error) {
        console.log(error instanceof KafkaJSNotImplemented, error.message)
      }
    }`
  const output = runWith('without', { millrace: copy }, program)
  assert.match(
    output,
    /^true Kafka\.consumer\(\) needs the package kafkajs.*npm install kafkajs@2[\s\S]*\ntrue Kafka\.admin\(\)/,
  )
})

test('under an alias, the original is found by its other name', () => {
  const modules = {
    millrace: ROOT,
    kafkajs: join(ROOT, 'packages/kafkajs-alias'),
    'kafkajs-original': join(ROOT, 'node_modules/kafkajs'),
  }
  const program = `
    import { createRequire } from 'node:module'
    import kafkajs, { Kafka } from 'kafkajs'
    const required = createRequire(import.meta.url)('kafkajs')
    const consumer = new Kafka({ brokers: ['127.0.0.1:1'] }).consumer({ groupId: 'g' })
    console.log(kafkajs.Kafka === Kafka, required.Kafka === Kafka, Object.keys(required).length, typeof consumer.run)`
  assert.equal(runWith('alias', modules, program), 'true true 44 function')
})

test('the default export has the 44 names and may be written to', () => {
  const names = Object.keys(ours.default).sort()
  assert.deepEqual(names, Object.keys(original).sort())
  const copy: Record<string, unknown> = ours.default
  const { Kafka } = ours.default
  copy.Kafka = class {}
  assert.notEqual(ours.default.Kafka, Kafka)
  copy.Kafka = Kafka
})

test('every type that kafkajs declares is declared', () => {
  const typesOf = (text: string) =>
    [...text.matchAll(/^export (?:declare )?(?:interface|type|class|const|enum|var) (\w+)/gm)].map(
      ([, name]) => name,
    )
  const manifest = createRequire(import.meta.url).resolve('kafkajs/package.json')
  const theirs = typesOf(readFileSync(join(manifest, '../types/index.d.ts'), 'utf8'))
  const files = [
    'types',
    'types-admin',
    'types-consumer',
    'types-reassignment',
    'errors',
    'enums',
    'kafka',
    'partitioners',
    'compression',
    'installed-kafkajs',
  ]
  const own = new Set(
    files.flatMap(file => typesOf(readFileSync(join(ROOT, `dist/compat/kafkajs/${file}.d.ts`), 'utf8'))),
  )
  assert.ok(theirs.length > 150)
  assert.deepEqual(
    theirs.filter(name => !own.has(name)),
    [],
  )
})

test('each combination of options has its own producer, the same one again for the same options', async () => {
  await using broker = await startBroker({ quiet: true })
  const kafka = new ours.Kafka({ brokers: [broker.bootstrapServers], ...silent })
  const producer = kafka.producer()
  await producer.connect()
  const send = (options: object) => producer.send({ topic: 't', messages: [{ value: 'v' }], ...options })
  for (let round = 0; round < 3; round++) {
    await send({})
    await send({ timeout: 100 })
    await send({ acks: -1, compression: ours.CompressionTypes.None, timeout: 30_000 })
  }
  assert.equal(broker.counters().connections, 2, 'bootstrap and leader')
  for (let round = 0; round < 3; round++) {
    await send({ compression: ours.CompressionTypes.GZIP })
    await send({ acks: 1 })
    await send({ timeout: 31_000 + round })
  }
  assert.equal(broker.counters().connections, 8)
  await producer.disconnect()
  assert.equal([...broker.records('t')].length, 18)
})
