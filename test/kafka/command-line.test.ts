import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from '../cli/support.js'
import { type Kafka, startKafka } from './broker.js'
import { kafkaSkip, startJava } from './java.js'
import { findKcat, JavaClient, type ReadRecord } from './java-client.js'

const skip = kafkaSkip()
const JAVA_TIMEOUT_MS = 60_000
const HEAP_MB = 256

let kafka: Kafka
let java: JavaClient
let folder: string
let topics = 0

/** One of Kafka's own tools, run to its end. */
async function runJava(tool: string, args: readonly string[], input = '') {
  const file = join(folder, `${tool}-${++topics}.log`)
  const log = openSync(file, 'w')
  const child = startJava(`org.apache.kafka.tools.${tool}`, args, { heapMb: HEAP_MB, stderr: log })
  closeSync(log)
  const timer = setTimeout(() => child.kill('SIGKILL'), JAVA_TIMEOUT_MS)
  let stdout = ''
  child.stdout?.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  return { code, stdout, stderr: readFileSync(file, 'utf8') }
}

const text = (bytes: Buffer | null) => bytes?.toString() ?? null
const plain = ({ key, value, headers }: ReadRecord) => [
  text(key),
  text(value),
  headers.map(([name, bytes]) => [name, text(bytes)]),
]

/** Two topics of one partition each: one for Kafka's tool, one for ours. */
async function pair(): Promise<{ theirs: string; ours: string }> {
  const [theirs, ours] = [`theirs-${++topics}`, `ours-${topics}`]
  for (const topic of [theirs, ours]) await java.createTopic(kafka.bootstrapServers, topic)
  return { theirs, ours }
}

const stored = (topic: string, isolation: 'read_uncommitted' | 'read_committed' = 'read_uncommitted') =>
  java.read(kafka.bootstrapServers, topic, isolation)

const addressed = (topic: string, args: readonly string[]) => [
  ...['--bootstrap-server', kafka.bootstrapServers, '--topic', topic],
  ...args,
]

before(async () => {
  if (skip) return
  folder = mkdtempSync(join(tmpdir(), 'millrace-tools-'))
  kafka = await startKafka()
  java = new JavaClient()
})

after(async () => {
  if (skip) return
  await java[Symbol.asyncDispose]()
  await kafka.stop()
  rmSync(folder, { recursive: true, force: true })
})

const properties = (...all: string[]) => all.flatMap(property => ['--reader-property', property])

describe("beside Kafka's console producer", { skip }, () => {
  for (const [what, args, input] of [
    ['lines', [], 'a\n\n  b \r\nüñ日\n{"x":\nlast'],
    [
      'keys, headers and null markers',
      properties('parse.key=true', 'parse.headers=true', 'null.marker=NULL', 'key.separator=::'),
      'a:1,b:NULL\tk::v\nNULL\tNULL::NULL\nc:x:y\tNULL::w\n',
    ],
    [
      'headers by a regular expression',
      properties(
        'parse.headers=true',
        'headers.separator=\\s*;\\s*',
        'headers.delimiter=|',
        'headers.key.separator==',
      ),
      'a=1 ; b=2;c=3;|v\na=|w\n',
    ],
    [
      'lines without their parts, where that is no error',
      properties('parse.key=true', 'parse.headers=true', 'ignore.error=true'),
      'nothing\nh:1\tno key\nh\tk\tv\n',
    ],
    ['a line without its key', properties('parse.key=true'), 'k\tv\nnone\nl\tw\n'],
    [
      'its other options',
      [
        ...['--compression-codec', 'lz4', '--batch-size', '1000', '--timeout', '5', '--sync'],
        ...['--request-required-acks', '-1', '--max-block-ms', '30000', '--command-property', 'client.id=x'],
        ...['--message-send-max-retries', '5', '--retry-backoff-ms', '50', '--metadata-expiry-ms', '60000'],
        ...['--max-memory-bytes', '1048576', '--request-timeout-ms', '20000', '--property', 'parse.key=true'],
      ],
      'k\tv\n',
    ],
  ] as const) {
    test(what, async () => {
      const { theirs, ours } = await pair()
      const [expected, { code, stderr }] = await Promise.all([
        runJava('ConsoleProducer', addressed(theirs, args), input),
        run(['produce', ...addressed(ours, args)], input),
      ])
      assert.equal(code, expected.code, stderr)
      const records = (await stored(ours)).map(plain)
      assert.deepEqual(records, (await stored(theirs)).map(plain))
      assert.ok(records.length > 0)
    })
  }
})

