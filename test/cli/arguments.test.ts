import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { assignment, nearest, parseOptions, UsageError, wholeNumber } from '../../dist/cli/arguments.js'
import { planProduce } from '../../dist/cli/produce-options.js'

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
    refused(() => assignment('header', 'a'), /expected name=value/)
    refused(() => assignment('header', '=a'), /expected name=value/)
  })

  test('a hint is given for slips only', () => {
    assert.equal(nearest('prodcue', ['produce', 'broker']), 'produce')
    assert.equal(nearest('compress', ['compression', 'count']), 'compression')
    assert.equal(nearest('consume', ['produce', 'broker']), undefined)
  })
})

describe('the plan of produce', () => {
  const cluster = ['--bootstrap-server', 'a:1', '--topic', 't']

  test('without a cluster it is a million generated events to this process', () => {
    for (const terminal of [true, false]) {
      const plan = planProduce([], terminal)
      assert.equal(plan.inProcess, true)
      assert.deepEqual(plan.source, { kind: 'events', count: 1_000_000 })
      assert.equal('bootstrap.servers' in plan.options, false)
    }
  })

  test('with a cluster it is stdin, unless that is a terminal or events are asked for', () => {
    assert.deepEqual(planProduce(cluster, false).source, { kind: 'stdin' })
    assert.deepEqual(planProduce([...cluster, '--file', '-'], true).source, { kind: 'stdin' })
    assert.deepEqual(planProduce(cluster, true).source, { kind: 'events', count: 1_000_000 })
    assert.deepEqual(planProduce([...cluster, '--count', '5'], false).source, { kind: 'events', count: 5 })
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
      true,
    )
    assert.equal(plan.inProcess, false, 'the file names a cluster')
    assert.deepEqual(plan.options, {
      'client.id': 'millrace-produce',
      'bootstrap.servers': 'file:9092',
      acks: 'all',
      'linger.ms': '7',
      'compression.type': 'lz4',
    })
    refused(() => planProduce(['--command-config', file], true), /--topic is missing/)
  })

  test('what does not fit together is refused', () => {
    refused(() => planProduce(['--bootstrap-server', 'a:1'], true), /--topic is missing/)
    refused(() => planProduce(['--property', 'bootstrap.servers=a:1'], true), /--topic is missing/)
    refused(() => planProduce(['--count', '5', '--file', '-'], true), /cannot be combined with --file/)
    refused(() => planProduce(['--count', '0'], true), /--count is "0"/)
    refused(() => planProduce(['--key-field', 'user'], true), /--key-field needs --file or stdin/)
    refused(() => planProduce(['--partition', '-1'], true), /--partition needs a value/)
    refused(() => planProduce(['--partition=-1'], true), /--partition is "-1"/)
    refused(() => planProduce(['--header', 'x'], true), /expected name=value/)
    refused(() => planProduce(['--file', '/nowhere/at/all'], true), /cannot be read: ENOENT/)
    refused(() => planProduce(['--file', tmpdir()], true), /it is a directory/)
    refused(() => planProduce(['--command-config', '/nowhere/at/all'], true), /cannot be read: ENOENT/)
  })
})
