import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { UsageError } from '../../../dist/cli/arguments.js'
import { planPerf } from '../../../dist/cli/perf/options.js'
import { startBroker, type TestBroker } from '../../../dist/testing/index.js'
import { run, start, textOf, until } from '../support.js'

let folder: string
let broker: TestBroker

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-perf-'))
  broker = await startBroker({ partitions: 1, quiet: true })
})

after(async () => {
  await broker.close()
  rmSync(folder, { recursive: true, force: true })
})

const perf = (topic: string, count: number, ...options: string[]) => [
  ...['perf', '--bootstrap-server', broker.bootstrapServers, '--topic', topic, '--num-records', `${count}`],
  ...(options.includes('--throughput') ? options : ['--throughput', '-1', ...options]),
]
const values = (topic: string) => [...broker.records(topic)].map(({ value }) => textOf(value))

const INTERVAL =
  /^\d+ records sent, [\d.]+ records\/sec \([\d.]+ MB\/sec\), [\d.]+ ms avg latency, [\d.]+ ms max latency\.$/
const TOTAL =
  /^\d+( steady state)? records sent, \d+\.\d{6} records\/sec \(\d+\.\d\d MB\/sec\), \d+\.\d\d ms avg latency, \d+\.\d\d ms max latency, \d+ ms 50th, \d+ ms 95th, \d+ ms 99th, \d+ ms 99\.9th\.$/