/** A line with its figures taken out: what a script that parses it relies on. */
const shapeOf = (line: string) =>
  line.replace(/\d+\.(\d+)/g, (_, digits: string) => `N.${'n'.repeat(digits.length)}`).replace(/\d+ /g, 'N ')

/** The shapes of the lines; how often one comes, and when, is a matter of time. */
function shapesOf(stdout: string): string[] {
  return [...new Set(stdout.trimEnd().split('\n').map(shapeOf))].sort()
}

describe('beside kafka-producer-perf-test', { skip }, () => {
  const payloads = () => {
    const file = join(folder, 'payloads.txt')
    writeFileSync(file, '\none\n\ntwo\nthree\n\n')
    return file
  }
  for (const [what, argsFor] of [
    ['random letters', () => ['--num-records', '2000', '--record-size', '100', '--throughput', '-1']],
    [
      'payloads of a file',
      () => ['--num-records', '500', '--payload-file', payloads(), '--throughput', '-1'],
    ],
    [
      'intervals and a steady state',
      () => [
        ...['--num-records', '4000', '--record-size', '20', '--throughput', '1000'],
        ...['--reporting-interval', '400', '--warmup-records', '2000'],
      ],
    ],
    [
      'transactions, with the old spelling of properties',
      () => [
        ...['--num-records', '600', '--payload-monotonic', '--throughput', '5e2'],
        ...['--transaction-duration-ms', '300', '--producer-props', 'linger.ms=1', 'acks=all'],
      ],
    ],
  ] as const) {
    test(what, async () => {
      const { theirs, ours } = await pair()
      const [expected, { code, stdout, stderr }] = await Promise.all([
        runJava('ProducerPerformance', addressed(theirs, argsFor())),
        run(['perf', ...addressed(ours, argsFor())]),
      ])
      assert.equal(code, 0, stderr)
      assert.equal(expected.code, 0)
      assert.deepEqual(shapesOf(stdout), shapesOf(expected.stdout))
      const records = (await stored(ours, 'read_committed')).map(plain)
      assert.deepEqual(records, (await stored(theirs, 'read_committed')).map(plain))
      assert.ok(records.length > 0)
    })
  }
})

describe('beside kafka-producer-perf-test --print-metrics', { skip }, () => {
  test('every metric is there, with its tags and in the same form', async () => {
    const { theirs, ours } = await pair()
    const args = ['--num-records', '10', '--payload-monotonic', '--throughput', '-1', '--print-metrics']
    const [expected, { code, stdout, stderr }] = await Promise.all([
      runJava('ProducerPerformance', addressed(theirs, args)),
      run(['perf', ...addressed(ours, args)]),
    ])
    assert.equal(code, 0, stderr)
    const rowsOf = (output: string, topic: string) => {
      const [, ...lines] = output.slice(output.indexOf('Metric Name')).trimEnd().split('\n')
      return lines.map(line => {
        const [, name = line, value = ''] = /^(\S.*\S) *: (.*)$/.exec(line) ?? []
        const isDouble = /^(NaN|-?(Infinity|\d+\.\d{3}))$/.test(value)
        return `${name.replace(topic, 'TOPIC')} ${isDouble ? 'double' : 'other'}`
      })
    }
    const rows = rowsOf(stdout, ours)
    assert.ok(rows.length > 50)
    assert.deepEqual(
      rowsOf(expected.stdout, theirs).filter(row => !rows.includes(row)),
      [],
    )
  })
})

