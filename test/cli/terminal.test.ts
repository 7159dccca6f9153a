import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { TIMEOUT_MS, unreachable, until } from './support.js'

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const CLEAR = '\r\x1b[2K'
const COLUMNS = 80

/** `script` of util-linux runs a command in a terminal of its own. */
const hasScript = /util-linux/.test(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '')
const skip = !hasScript && 'script of util-linux not found on the PATH'

/** Runs the command in a terminal; what it shows is in `shown`. */
function inTerminal(args: readonly string[]) {
  const command = [process.execPath, cli, ...args].map(word => `'${word}'`).join(' ')
  const script = ['-q', '-e', '-c', `stty cols ${COLUMNS} rows 24; exec ${command}`, '/dev/null']
  const child = spawn('script', script, { timeout: TIMEOUT_MS })
  const terminal = { child, shown: '', ended: Promise.resolve<number | null>(null) }
  child.stdout.setEncoding('utf8').on('data', text => {
    terminal.shown += text
  })
  terminal.ended = new Promise(resolve => child.once('close', resolve))
  return terminal
}

/** What is written into each line of the terminal: all but the last of it has been cleared again. */
const writings = (shown: string) => shown.split('\r\n').map(line => line.split(CLEAR))

/** The finished lines of the terminal. */
const linesOf = (shown: string) => writings(shown).map(all => all.at(-1) as string)

let broker: TestBroker

before(async () => {
  broker = await startBroker({ partitions: 1, quiet: true })
})

after(() => broker.close())

describe('on a terminal of 80 columns', { skip }, () => {
  test('progress with latencies fits, and the lines of intervals do not tear it', async () => {
    const perf = ['perf', '--bootstrap-server', broker.bootstrapServers, '--topic', 't']
    const load = ['--num-records', '3000', '--record-size', '10', '--throughput', '2000']
    const terminal = inTerminal([...perf, ...load, '--reporting-interval', '300'])
    assert.equal(await terminal.ended, 0, terminal.shown)
    const drawn = writings(terminal.shown).flatMap(all => all.slice(1))
    const bars = drawn.filter(text => text.includes('records/s '))
    assert.ok(
      bars.some(text => / p50 [\d.]+ p99 [\d.]+ ms/.test(text)),
      terminal.shown,
    )
    for (const bar of bars) assert.ok(bar.length < COLUMNS, bar)
    const lines = linesOf(terminal.shown).filter(line => line !== '')
    const results = lines.filter(line => / records sent, /.test(line))
    assert.ok(results.length >= 3, terminal.shown)
    for (const line of results) assert.match(line, /^\d+ records sent, .* (latency\.|99\.9th\.)$/)
    assert.match(lines.at(-2) ?? '', /100% {2}3,000 records/)
  })

  test('warnings and the countdown stand in lines of their own', async t => {
    const servers = await unreachable()
    const terminal = inTerminal(['produce', '-b', servers, '-t', 't', '--count', '1000'])
    t.after(() => terminal.child.kill('SIGKILL'))
    await until(() => terminal.shown.includes('no answer from '))
    terminal.child.stdin.write('\x03')
    await until(() => terminal.shown.includes('a second signal'))
    await until(() => /draining, (2\d|1\d) s left/.test(terminal.shown))
    terminal.child.stdin.write('\x03')
    assert.equal(await terminal.ended, 130)
    const lines = linesOf(terminal.shown).map(line => line.replace('^C', ''))
    assert.ok(
      lines.some(line => line.startsWith(`no answer from ${servers} for `)),
      terminal.shown,
    )
    assert.ok(lines.some(line => line.startsWith('interrupted: waiting up to 30 s for 1,000 records')))
    assert.ok(lines.includes('stopped: 1,000 records without an outcome, which may or may not be stored'))
  })

  test('lines are typed at a prompt, and no bar is drawn over them', async t => {
    const terminal = inTerminal(['produce', '-b', broker.bootstrapServers, '-t', 'typed'])
    t.after(() => terminal.child.kill('SIGKILL'))
    await until(() => terminal.shown.includes('>'))
    terminal.child.stdin.write('hello\n')
    await until(() => [...broker.records('typed')].length === 1)
    terminal.child.stdin.write('\x04')
    assert.equal(await terminal.ended, 0)
    assert.doesNotMatch(terminal.shown, new RegExp(CLEAR.replace('[', '\\[')))
    assert.match(terminal.shown, /records {4}1 delivered/)
  })
})