describe('millrace perf', () => {
  test('sends the same random letters in every mode, and ends with one line', async () => {
    const all: (string | null)[][] = []
    for (const mode of ['callback', 'promise', 'many']) {
      const { code, stdout, stderr } = await run(
        perf(`mode-${mode}`, 2_500, '--record-size', '10', '--mode', mode),
      )
      assert.equal(code, 0, stderr)
      assert.match(stdout.trimEnd(), TOTAL)
      assert.match(stdout, /^2500 records sent, /)
      all.push(values(`mode-${mode}`))
    }
    assert.equal(all[0]?.length, 2_500)
    assert.equal(all[0]?.[0], 'YQHHNEBSEP')
    assert.ok(new Set(all[0]).size > 2_400)
    assert.deepEqual(all[1], all[0])
    assert.deepEqual(all[2], all[0])
  })

  test('reports intervals, and the steady state on its own', async () => {
    const paced = ['--throughput', '2000', '--reporting-interval', '200', '--warmup-records', '600']
    const { code, stdout } = await run(perf('steady', 2_000, '--record-size', '10', ...paced))
    assert.equal(code, 0)
    const lines = stdout.trimEnd().split('\n')
    assert.equal(
      lines[0],
      'Warmup first 600 records. Steady state results will print after the complete test summary.',
    )
    assert.equal(lines.filter(line => line === 'In steady state.').length, 1)
    assert.ok(lines.filter(line => INTERVAL.test(line)).length >= 2, stdout)
    const [total, steady] = lines.slice(-2)
    assert.match(total ?? '', TOTAL)
    assert.match(total ?? '', /^2000 records sent, (1\d{3}|2000)\./)
    assert.match(steady ?? '', /^1400 steady state records sent, /)
    assert.match(steady ?? '', TOTAL)
  })

  test('takes payloads from a file, and numbers', async () => {
    const file = join(folder, 'payloads.txt')
    writeFileSync(file, 'one;two;three;')
    const { stdout } = await run(
      perf('chosen', 100, '--payload-file', file, '--payload-delimiter', ';', '--mode', 'many'),
    )
    assert.match(stdout, /^Reading payloads from: \/.*payloads\.txt\nNumber of records read: 3\n/)
    assert.deepEqual(new Set(values('chosen')), new Set(['one', 'two', 'three']))
    await run(perf('counted', 3, '--payload-monotonic'))
    assert.deepEqual(values('counted'), ['0', '1', '2'])
  })

  test('takes several properties after one option, and the old spellings with their notice', async () => {
    const clients = new Set<string | null>()
    const off = broker.onRequest(({ clientId }) => clients.add(clientId))
    const properties = [
      '--command-property',
      'client.id=mine',
      'linger.ms=0',
      'acks=1',
      '--payload-monotonic',
    ]
    const { code, stderr } = await run(perf('props', 2, ...properties))
    assert.equal(code, 0, stderr)
    const old = await run(
      perf('props', 2, '--producer-props', 'linger.ms=0', 'acks=1', '--payload-monotonic'),
    )
    off()
    assert.match(
      old.stdout,
      /^Option --producer-props has been deprecated and will be removed in a future version\. Use --command-property instead\.$/m,
    )
    assert.deepEqual(clients, new Set(['mine', 'perf-producer-client']))
  })

  test('commits a transaction each time its time is over', async () => {
    const transactional = ['--transaction-duration-ms', '200', '--throughput', '500', '--payload-monotonic']
    const ended: string[] = []
    const off = broker.onRequest(({ api }) => api === 'EndTxn' && ended.push(api))
    const { code, stderr } = await run(perf('tx', 400, ...transactional))
    off()
    assert.equal(code, 0, stderr)
    assert.equal([...broker.records('tx', undefined, { isolation: 'read_committed' })].length, 400)
    assert.ok(ended.length >= 2, `${ended.length} transactions`)
  })

  test('writes JSON and a chart', async () => {
    const chart = join(folder, 'run.html')
    const json = ['--json', '--chart', chart, '--reporting-interval', '100', '--throughput', '2000']
    const { code, stdout, stderr } = await run(perf('json', 800, '--record-size', '10', ...json))
    assert.equal(code, 0, stderr)
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    const total = lines.at(-1)
    assert.equal(total.type, 'total')
    assert.equal(total.records, 800)
    assert.equal(total.failed, 0)
    assert.ok(total.p50Ms > 0 && total.p50Ms <= total.p999Ms && total.p999Ms <= total.maxMs)
    assert.ok(lines.slice(0, -1).length >= 1)
    assert.ok(lines.slice(0, -1).every(({ type }) => type === 'interval'))
    assert.match(readFileSync(chart, 'utf8'), /^<!doctype html>[\s\S]*<svg [\s\S]*<td>800<\/td>/)
    assert.match(stderr, /^chart: .*run\.html$/m)
  })

  test('prints the metrics of the producer after the figures', async () => {
    const { code, stdout, stderr } = await run(perf('metrics', 5, '--record-size', '10', '--print-metrics'))
    assert.equal(code, 0, stderr)
    const [total, blank, heading, ...metrics] = stdout.trimEnd().split('\n')
    assert.match(total ?? '', TOTAL)
    assert.equal(blank, '')
    assert.match(heading ?? '', /^Metric Name {4,}Value$/)
    assert.deepEqual(metrics, [...metrics].sort())
    assert.match(
      metrics.join('\n'),
      /^producer-metrics:record-send-total:{client-id=perf-producer-client} +: 5\.000$/m,
    )
    const json = await run(perf('metrics', 5, '--record-size', '10', '--print-metrics', '--json'))
    const last = JSON.parse(json.stdout.trimEnd().split('\n').at(-1) ?? '')
    assert.equal(last.type, 'metrics')
    assert.ok(last.metrics.some(({ name }: { name: string }) => name === 'record-send-total'))
  })

  test('fails when records fail, and stops when none is delivered', async () => {
    broker.createTopic('denied')
    broker.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED', topic: 'denied', times: 1_000 })
    const { code, stdout, stderr } = await run(perf('denied', 100_000_000, '--record-size', '10'))
    broker.clearFaults()
    assert.equal(code, 1)
    assert.match(stderr, /TOPIC_AUTHORIZATION_FAILED/)
    assert.match(stderr, /^stopped: no record was delivered$/m)
    assert.match(stdout, /^0 records sent, /m)
    const large = await run(
      perf('large', 3, '--record-size', '5000', '--command-property', 'max.request.size=100'),
    )
    assert.equal(large.code, 1)
    assert.match(large.stderr, /^3 records failed: .*RECORD_TOO_LARGE/m)
  })

  test('an interrupt ends it with the figures so far', async t => {
    const { child, ended } = start(
      perf('cut-short', 100_000_000, '--record-size', '10', '--throughput', '1000'),
    )
    t.after(() => child.kill('SIGKILL'))
    await until(() => values('cut-short').length > 10)
    child.kill('SIGINT')
    const { code, stdout } = await ended
    assert.equal(code, 130)
    assert.match(stdout.trimEnd(), TOTAL)
    assert.equal(Number(/^(\d+) /.exec(stdout)?.[1]), values('cut-short').length)
  })

  test('refuses what Kafka refuses, with exit code 2; without arguments it prints its help', async () => {
    const { code: helped, stdout: help } = await run(['perf'])
    assert.equal(helped, 0)
    assert.match(help, /--num-records N/)
    const topic = ['--topic', 't', '--throughput', '-1']
    const plan = (...args: Parameters<typeof perf>) => perf(...args).slice(1)
    for (const [args, why] of [
      [['--payload-monotonic'], /missing: --topic, --num-records, --throughput/],
      [
        [...topic, '--num-records', '1'],
        /exactly one of --record-size, --payload-file and --payload-monotonic/,
      ],
      [[...topic, '--num-records', '1', '--record-size', '1', '--payload-monotonic'], /exactly one of/],
      [[...topic, '--num-records', '0', '--record-size', '1'], /--num-records is "0"/],
      [[...topic, '--num-records', '1', '--record-size', '0'], /--record-size is "0"/],
      [[...topic, '--num-records', '1', '--record-size', '1'], /--bootstrap-server is missing/],
      [plan('t', 5, '--record-size', '1', '--warmup-records', '5'), /--warmup-records must be fewer/],
      [plan('t', 5, '--record-size', '1', '--reporting-interval', '0'), /--reporting-interval is "0"/],
      [
        plan('t', 5, '--record-size', '1', '--transaction-duration-ms', '0'),
        /--transaction-duration-ms is "0"/,
      ],
      [plan('t', 5, '--record-size', '1', '--throughput', 'fast'), /--throughput is "fast"/],
      [plan('t', 5, '--payload-file', '/nowhere/at/all'), /cannot be read: ENOENT/],
      [plan('t', 5, '--record-size', '1', '--mode', 'batch'), /allowed are callback, promise, many/],
      [plan('t', 5, '--record-size', '1', '--chart', 'a.png'), /must end in \.svg or \.html/],
      [plan('t', 5, '--record-size', '1', '--chart', '/nowhere/at/all.svg'), /cannot be written: ENOENT/],
      [plan('t', 5, '--message-size', '1'), /--message-size: it is --record-size here/],
    ] as const) {
      assert.throws(
        () => planPerf(args),
        (error: Error) => error instanceof UsageError && why.test(error.message),
        args.join(' '),
      )
    }
    const { code, stderr, stdout } = await run(['perf', '--payload-monotonic'])
    assert.equal(code, 2)
    assert.match(stderr, /^millrace perf: missing: .*\nSee millrace perf --help\n$/)
    assert.equal(stdout, '')
  })
})
