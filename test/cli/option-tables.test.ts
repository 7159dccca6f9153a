// The tables of docs/command-line.md say of every option of other tools what becomes of it here: asked of the commands.
// That no option of those tools is missing in them is compared with their own --help in test/kafka.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../../dist/cli/arguments.js'
import { planPerf } from '../../dist/cli/perf/options.js'
import { planProduce } from '../../dist/cli/produce-options.js'
import { planVerify } from '../../dist/cli/verifiable/options.js'
import { run } from './support.js'

const guide = readFileSync(fileURLToPath(new URL('../../docs/command-line.md', import.meta.url)), 'utf8')

const tables = {
  'kafka-console-producer': { command: 'produce', plan: (args: string[]) => planProduce(args, 'piped') },
  'kafka-producer-perf-test': { command: 'perf', plan: planPerf },
  VerifiableProducer: { command: 'verify', plan: planVerify },
  'kcat -P': { command: 'produce', plan: (args: string[]) => planProduce(args, 'piped') },
}
/** Answered before a command reads its options. */
const GENERAL = ['--help', '-h', '--version']

interface Row {
  options: string[]
  status: string
  notes: string
}

function rowsBelow(heading: string): Row[] {
  const [, section = ''] = guide.split(`\n## ${heading} `)
  return (section.split('\n## ')[0] ?? '')
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line => {
      const [names = '', status = '', notes = ''] = line
        .slice(1)
        .split(' |')
        .map(cell => cell.trim())
      const options = [...names.matchAll(/`([^`]+)`/g)].map(([, option = '']) => option)
      return { options: options.filter(option => option.startsWith('-')), status, notes }
    })
}

/** What the command says to the option: that it does not know it, what to use instead, or nothing about it. */
function answerTo(plan: (args: string[]) => unknown, option: string): { kind: string; text: string } {
  const [name = '', value = 'x'] = option.split(' ')
  for (const args of [[name, value], [name]]) {
    try {
      plan(args)
    } catch (error) {
      assert.ok(error instanceof UsageError, `${option}: ${error}`)
      if (error.message.startsWith('Unknown option')) return { kind: 'unknown', text: error.message }
      if (error.message.startsWith(`Option ${name}: `)) return { kind: 'refused', text: error.message }
    }
  }
  return { kind: 'taken', text: '' }
}

for (const [heading, { command, plan }] of Object.entries(tables)) {
  describe(heading, () => {
    const rows = rowsBelow(heading)

    test('each option is taken or refused as its row says', () => {
      assert.ok(rows.length >= 11)
      const findings = rows.flatMap(({ options, status, notes }) =>
        options.flatMap(option => {
          if (GENERAL.includes(option)) return []
          const { kind, text } = answerTo(plan, option)
          if (status === 'same') return kind === 'taken' ? [] : [`${option}: ${text}`]
          if (kind !== 'refused') return [`${option} is ${status} and ${kind}`]
          const [, named] = /`([^`]+)`/.exec(notes) ?? []
          return status === 'n/a' || text.includes(named ?? '?') ? [] : [`${option}: ${text} has no ${named}`]
        }),
      )
      assert.deepEqual(findings, [])
      assert.deepEqual(
        rows.filter(({ status }) => !['same', 'ours', 'n/a'].includes(status)),
        [],
      )
    })

    test('what is asked in general is answered', async () => {
      for (const option of rows.flatMap(({ options }) => options).filter(each => GENERAL.includes(each))) {
        const { code, stdout } = await run([command, option])
        assert.equal(code, 0, option)
        assert.match(stdout, option === '--version' ? /^\S+\n$/ : new RegExp(`millrace ${command}`), option)
      }
    })
  })
}

test('an option that no tool has is unknown to each command', () => {
  for (const { plan } of Object.values(tables)) assert.equal(answerTo(plan, '--no-such').kind, 'unknown')
})
