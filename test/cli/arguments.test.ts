import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { assignment, nearest, parseOptions, UsageError, wholeNumber } from '../../dist/cli/arguments.js'
import { planProduce } from '../../dist/cli/produce-options.js'
import { fromRdkafka } from '../../dist/cli/rdkafka-options.js'

const table = {
  topic: { type: 'string' },
  header: { type: 'string', multiple: true },
  quiet: { type: 'boolean' },
} as const

const refused = (work: () => unknown, why: RegExp) =>
  assert.throws(work, (error: Error) => error instanceof UsageError && why.test(error.message))

describe('options', () => {
  test('values, repeats and flags are read, with blank or equals sign', () => {
    assert.deepEqual(parseOptions(['--topic', 'a', '--header', 'x=1', '--header=y=2', '--quiet'], table), {
      topic: 'a',
      header: ['x=1', 'y=2'],
      quiet: true,
    })
    assert.deepEqual(parseOptions([], table), { topic: undefined, header: [], quiet: false })
  })

  test('the last value counts, empty ones and those with a dash too', () => {
    assert.equal(parseOptions(['--topic', 'a', '--topic='], table).topic, '')
    assert.equal(parseOptions(['--topic=-b'], table).topic, '-b')
    assert.equal(parseOptions(['--topic', '-'], table).topic, '-')
  })

  test('what the table does not have is refused with a hint', () => {
    refused(() => parseOptions(['--topik', 'a'], table), /--topik; did you mean --topic\?/)
    refused(() => parseOptions(['--head=x'], table), /--head; did you mean --header\?/)
    refused(() => parseOptions(['--zzzzzz'], table), /^Unknown option --zzzzzz$/)
    refused(() => parseOptions(['-t', 'a'], table), /Unknown option -t/)
    refused(() => parseOptions(['--constructor'], table), /Unknown option --constructor/)
  })

  test('a value may be left out, be several, or be below zero, where the table says so', () => {
    const own = {
      codec: { type: 'string', bare: 'gzip' },
      property: { type: 'string', multiple: true, greedy: true },
      rate: { type: 'string', negative: true },
      quiet: { type: 'boolean', short: 'q' },
    } as const
    const read = (...args: string[]) => parseOptions(args, own)
    assert.equal(read('--codec').codec, 'gzip')
    assert.equal(read('--codec', '--quiet').codec, 'gzip')
    assert.equal(read('--codec', 'lz4').codec, 'lz4')
    assert.equal(read('--codec=zstd').codec, 'zstd')
    assert.deepEqual(read('--property', 'a=1', 'b=2', '-q', '--property', 'c=3').property, [
      'a=1',
      'b=2',
      'c=3',
    ])
    assert.equal(read('--rate', '-1').rate, '-1')
    assert.equal(read('--rate', '-1.5').rate, '-1.5')
    refused(() => read('--rate', '-x'), /--rate needs a value/)
    refused(() => read('--property', '--quiet'), /--property needs a value/)
    refused(
      () => parseOptions(['--old'], own, { '--old': 'it is --new here' }),
      /^Option --old: it is --new here$/,
    )
  })

  test('missing and superfluous values and arguments are refused', () => {
    refused(() => parseOptions(['--topic'], table), /--topic needs a value/)
    refused(() => parseOptions(['--topic', '--quiet'], table), /--topic needs a value/)
    refused(() => parseOptions(['--quiet=yes'], table), /--quiet takes no value/)
    refused(() => parseOptions(['file.json'], table), /Unexpected argument "file.json"/)
    refused(() => parseOptions(['--', '--topic'], table), /Unexpected argument "--topic"/)
  })

  test('whole numbers are plain digits within the range', () => {
    assert.equal(wholeNumber('count', '12', 1, 12), 12)
    for (const text of ['', '0', '13', '1.5', '1e1', '-1', ' 2', 'x']) {
      refused(() => wholeNumber('count', text, 1, 12), /--count is .*allowed are whole numbers from 1 to 12/)
    }
  })

  test('assignments are split at the first equals sign', () => {
    assert.deepEqual(assignment('header', 'a=b=c'), ['a', 'b=c'])
    assert.deepEqual(assignment('header', 'a='), ['a', ''])
    refused(() => assignment('header', 'a'), /takes name=value/)
    refused(() => assignment('header', '=a'), /takes name=value/)
  })

  test('a hint is given for slips only', () => {
    assert.equal(nearest('prodcue', ['produce', 'broker']), 'produce')
    assert.equal(nearest('compress', ['compression', 'count']), 'compression')
    assert.equal(nearest('consume', ['produce', 'broker']), undefined)
  })
})

