import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { UsageError } from '../../dist/cli/arguments.js'
import { planProduce } from '../../dist/cli/produce-options.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { run, start, textOf, until } from './support.js'

let folder: string
let broker: TestBroker

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-text-'))
  broker = await startBroker({ partitions: 1, quiet: true })
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

let topics = 0
const newTopic = () => `text-${topics++}`
const to = (topic: string) => ['produce', '-b', broker.bootstrapServers, '-t', topic]

function stored(topic: string) {
  return [...broker.records(topic)].map(({ key, value, headers }) => {
    const pairs = headers.map(([name, bytes]) => [name, textOf(bytes)])
    return pairs.length === 0 ? [textOf(key), textOf(value)] : [textOf(key), textOf(value), pairs]
  })
}

/** Sends the input with these options, expects the exit code and answers what is stored and what was said. */
async function sent(options: readonly string[], input: string | Buffer, expectedCode = 0) {
  const topic = newTopic()
  broker.createTopic(topic)
  const { code, stdout, stderr } = await run([...to(topic), ...options], input)
  assert.equal(code, expectedCode, stderr)
  return { records: stored(topic), stdout, stderr }
}

describe('lines of text', () => {
  test('are records as they stand, empty ones too', async () => {
    const { records } = await sent([], 'plain\n{"not": json\n\n  x \r\n\ufefflast')
    assert.deepEqual(records, [
      [null, 'plain'],
      [null, '{"not": json'],
      [null, ''],
      [null, '  x '],
      [null, '\ufefflast'],
    ])
  })

  test('may be of any bytes', async () => {
    const bytes = Buffer.from([0, 0xff, 0xfe, 0x80, 0x0d, 0x41])
    const topic = newTopic()
    broker.createTopic(topic)
    assert.equal((await run([...to(topic), '--raw'], bytes)).code, 0)
    assert.deepEqual(
      [...broker.records(topic)].map(({ value }) => Buffer.from(value ?? [])),
      [bytes],
    )
  })

  test('have keys and headers by the properties of the reader', async () => {
    const properties = ['parse.key=true', 'parse.headers=true', 'null.marker=NULL', 'key.separator=|']
    const options = properties.flatMap(property => ['--reader-property', property])
    const { records } = await sent([...options, '-H', 'all=1'], 'a:1,b:2\tk|v\nNULL\tNULL|NULL\n')
    assert.deepEqual(records, [
      [
        'k',
        'v',
        [
          ['all', '1'],
          ['a', '1'],
          ['b', '2'],
        ],
      ],
      [null, null, [['all', '1']]],
    ])
  })

  test('take the properties from a file, and the old spelling with a notice', async () => {
    const config = fileOf('reader.properties', 'parse.key=true\nkey.separator=;\n')
    const fromFile = await sent(
      ['--reader-config', config, '--reader-property', 'key.separator=:'],
      'k:v;w\n',
    )
    assert.deepEqual(fromFile.records, [['k', 'v;w']])
    const old = await sent(['--property', 'parse.key=true', '--property', 'linger.ms=1'], 'k\tv\n')
    assert.deepEqual(old.records, [['k', 'v']])
    assert.match(old.stderr, /^Warning: --property is deprecated for the reader\. Use --reader-property/m)
  })

  test('end at the first that has no key, unless that is to be passed over or no error', async () => {
    const key = ['--reader-property', 'parse.key=true']
    const ended = await sent(key, 'a\t1\nnone\nb\t2\n', 1)
    assert.deepEqual(ended.records, [['a', '1']])
    assert.match(ended.stderr, /^line 2: No key separator found on line number 2: 'none'$/m)
    assert.match(ended.stderr, /^stopped at line 2; --keep-going passes over such lines$/m)
    const passed = await sent([...key, '-E'], 'a\t1\nnone\nb\t2\n', 1)
    assert.deepEqual(passed.records, [
      ['a', '1'],
      ['b', '2'],
    ])
    const ignored = await sent([...key, '--reader-property', 'ignore.error=true'], 'a\t1\nnone\n')
    assert.deepEqual(ignored.records, [
      ['a', '1'],
      [null, 'none'],
    ])
  })

  test("take kcat's options", async () => {
    assert.deepEqual((await sent(['-K', ':', '-k', 'fix', '-Z'], 'k:v\nnok\n:v\nk:\n')).records, [
      ['k', 'v'],
      ['fix', 'nok'],
      [null, 'v'],
      ['k', null],
    ])
    assert.deepEqual((await sent(['-D', 'ab', '-z', 'gzip', '-p', '0'], '1ab2\nab3')).records, [
      [null, '1'],
      [null, '2\n'],
      [null, '3'],
    ])
    assert.deepEqual(
      (await sent(['-P', '-q', '-c', '2', '-X', 'queue.buffering.max.ms=1'], '1\n2\n3\n')).records,
      [
        [null, '1'],
        [null, '2'],
      ],
    )
    const lines = fileOf('lines.txt', 'x\ny\n')
    assert.deepEqual((await sent(['-l', lines], '')).records, [
      [null, 'x'],
      [null, 'y'],
    ])
  })

  test('a limit ends an input that goes on', async () => {
    const topic = newTopic()
    broker.createTopic(topic)
    const { child, ended } = start([...to(topic), '-c', '2'], null)
    child.stdin.write('1\n2\n3\n')
    assert.equal((await ended).code, 0)
    assert.deepEqual(stored(topic), [
      [null, '1'],
      [null, '2'],
    ])
  })

  test('are printed with --tee, and nothing else is', async () => {
    const { stdout, stderr } = await sent(['-T', '-K', ':', '-D', ';'], 'a:1;b\x1b:2')
    assert.equal(stdout, 'a:1;b\x1b:2;')
    assert.match(stderr, /^records {4}2 delivered$/m)
  })

  test('several files follow one another, each with a last line of its own', async () => {
    const paths = [fileOf('one.txt', 'a\nb'), fileOf('empty.txt', ''), fileOf('two.txt', 'c\n')]
    const { records } = await sent(
      paths.flatMap(path => ['--file', path]),
      '',
    )
    assert.deepEqual(records, [
      [null, 'a'],
      [null, 'b'],
      [null, 'c'],
    ])
  })

  test('go to several topics', async () => {
    const other = newTopic()
    const { records } = await sent(['-t', other], 'a\nb\n')
    assert.deepEqual(records, [
      [null, 'a'],
      [null, 'b'],
    ])
    assert.deepEqual(stored(other), records)
  })

  test('one at a time with --sync, which ends at the first that fails', async () => {
    const large = 'x'.repeat(5_000)
    const options = ['--sync', '--command-property', 'max.request.size=2000']
    const { records, stderr } = await sent(options, `1\n2\n${large}\n4\n`, 1)
    assert.deepEqual(records, [
      [null, '1'],
      [null, '2'],
    ])
    assert.match(stderr, /^line 3: .*RECORD_TOO_LARGE/m)
    assert.match(stderr, /^stopped at the first record that failed/m)
    const json = await sent(['--sync', '--json'], '1\nnone\n2\n', 1)
    assert.deepEqual(
      json.records,
      [
        [null, '1'],
        [null, '2'],
      ],
      'a line that is not JSON was not sent',
    )
  })
})

