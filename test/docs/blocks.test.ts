// Every block of code in README.md, CONTRIBUTING.md and docs/ is compiled, and run against a broker in this process.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { checkCommand, runCommand } from './commands.js'
import { type Block, blocksOf, pages } from './documents.js'
import { Workshop } from './workshop.js'

/** Pages whose JavaScript a test of its own runs, with a registry, or with what they print. */
const RUN_ELSEWHERE = ['docs/streams.md', 'docs/testing-with-mock-producer.md', 'docs/schema-registry.md']
/** Languages that are no code: JSON is parsed, the others are read by people only. */
const PLAIN = ['json', 'jsonc', 'text', 'dockerfile', 'yaml', 'properties', 'sql']

const blocks = ['README.md', 'CONTRIBUTING.md', ...pages].flatMap(file => blocksOf(file))
const isSkipped = ({ info }: Block) => info.startsWith('skip: ')
const isNamed = ({ info }: Block) => /^[\w-]+\.\w+$/.test(info)
const isCode = ({ language }: Block) => language === 'ts' || language === 'js'
const isElsewhere = ({ file, language }: Block) => language === 'js' && RUN_ELSEWHERE.includes(file)
const programs = blocks.filter(
  each => isCode(each) && !isSkipped(each) && !isNamed(each) && !isElsewhere(each),
)
const placeOf = ({ file, line }: Block) => `${file}:${line}`

let broker: TestBroker
let workshop: Workshop
let findings: string[] = []

before(async () => {
  broker = await startBroker({ quiet: true, partitions: 3 })
  workshop = new Workshop('docs-blocks')
  workshop.write(programs, broker.bootstrapServers)
  findings = workshop.compile()
})

after(async () => {
  await broker.close()
})

test('every block has a language, and says what is to be done with it in known words', () => {
  assert.ok(programs.length > 50, `${programs.length} blocks of code were found`)
  for (const each of blocks) {
    assert.ok(
      ['ts', 'js', 'sh', 'java', ...PLAIN].includes(each.language),
      `${placeOf(each)}: ${each.language}`,
    )
    const isKnown = each.info === '' || each.info === 'check' || isNamed(each) || isSkipped(each)
    assert.ok(isKnown, `${placeOf(each)}: ${each.info}`)
  }
})

test('blocks that are left out are few', () => {
  const left = blocks.filter(each => isSkipped(each) && isCode(each))
  assert.ok(left.length <= 2, left.map(placeOf).join(', '))
})

test('the compiler has nothing to say of what is around the blocks', () => {
  const names = programs.map(each => workshop.programOf(each))
  assert.deepEqual(
    findings.filter(line => !names.some(name => line.includes(`${name}.mts`))),
    [],
  )
})

test('blocks of code', { concurrency: 2 }, async context => {
  const env = { DOCS_BROKER: broker.bootstrapServers }
  await Promise.all(
    programs.map(block =>
      context.test(placeOf(block), async () => {
        const name = `${workshop.programOf(block)}.mts`
        const refused = findings.filter(line => line.includes(name))
        assert.deepEqual(refused, [], 'the compiler refuses it')
        if (block.info === 'check') return
        const { status, signal, output, errors } = await workshop.runBlock(block, env)
        // A server without a handler of its own ends by the signal that it is sent.
        const isServer = block.text.includes('.listen(8080)') && !block.text.includes('SIGTERM')
        assert.equal(isServer ? signal : status, isServer ? 'SIGTERM' : 0, `${output}${errors}`)
        // A connection that the block itself cuts is worth a warning.
        if (!block.text.includes('.disconnect()')) assert.equal(errors, '')
        for (const [, printed = ''] of block.text.matchAll(/^console\.log\(.*\) {3}\/\/ (.*)$/gm)) {
          assert.ok(output.includes(printed), `${printed} is not in ${output}`)
        }
      }),
    ),
  )
})

test('servers of blocks have sent what they were asked', () => {
  const asked = broker.records('requests').map(({ value }) => Buffer.from(value ?? []).toString())
  assert.deepEqual(asked, ['/asked', '/asked'])
})

test('blocks of data can be read', () => {
  for (const block of blocks.filter(({ language }) => language.startsWith('json'))) {
    const text = block.text.replace(/\/\/.*$/gm, '').trim()
    assert.doesNotThrow(() => JSON.parse(text.startsWith('{') ? text : `{${text}}`), placeOf(block))
  }
})

test('commands', async context => {
  for (const block of blocks.filter(isNamed)) {
    workshop.save(block.info, block.text.replaceAll('localhost:9092', broker.bootstrapServers))
  }
  for (const block of blocks.filter(({ language }) => language === 'sh').filter(each => !isSkipped(each))) {
    await context.test(placeOf(block), async () => {
      for (const command of block.text
        .replace(/\\\n */g, '')
        .split('\n')
        .filter(Boolean)) {
        const isOfProject = checkCommand(command)
        if (isOfProject || block.info === 'check') continue
        const { status, output, errors } = await runCommand(
          workshop,
          command.replaceAll('localhost:9092', broker.bootstrapServers),
        )
        assert.equal(status, 0, `${command}\n${output}${errors}`)
      }
    })
  }
})
