// Secrets in every place of a command line and of the files that it names, at the most verbose level.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { secretForms } from '../helpers/secret-listener.js'
import { unreachable } from './support.js'

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const PASSWORD = 'c4nary-password/+ü&'
const KEY = Buffer.from('c4nary of the key '.repeat(5)).toString('base64')
const PEM = `-----BEGIN PRIVATE KEY-----\n${KEY.slice(0, 64)}\n${KEY.slice(64)}\n-----END PRIVATE KEY-----\n`
const SECRETS = [PASSWORD, KEY.slice(2, 40), KEY.slice(66, 100), 'c4nary of the key']
/** Each argument of it is a command line in JSON. All run at once, each in a pseudo-terminal of its own. */
const IN_TERMINALS = `
import json, os, pty, select, sys
runs, said = {}, {}
for number, line in enumerate(sys.argv[1:]):
    pid, terminal = pty.fork()
    if pid == 0:
        words = json.loads(line)
        os.execvp(words[0], words)
    runs[terminal], said[terminal] = (number, pid), b''
ended = []
while runs:
    for terminal in select.select(list(runs), [], [])[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            data = b''
        said[terminal] += data
        if data == b'':
            number, pid = runs.pop(terminal)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            ended.append([number, status, said[terminal].decode('utf-8', 'replace')])
print(json.dumps(sorted(ended)))
`
/** What a terminal and the bar add to what is said. */
const OWN = ['\r\u001b[2K', '\r\n']

function pythonSkip(): string | false {
  if (spawnSync('python3', ['-c', 'import pty']).status === 0) return false
  if (process.env.CI === 'true') throw new Error('python3 not found, and with CI=true nothing may be skipped')
  return 'python3 with pty not found'
}

/** What each of the command lines has shown. */
async function show(commands: readonly (readonly string[])[]): Promise<[status: number, said: string][]> {
  const lines = commands.map(args => JSON.stringify([process.execPath, cli, ...args]))
  const options = { stdio: ['ignore', 'pipe', 'inherit'] as 'pipe'[], timeout: 120_000 }
  const child = spawn('python3', ['-c', IN_TERMINALS, ...lines], options)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    output += text
  })
  await new Promise(resolve => child.once('close', resolve))
  const ended = JSON.parse(output) as [number: number, status: number, said: string][]
  return ended.map(([, status, said]) => [status, said])
}

/** Nothing of a secret in any form, nothing that steers a terminal. */
function assertSilent(args: readonly string[], said: string): void {
  const rest = OWN.reduce((text, own) => text.replaceAll(own, ' '), said)
  assert.doesNotMatch(rest, /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069]/u, JSON.stringify([args, rest]))
  for (const form of SECRETS.flatMap(secretForms)) {
    assert.ok(!said.includes(form), JSON.stringify([args, form, said]))
  }
}

