import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { run, start, textOf, unreachable, until } from './support.js'

let folder: string
let broker: TestBroker

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  broker = await startBroker({ partitions: 3, quiet: true, verify: 'strict' })
})

after(async () => {
  await broker.close()
  rmSync(folder, { recursive: true, force: true })
})

function fileOf(name: string, text: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const to = (topic: string) => ['produce', '--bootstrap-server', broker.bootstrapServers, '--topic', topic]

const storedValues = (topic: string) => [...broker.records(topic)].map(({ value }) => textOf(value))

describe('millrace', () => {
  test('prints help and version', async () => {
    const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }
    assert.deepEqual(await run(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
    for (const [args, expected] of [
      [['--help'], /millrace produce \[options\]/],
      [['help'], /millrace broker \[options\]/],
      [['help', 'broker'], /--partitions N/],
      [['produce', '--help'], /Examples:\n {2}millrace produce\n/],
      [['broker', '--port', 'x', '-h'], /Examples:\n {2}millrace broker\n/],
    ] as const) {
      const { code, stdout, stderr } = await run(args)
      assert.equal(code, 0)
      assert.match(stdout, expected)
      assert.equal(stderr, '')
    }
  })

  test('answers wrong usage with exit code 2, a reason and a hint, and nothing on stdout', async () => {
    for (const [args, expected] of [
      [[], /Usage:/],
      [['prodcue'], /unknown command "prodcue"; did you mean produce\?/],
      [['--verbose'], /unknown option "--verbose"; try millrace --help/],
      [
        ['produce', '--topik', 'x'],
        /Unknown option --topik; did you mean --topic\?\nSee millrace produce --help/,
      ],
      [['produce', '--bootstrap-server', 'a:1'], /--topic is missing/],
      [['produce', '--file', '/nowhere/at/all'], /cannot be read: ENOENT/],
      [['produce', '--count', '1', '--compression', 'brotli'], /compression\.type/],
      [['produce', '--count', '1', '--acks', '2'], /acks/],
      [['produce', '--count', '1', '--property', 'linger.ms=soon'], /linger\.ms/],
      [['produce', '--count', '1', '--property', 'no.such.option=1'], /no\.such\.option/],
      [['broker', '--port', '70000'], /--port is "70000"/],
      [['broker', '--port', '65535', '--nodes', '2'], /leaves no ports for 2 nodes/],
    ] as const) {
      const { code, stdout, stderr } = await run(args)
      assert.equal(code, 2, `${args.join(' ')}: ${stderr}`)
      assert.match(stderr, expected)
      assert.equal(stdout, '')
    }
  })
})

describe('millrace produce', () => {
  test('without a cluster produces events to its own broker, reads them back and verifies them', async () => {
    const { code, stdout, stderr } = await run(['produce', '--count', '20000'])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /in-process broker on 127\.0\.0\.1:\d+, which is for development only/)
    assert.match(stdout, /^records {4}20,000 delivered$/m)
    assert.match(stdout, /^latency {4}p50 [\d.]+ ms, p99 [\d.]+ ms$/m)
    assert.match(stdout, /^errors {5}0$/m)
    assert.match(
      stdout,
      /^verified {3}20,000 records read back from 4 partitions: count, order and content match/m,
    )
    assert.doesNotMatch(stderr, /\r/, 'no bar where there is no terminal')
  })

  test('without a cluster it sends what is piped into it', async t => {
    const late = start(['produce'], null)
    t.after(() => late.child.kill('SIGKILL'))
    await until(() => late.output.stderr.includes('waiting for lines on stdin; --count N'))
    late.child.stdin.end('a\nb\nc\n')
    const { code, stdout, stderr } = await late.ended
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^records {4}3 delivered$/m)
    assert.match(stdout, /^verified {3}3 records read back/m)
    const keyed = await run(['produce', '--key-field', 'user'], '{"user":"u"}\n')
    assert.match(keyed.stdout, /^records {4}1 delivered$/m)
    const nothing = await run(['produce', '--key-field', 'user'])
    assert.match(nothing.stdout, /^records {4}0 delivered$/m)
  })

  test('verifies the records of a file too, whatever the compression and acks', async () => {
    const lines = Array.from({ length: 3_000 }, (_, id) =>
      JSON.stringify({ id, user: `u${id % 50}`, text: 'é'.repeat(id % 90) }),
    )
    const path = fileOf('verify.ndjson', lines.join('\n'))
    for (const options of [
      ['--compression', 'lz4', '--key-field', 'user', '--header', 'source=test'],
      ['--acks', '0'],
      ['--acks', '1', '--partition', '2'],
    ]) {
      const { code, stdout, stderr } = await run(['produce', '--file', path, ...options])
      assert.equal(code, 0, stderr)
      assert.match(stdout, /^verified {3}3,000 records/m)
    }
  })

  test('sends each line of a file as one record, with key, partition and headers', async () => {
    const path = fileOf('lines.ndjson', '{"id":{"n":"a"}}\r\n{ "id": {"n":"b"}, "x":"ß" }\n{}\n7')
    const args = [
      '--file',
      path,
      '--key-field',
      'id.n',
      '--partition',
      '1',
      '--header',
      'h=1=2',
      '--header',
      'h=',
    ]
    const { code, stdout, stderr } = await run([...to('lines'), ...args])
    assert.equal(code, 0, stderr)
    assert.doesNotMatch(stdout, /verified/)
    const records = [...broker.records('lines')]
    assert.deepEqual(
      records.map(({ partition, key, value }) => [partition, textOf(key), textOf(value)]),
      [
        [1, 'a', '{"id":{"n":"a"}}'],
        [1, 'b', '{ "id": {"n":"b"}, "x":"ß" }'],
        [1, null, '{}'],
        [1, null, '7'],
      ],
    )
    for (const { headers } of records) {
      assert.deepEqual(
        headers.map(([name, value]) => [name, textOf(value)]),
        [
          ['h', '1=2'],
          ['h', ''],
        ],
      )
    }
  })

  test('reads stdin and sends what has come before the rest arrives', async () => {
    const { child, ended } = start(to('piped'), null)
    child.stdin.write('{"n":1}\n{"n":')
    await until(() => storedValues('piped').length === 1)
    child.stdin.end('2}\n')
    const { code, stderr } = await ended
    assert.equal(code, 0, stderr)
    assert.deepEqual(storedValues('piped'), ['{"n":1}', '{"n":2}'])
  })

  test('reports bad lines by number, sends the others, and exits with 1', async () => {
    const lines = Array.from({ length: 5_000 }, (_, n) => `{"n":${n + 1}}`)
    lines[2] = '{"n":'
    lines[4_099] = 'none'
    const path = fileOf('malformed.ndjson', lines.join('\n'))
    const { code, stdout, stderr } = await run([...to('malformed'), '--file', path])
    assert.equal(code, 1)
    assert.match(stderr, /^line 3: not JSON: /m)
    assert.match(stderr, /^line 4100: not JSON: /m)
    assert.equal(stderr.match(/^line /gm)?.length, 2)
    assert.match(stdout, /^records {4}4,998 delivered$/m)
    assert.match(stdout, /^errors {5}2$/m)
    const stored = new Set(storedValues('malformed'))
    assert.equal(stored.size, 4_998)
    assert.ok(stored.has('{"n":5000}'))
  })

  test('a record that is too large fails alone, with its line number', async () => {
    const large = JSON.stringify('x'.repeat(5_000))
    const path = fileOf('large.ndjson', `1\n2\n${large}\n4\n`)
    const limit = ['--property', 'max.request.size=2000']
    const { code, stderr } = await run([...to('large'), '--file', path, ...limit])
    assert.equal(code, 1)
    assert.match(stderr, /^line 3: .*RECORD_TOO_LARGE/m)
    assert.deepEqual(storedValues('large').sort(), ['1', '2', '4'])
  })

  test('an empty file is no failure', async () => {
    const path = fileOf('empty.ndjson', '\n')
    assert.equal((await run([...to('empty'), '--file', path])).code, 0)
    const { code, stdout } = await run(['produce', '--file', path])
    assert.equal(code, 0)
    assert.match(stdout, /^verified {3}0 records/m)
  })

  test('stops with 1 when the broker refuses everything', async () => {
    broker.createTopic('refused')
    broker.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED', topic: 'refused', times: 1_000 })
    const { code, stdout, stderr } = await run([...to('refused'), '--count', '1000000'])
    broker.clearFaults()
    assert.equal(code, 1)
    assert.match(stderr, /^events [\d, -]+: TOPIC_AUTHORIZATION_FAILED .*\(AUTHORIZATION_FAILED\)$/m)
    assert.match(stderr, /^stopped, all records of a call failed: /m)
    assert.match(stdout, /^records {4}0 delivered$/m)
  })

  test('stops with 1 when no broker can be reached', async () => {
    const args = ['--bootstrap-server', await unreachable(), '--topic', 't', '--property', 'max.block.ms=300']
    const { code, stderr } = await run(['produce', ...args, '--count', '1000000'])
    assert.equal(code, 1)
    assert.match(stderr, /^stopped, all records of a call failed: .*TIMED_OUT/m)
  })

  test('--quiet leaves only failures', async () => {
    const path = fileOf('quiet.ndjson', '1\nx\n')
    const { code, stdout, stderr } = await run(['produce', '--file', path, '--quiet'])
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /^line 2: not JSON: [^\n]*\n$/)
  })

  test('takes the cluster and more from a properties file', async () => {
    const config = fileOf(
      'client.properties',
      `bootstrap.servers=${broker.bootstrapServers}\ncompression.type=gzip\n`,
    )
    const { code, stderr } = await run([
      'produce',
      '--command-config',
      config,
      '--topic',
      'configured',
      '--count',
      '10',
    ])
    assert.equal(code, 0, stderr)
    assert.equal(storedValues('configured').length, 10)
  })

  test('an interrupt ends it after what was sent is settled, with 130', async () => {
    broker.createTopic('interrupted')
    const { child, ended } = start([...to('interrupted'), '--count', '1000000000'])
    await until(() => broker.partitions('interrupted').some(({ endOffset }) => endOffset > 5_000n))
    child.kill('SIGINT')
    const { code, stdout } = await ended
    assert.equal(code, 130)
    const [, delivered] = /^records {4}([\d,]+) delivered$/m.exec(stdout) ?? []
    const stored = broker.partitions('interrupted').reduce((sum, { endOffset }) => sum + Number(endOffset), 0)
    assert.equal(Number(delivered?.replaceAll(',', '')), stored)
  })

  test('a reader that goes away does no harm', async () => {
    const { child, ended } = start([...to('unread'), '--count', '100'])
    child.stdout.destroy()
    assert.equal((await ended).code, 0)
  })
})

describe('millrace broker', () => {
  test('runs until it is interrupted, and says that it is for development', async () => {
    const { child, output, ended } = start(['broker', '--port', '0', '--nodes', '2', '--partitions', '3'])
    await until(() => output.stdout.includes('Ctrl-C'))
    assert.match(output.stdout, /for development only/)
    assert.match(output.stdout, /partitions: 3/)
    const [, servers = ''] = /^bootstrap\.servers=(.*)$/m.exec(output.stdout) ?? []
    assert.equal(servers.split(',').length, 2)
    const produced = await run(['produce', '--bootstrap-server', servers, '--topic', 't', '--count', '5000'])
    assert.equal(produced.code, 0, produced.stderr)
    child.kill('SIGTERM')
    const { code, stdout } = await ended
    assert.equal(code, 0)
    assert.match(stdout, /^ended with 5,000 records in /m)
  })

  test('a port that is in use is a failure with a hint', async () => {
    const port = broker.bootstrapServers.split(':')[1] as string
    const { code, stderr } = await run(['broker', '--port', port])
    assert.equal(code, 1)
    assert.match(stderr, /in use; choose another with --port/)
  })
})