describe('JSON', () => {
  test('is found out by the name of the file, which is said, and can be asked for or declined', async () => {
    const path = fileOf('named.ndjson', '{"a":1}\nnone\n')
    const found = await sent(['--file', path], '', 1)
    assert.match(
      found.stderr,
      /named\.ndjson: read as JSON, as the name says; --raw takes the lines as they stand/,
    )
    assert.deepEqual(found.records, [[null, '{"a":1}']])
    assert.deepEqual((await sent(['--file', path, '--raw'], '')).records, [
      [null, '{"a":1}'],
      [null, 'none'],
    ])
    assert.match((await sent(['--json'], 'none\n', 1)).stderr, /^line 1: not JSON/m)
  })

  test('names the topic of each record', async () => {
    const [one, two] = [newTopic(), newTopic()]
    const { records } = await sent(
      ['--topic-field', 't', '-k', 'fix', '--key-field', 'k'],
      `{"t":"${one}","k":7}\n{"t":"${two}"}\n{}\n`,
    )
    assert.deepEqual(stored(one), [['7', `{"t":"${one}","k":7}`]])
    assert.deepEqual(stored(two), [['fix', `{"t":"${two}"}`]])
    assert.deepEqual(records, [['fix', '{}']])
  })
})

describe('whole files', () => {
  test('are one record each, and one that cannot be read fails alone', async () => {
    const [one, two] = [fileOf('a.bin', Buffer.from('1\n2\n')), fileOf('b.bin', '')]
    const { records } = await sent(['-k', 'key', '-Z', one, two], '')
    assert.deepEqual(records, [
      ['key', '1\n2\n'],
      ['key', null],
    ])
    const large = fileOf('large.bin', Buffer.alloc(3_000_000))
    const failed = await sent([one, large], '', 1)
    assert.deepEqual(failed.records, [[null, '1\n2\n']])
    assert.match(failed.stderr, /^file .*large\.bin: .*RECORD_TOO_LARGE/m)
  })
})