/** The names of each event's fields, in their order. */
const fieldsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
    .map(event => [event.name, ...Object.keys(event)])

describe('beside VerifiableProducer', { skip }, () => {
  for (const [what, args] of [
    ['numbers', ['--max-messages', '100']],
    [
      'keys, a prefix and times',
      [
        ...['--max-messages', '20', '--repeating-keys', '3', '--value-prefix', '9', '--acks', '1'],
        ...['--message-create-time', '1700000000000', '--throughput', '1000'],
      ],
    ],
  ] as const) {
    test(what, async () => {
      const { theirs, ours } = await pair()
      const [expected, { code, stdout, stderr }] = await Promise.all([
        runJava('VerifiableProducer', addressed(theirs, args)),
        run(['verify', ...addressed(ours, args)]),
      ])
      assert.equal(code, 0, stderr)
      assert.deepEqual(fieldsOf(stdout), fieldsOf(expected.stdout))
      const records = await stored(ours)
      const theirRecords = await stored(theirs)
      assert.deepEqual(records.map(plain), theirRecords.map(plain))
      if (what !== 'numbers') {
        assert.equal(records[0]?.timestamp, theirRecords[0]?.timestamp)
        assert.equal(records[0]?.timestamp, 1_700_000_000_000)
      }
    })
  }

  test('a message that fails', async () => {
    const { theirs, ours } = await pair()
    const config = join(folder, 'small.properties')
    writeFileSync(config, 'max.request.size=60\n')
    const args = ['--max-messages', '1', '--command-config', config]
    const [expected, { code, stdout }] = await Promise.all([
      runJava('VerifiableProducer', addressed(theirs, args)),
      run(['verify', ...addressed(ours, args)]),
    ])
    assert.equal(code, 1)
    assert.deepEqual(fieldsOf(stdout), fieldsOf(expected.stdout))
    const exceptionOf = (output: string) => /"exception":"([^"]*)"/.exec(output)?.[1]
    assert.equal(exceptionOf(stdout), exceptionOf(expected.stdout))
  })
})

describe('the tables of docs/command-line.md', { skip }, () => {
  const guide = readFileSync(fileURLToPath(new URL('../../docs/command-line.md', import.meta.url)), 'utf8')

  /** The options in the first column of the table below a heading. */
  function optionsBelow(heading: string): Set<string> {
    const [, section = ''] = guide.split(`## ${heading} `)
    const rows = section.split('\n## ')[0]?.match(/^\| `.*?\|/gm) ?? []
    return new Set(
      rows.flatMap(row => [...row.matchAll(/`(-[^` ]*)/g)].map(([, option]) => option as string)),
    )
  }

  for (const [heading, tool] of [
    ['kafka-console-producer', 'ConsoleProducer'],
    ['kafka-producer-perf-test', 'ProducerPerformance'],
    ['VerifiableProducer', 'VerifiableProducer'],
  ] as const) {
    test(`have every option of ${tool}`, async () => {
      const { stdout, stderr } = await runJava(tool, ['--help'])
      const help = `${stdout}\n${stderr}`
      const options = new Set(
        [...help.matchAll(/^\s*(?:-h, )?(--[a-z][\w.-]*)/gm)].map(([, option]) => option),
      )
      assert.ok(options.size >= 11, help)
      assert.deepEqual(
        [...options].filter(option => !optionsBelow(heading).has(option as string)),
        [],
      )
    })
  }

  const kcat = findKcat()
  test('have every option of kcat', { skip: kcat === undefined && 'kcat not found on the PATH' }, () => {
    const help = spawnSync(kcat as string, ['-h'], { encoding: 'utf8' })
    const options = new Set(
      [...`${help.stdout}${help.stderr}`.matchAll(/^ {2}(-\w)\b/gm)].map(([, option]) => option),
    )
    assert.ok(options.size >= 20)
    assert.deepEqual(
      [...options].filter(option => !optionsBelow('kcat -P').has(option as string)),
      [],
    )
  })
})
