// What the command writes to a terminal, when everything it is given and told wants to get at that.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBroker } from '../../dist/testing/index.js'
import { secretForms } from '../helpers/secret-listener.js'

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const PASSWORD = 'c4nary-of-the-password'
const HOSTILE = 'x\u001b]0;owned\u0007\r\n\u009b2JFORGED\u202e'
/** Runs a command in a pseudo-terminal, and ends as it ends. */
const IN_TERMINAL = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))'
/** What the bar draws itself with. */
const OWN = ['\r\u001b[2K', '\r\n']

function pythonSkip(): string | false {
  if (spawnSync('python3', ['-c', 'import pty']).status === 0) return false
  if (process.env.CI === 'true') throw new Error('python3 not found, and with CI=true nothing may be skipped')
  return 'python3 with pty not found'
}

describe('in a pseudo-terminal the command shows no secret and no control character', {
  skip: pythonSkip(),
}, () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-terminal-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const file = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }

  async function run(args: readonly string[], succeeds = false): Promise<string> {
    const command = ['-c', IN_TERMINAL, process.execPath, cli, ...args]
    const child = spawn('python3', command, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        said += text
      })
    }
    const status = await new Promise(resolve => child.once('close', resolve))
    assert.equal(status === 0, succeeds, said)
    assert.ok(said.length > 10, 'nothing was said')
    const rest = OWN.reduce((text, own) => text.replaceAll(own, ' '), said)
    assert.doesNotMatch(rest, /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069]/u, JSON.stringify(rest))
    assert.doesNotMatch(said, /^FORGED/m)
    for (const form of secretForms(PASSWORD)) assert.ok(!said.includes(form), JSON.stringify(said))
    return rest
  }

  const produce = ['produce', '--topic', 't']

  test('where the broker repeats what it was sent, and more', async () => {
    await using broker = await startBroker({ quiet: true, sasl: { users: { alice: PASSWORD } } })
    broker.fail({
      api: 'Produce',
      error: 'POLICY_VIOLATION',
      message: `${HOSTILE} ${PASSWORD}`.repeat(200),
      times: Number.POSITIVE_INFINITY,
    })
    const config = file(
      'secured.properties',
      `security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required \\\n` +
        `  username="alice" password="${PASSWORD}";\n`,
    )
    const server = ['--bootstrap-server', broker.bootstrapServers]
    const said = await run([...produce, ...server, '--command-config', config, '--count', '3'])
    assert.match(said, /the broker says "x\\u001b\]0;owned\\u0007\\r\\n\\u009b2JFORGED\\u202e \[hidden\]/)
  })

  test('where lines of the input are no JSON', async () => {
    const path = file('lines.ndjson', `{"a":1}\n${HOSTILE}\n{"b":"${HOSTILE.repeat(100)}"}\n`)
    assert.match(await run(['produce', '--file', path]), /line 2: not JSON/)
  })

  const key = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(PASSWORD.repeat(2)).toString('base64')}\n`
  const attempts: [title: string, args: () => readonly string[]][] = [
    ['topics', () => ['produce', '--topic', HOSTILE, '--count', '1']],
    ['names of files', () => [...produce, '--file', join(folder, HOSTILE)]],
    ['names of options', () => [...produce, `--${HOSTILE}`]],
    ['commands', () => [HOSTILE]],
    ['arguments', () => [...produce, HOSTILE]],
    ['numbers', () => [...produce, '--count', HOSTILE]],
    ['servers', () => [...produce, '--bootstrap-server', HOSTILE]],
    ['servers with user and password', () => [...produce, '--bootstrap-server', `x://a:${PASSWORD}@h:1`]],
    ['properties', () => [...produce, '--property', `${HOSTILE}=1`]],
    [
      'a configuration with a torn key',
      () => [...produce, '--command-config', file('torn.properties', `ssl.keystore.key=${key}`)],
    ],
  ]
  test('where a configuration has a piece of a key, which no producer knows', async () => {
    const path = file('piece.properties', `${key.split('\n')[1]}\ngroup.id=g\n`)
    const said = await run([...produce, '--command-config', path, '--count', '1'], true)
    assert.match(said, /passed over: group\.id, 1 whose names are not shown/)
  })

  for (const [title, args] of attempts) {
    test(`where ${title} are hostile`, async () => {
      await run(args())
    })
  }
})