describe('a transaction', () => {
  const id = ['--transactional-id']

  test('has all records or none', async () => {
    const good = newTopic()
    broker.createTopic(good)
    const { code, stdout, stderr } = await run([...to(good), ...id, 'cli-1'], 'a\nb\n')
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^transaction {2}committed$/m)
    const committed = (topic: string) => [
      ...broker.records(topic, undefined, { isolation: 'read_committed' }),
    ]
    assert.equal(committed(good).length, 2)

    const bad = newTopic()
    broker.createTopic(bad)
    const failed = await run(
      [...to(bad), ...id, 'cli-2', '--reader-property', 'parse.key=true'],
      'a\tb\nnone\n',
    )
    assert.equal(failed.code, 1)
    assert.match(failed.stdout, /^transaction {2}aborted$/m)
    assert.equal(committed(bad).length, 0)
  })

  test('is aborted by an interrupt', async () => {
    const topic = newTopic()
    broker.createTopic(topic)
    const { child, ended } = start([...to(topic), ...id, 'cli-3'], null)
    child.stdin.write('a\nb\n')
    await until(() => broker.partitions(topic).some(({ endOffset }) => endOffset > 0n))
    child.kill('SIGINT')
    const { code, stdout } = await ended
    assert.equal(code, 130)
    assert.match(stdout, /^transaction {2}aborted$/m)
    assert.equal([...broker.records(topic, undefined, { isolation: 'read_committed' })].length, 0)
  })
})

describe('what comes from outside', () => {
  test('reaches no terminal unescaped', async () => {
    const evil = fileOf('evil\x1b[2J.ndjson', '{"a":\x1b]0;x\x07}\n')
    const { stderr } = await sent(['--file', evil], '', 1)
    const key = await sent(['--reader-property', 'parse.key=true'], 'none\x1b[31m\x9b\n', 1)
    const topic = await run(['produce', '-b', broker.bootstrapServers, '-t', 'a\x1b[2J\r'], 'x\n')
    const option = await run(['produce', '--to\x1bpic', 'x'])
    const command = await run(['pro\x1bduce'])
    for (const text of [stderr, key.stderr, topic.stderr, topic.stdout, option.stderr, command.stderr]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
      assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
    }
    assert.match(stderr, /evil\\u001b\[2J\.ndjson/)
    assert.match(key.stderr, /'none\\u001b\[31m/)
    assert.equal(topic.code, 1)
    assert.match(topic.stderr, /a\\u001b\[2J\\r/)
  })
})

describe('spellings of other tools', () => {
  test('are answered with ours', () => {
    for (const [options, answer] of [
      [['--broker-list', 'a:1'], /--broker-list: it is --bootstrap-server here/],
      [['-C'], /-C: is for consuming; millrace only produces/],
      [['-d', 'all'], /-d: it is --verbose here/],
      [['--line-reader', 'com.acme.Reader'], /classes of Java cannot be run here/],
      [['-X', 'batch.num.messages=5'], /no equal; batch\.size counts bytes/],
      [['-X', 'no.such=5'], /no such option; -X list shows them/],
      [['--parse-key'], /it is --reader-property parse\.key=true here/],
      [['--json', '--raw'], /--json and --raw cannot be specified together/],
      [['--json', '-K', ':'], /--key-field is the one for JSON/],
      [['-p', '-1'], /-p -1 is kcat's random partition; without -p records go where Java puts them/],
    ] as const) {
      assert.throws(
        () => planProduce(['-b', 'a:1', '-t', 't', ...options], 'piped'),
        (error: Error) => error instanceof UsageError && answer.test(error.message),
        options.join(' '),
      )
    }
  })

  test("options of Kafka's console producer and of librdkafka reach the producer", async () => {
    const file = fileOf('shared.properties', 'group.id=g\nkey.serializer=a.B\nacks=0\nlinger.ms=1\n')
    const options = ['--command-config', file, '--compression-codec', '--request-required-acks', '-1']
    const { records, stderr } = await sent(
      [...options, '--timeout', '3', '-X', 'message.timeout.ms=40000'],
      'a\n',
    )
    assert.deepEqual(records, [[null, 'a']])
    assert.match(stderr, /no producer has these options, they are passed over: group\.id$/m)
    const wrong = await run([...to('t'), '--batch-size', 'many'])
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /batch\.size/)
    const list = await run(['produce', '-X', 'list'])
    assert.equal(list.code, 0)
    assert.match(list.stdout, /^linger\.ms \(default 5\)$/m)
  })
})