describe('a command line shows none of the secrets that it has', { skip: pythonSkip() }, () => {
  let folder: string
  let broker: TestBroker
  let away: string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-canaries-'))
    broker = await startBroker({ quiet: true, sasl: { users: { alice: PASSWORD } } })
    const message = `\u001b]0;x\u0007\r\n${secretForms(PASSWORD).join(' ')}`
    broker.fail({ api: 'Produce', error: 'POLICY_VIOLATION', message, times: Number.POSITIVE_INFINITY })
    away = await unreachable()
  })
  after(async () => {
    await broker.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const file = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  const plain = `security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nmax.block.ms=1000\n`
  const jaas = `sasl.jaas.config=x.PlainLoginModule required username="alice" password="${PASSWORD}";\n`
  const rdkafka = `security.protocol=sasl_plaintext\nsasl.mechanism=PLAIN\nsasl.username=alice\n`

  /** Options of any of the commands, each with a secret in it. */
  const settings = (): [option: string, text: string][] => [
    ...[
      `sasl.password=${PASSWORD}`,
      `sasl.pasword=${PASSWORD}`,
      `ssl.key.password=${PASSWORD}`,
      `sasl.jaas.config=${PASSWORD}`,
      `sasl.jaas.config=x.Unknown required password="${PASSWORD}";`,
      `ssl.keystore.key=${PEM}`,
      `ssl.keystore.location=${PEM}`,
      `ssl.keystore.type=${KEY}`,
      `linger.ms=${KEY}`,
      `sasl.oauthbearer.token.endpoint.url=https://a:${PASSWORD}@h/`,
      `${KEY}=1`,
      `sasl.password ${PASSWORD}`,
      PASSWORD,
      PEM,
    ].map((text): [string, string] => ['--command-property', text]),
    ['--command-config', file('java.properties', `${plain}${jaas}ssl.key.password=${PASSWORD}\n`)],
    ['--command-config', file('torn.properties', `${plain}ssl.keystore.key=${PEM}${jaas}`)],
    ['--command-config', file('escape.properties', `ssl.key.password=${PASSWORD}\\u00zz\n`)],
    ['--command-config', file('foreign.properties', `sasl.password=${PASSWORD}\npassword=${PASSWORD}\n`)],
    ['--command-config', PEM],
    ['--bootstrap-server', `kafka://alice:${PASSWORD}@h:1`],
    ['--bootstrap-server', `alice:${PASSWORD}@h:1`],
    [`--${KEY}`, 'x'],
    [`--password=${PASSWORD}`, 'x'],
  ]
  const rdkafkaSettings = (): [option: string, text: string][] => [
    ...[
      `sasl.password=${PASSWORD}`,
      `sasl.pasword=${PASSWORD}`,
      `ssl.key.pem=${PEM}`,
      `ssl.keystore.password=${PASSWORD}`,
      `sasl.oauthbearer.client.secret=${PASSWORD}`,
      `sasl.oauthbearer.config=secret=${PASSWORD}`,
      PASSWORD,
      `${KEY}=1`,
    ].map((text): [string, string] => ['-X', text]),
    ['-F', file('kcat.conf', `${rdkafka}sasl.password=${PASSWORD}\n`)],
    ['-F', file('kcat-name.conf', `${rdkafka}sasl.pasword=${PASSWORD}\n`)],
    ['-F', file('kcat-line.conf', `${rdkafka}${PASSWORD}\n`)],
    ['--reader-property', `${KEY}=x`],
    ['--file', PEM],
    ['--acks', KEY],
    ['-z', KEY],
  ]
  const commands: Record<string, (server: string) => readonly string[]> = {
    produce: server => ['produce', '-v', '-b', server, '-t', 't', '--count', '1'],
    perf: server => [
      ...['perf', '--bootstrap-server', server, '--topic', 't', '--num-records', '1', '--record-size', '1'],
      ...['--throughput', '1'],
    ],
    verify: server => ['verify', '--bootstrap-server', server, '--topic', 't', '--max-messages', '1'],
  }

  for (const [name, command] of Object.entries(commands)) {
    test(`millrace ${name}`, async () => {
      // All commands read these options with the same functions.
      const every = name === 'produce' ? 1 : 4
      const common = settings().filter((_, at) => at % every === 0)
      const given = [...common, ...(name === 'produce' ? rdkafkaSettings() : [])]
      const short = ['--command-property', 'max.block.ms=300']
      const lines = given.map(setting => [...command(away), ...short, ...setting])
      const config = file('secured.properties', `${plain}${jaas}`)
      // The broker lets them in, and says all it knows.
      lines.push([...command(broker.bootstrapServers), '--command-config', config])
      const shown: [number, string][] = []
      for (let at = 0; at < lines.length; at += 4) shown.push(...(await show(lines.slice(at, at + 4))))
      assert.equal(shown.length, lines.length)
      for (const [at, [, said]] of shown.entries()) assertSilent(lines[at] as string[], said)
      const refused = shown.filter(([status]) => status === 2).length
      assert.ok(refused >= given.length / 2, JSON.stringify(shown))
      assert.match(shown.at(-1)?.[1] ?? '', /hidden/)
    })
  }
})