describe("options under librdkafka's names", () => {
  const read = (...pairs: [string, string][]) => fromRdkafka(pairs)

  test('are given their names of Java where they mean the same', () => {
    assert.deepEqual(
      read(
        ['metadata.broker.list', 'a:1'],
        ['topic.request.required.acks', '1'],
        ['queue.buffering.max.ms', '7'],
      ),
      { 'bootstrap.servers': 'a:1', acks: '1', 'linger.ms': '7' },
    )
    assert.deepEqual(read(['linger.ms', '3'], ['ssl.ca.location', 'ca.pem']), {
      'linger.ms': '3',
      'ssl.truststore.location': 'ca.pem',
      'ssl.truststore.type': 'PEM',
    })
  })

  test('a user and a password become a login module, whatever characters they have', () => {
    const options = read(['sasl.mechanisms', 'PLAIN'], ['sasl.username', 'u"x'], ['sasl.password', 'p\\;w'])
    assert.equal(
      options['sasl.jaas.config'],
      'org.apache.kafka.common.security.plain.PlainLoginModule required username="u\\"x" password="p\\\\;w";',
    )
    refused(() => read(['sasl.username', 'u']), /needs -X sasl\.mechanism=PLAIN/)
  })

  test('are refused where nothing means the same', () => {
    refused(() => read(['queue.buffering.max.messages', '5']), /no equal; buffer\.memory counts bytes/)
    refused(() => read(['group.id', 'g']), /"group\.id": no such option; -X list shows them/)
  })
})

describe('the plan of produce', () => {
  const cluster = ['--bootstrap-server', 'a:1', '--topic', 't']

  test('without a cluster it is a million generated events to this process', () => {
    for (const stdin of ['terminal', 'none'] as const) {
      const plan = planProduce([], stdin)
      assert.equal(plan.inProcess, true)
      assert.deepEqual(plan.source, { kind: 'events', count: 1_000_000 })
      assert.equal('bootstrap.servers' in plan.options, false)
    }
  })

  test('without a cluster, lines that are piped go before generated events', () => {
    const orEvents = 1_000_000
    assert.deepEqual(planProduce([], 'piped').source, { kind: 'stdin', orEvents })
    assert.deepEqual(planProduce(['-H', 'a=b'], 'piped').source, { kind: 'stdin', orEvents })
    for (const ofLines of [['--json'], ['--key', 'k'], ['--key-field', 'user'], ['--topic-field', 'to']]) {
      assert.deepEqual(planProduce(ofLines, 'piped').source, { kind: 'stdin' })
    }
    assert.deepEqual(planProduce(['--count', '5'], 'piped').source, { kind: 'events', count: 5 })
  })

  test('with a cluster it is stdin, unless events are asked for; on a terminal there is a prompt', () => {
    assert.deepEqual(planProduce(cluster, 'piped').source, { kind: 'stdin' })
    assert.deepEqual(planProduce([...cluster, '--file', '-'], 'terminal').source, { kind: 'stdin' })
    assert.deepEqual(planProduce(cluster, 'terminal').source, { kind: 'stdin', prompt: true })
    assert.deepEqual(planProduce([...cluster, '--count', '5'], 'piped').source, { kind: 'events', count: 5 })
  })

  test('options go before the file, and properties before options', t => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'client.properties')
    writeFileSync(file, 'bootstrap.servers=file:9092\nacks=0\nlinger.ms=7\ncompression.type=gzip\n')
    const plan = planProduce(
      [
        '--topic',
        't',
        '--command-config',
        file,
        '--acks',
        '1',
        '--compression',
        'lz4',
        '--property',
        'acks=all',
      ],
      'terminal',
    )
    assert.equal(plan.inProcess, false, 'the file names a cluster')
    assert.deepEqual(plan.options, {
      'client.id': 'millrace-produce',
      'bootstrap.servers': 'file:9092',
      acks: 'all',
      'linger.ms': '7',
      'compression.type': 'lz4',
    })
    refused(() => planProduce(['--command-config', file], 'terminal'), /--topic is missing/)
  })

  test('what does not fit together is refused', () => {
    refused(() => planProduce(['--bootstrap-server', 'a:1'], 'terminal'), /--topic is missing/)
    refused(() => planProduce(['--property', 'bootstrap.servers=a:1'], 'terminal'), /--topic is missing/)
    refused(() => planProduce(['--count', '5', '--file', '-'], 'terminal'), /cannot be combined with --file/)
    refused(() => planProduce(['--count', '0'], 'terminal'), /--count is "0"/)
    refused(() => planProduce(['--key-field', 'user'], 'terminal'), /--key-field needs --file or stdin/)
    refused(() => planProduce(['--partition', '-1'], 'terminal'), /--partition needs a value/)
    refused(() => planProduce(['--partition=-1'], 'terminal'), /--partition is "-1"/)
    refused(() => planProduce(['--header', 'x'], 'terminal'), /takes name=value/)
    refused(() => planProduce(['--file', '/nowhere/at/all'], 'terminal'), /cannot be read: ENOENT/)
    refused(() => planProduce(['--file', tmpdir()], 'terminal'), /it is a directory/)
    refused(() => planProduce(['--command-config', '/nowhere/at/all'], 'terminal'), /cannot be read: ENOENT/)
  })
})
