// The packed declarations, as TypeScript and editors read them.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ENTRIES, HOVERS, LEARNED } from './programs/types.js'
import { Project, packForHost, ROOT, tool } from './project.js'

const { programs } = (await import(`${ROOT}test/runtimes/programs.mjs`)) as {
  programs: Readonly<Record<string, string>>
}
const packed = mkdtempSync(join(tmpdir(), 'millrace-packed-'))
const project = new Project()

before(async () => {
  const tarball = await packForHost(packed)
  const node24 = programs.node24 ?? ''
  const npmRunner = existsSync(node24) ? node24 : process.execPath
  await project.run(npmRunner, [tool('npm/bin/npm-cli.js'), 'install', tarball])
  project.write({ 'learned.mts': LEARNED, 'entries.mts': ENTRIES, 'hovers.cjs': HOVERS })
})
after(() => {
  project.remove()
  rmSync(packed, { recursive: true, force: true })
})

const TYPESCRIPT_5 = tool('typescript/bin/tsc')
const TYPESCRIPT_7 = join(ROOT, 'node_modules/typescript/bin/tsc')
const ALL = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck', 'false']
const NODE = ['--typeRoots', tool('@types'), '--types', 'node']

const compilers: readonly (readonly [name: string, compiler: string, options: readonly string[]])[] = [
  ['TypeScript 5 with nothing but es2022', TYPESCRIPT_5, ['--lib', 'es2022']],
  ['TypeScript 5 with the types of browsers', TYPESCRIPT_5, ['--lib', 'esnext,dom']],
  ['TypeScript 5 with @types/node', TYPESCRIPT_5, ['--lib', 'es2022', ...NODE]],
  ['TypeScript 7 with nothing but es2022', TYPESCRIPT_7, ['--lib', 'es2022']],
  ['TypeScript 7 with @types/node', TYPESCRIPT_7, ['--lib', 'es2022', ...NODE]],
  ['exact optional properties', TYPESCRIPT_5, ['--lib', 'es2022', '--exactOptionalPropertyTypes']],
]

for (const [name, compiler, options] of compilers) {
  test(`what is right compiles, what is wrong does not: ${name}`, async () => {
    await project.run(process.execPath, [compiler, ...ALL, ...options, 'learned.mts', 'entries.mts'])
  })
}

describe('hover text', () => {
  let seen: { shown: string[]; withoutHover: string[]; hidden: string[] }
  before(async () => {
    const words = ['hovers.cjs', tool('typescript'), join(project.folder, 'entries.mts')]
    seen = JSON.parse(await project.run(process.execPath, words))
  })

  test('everything that is exported, and each of its members, has one', () => {
    assert.deepEqual(seen.withoutHover, [])
  })

  test('the members looked at are those of options, records, metadata, errors and producers', async () => {
    const { describeOptions } = (await import(`${ROOT}dist/index.js`)) as typeof import('../../dist/index.js')
    const options = describeOptions().flatMap(({ key, camelCase }) => [key, camelCase])
    const others = [
      ...['ProducerRecord.topic', 'ProducerRecord.headers', 'RecordMetadata.offset', 'BrokerError.errorName'],
      ...['Producer.send', 'Producer.[asyncDispose]', 'KafkaProducer.transaction', 'serializers.string'],
    ]
    const expected = [...options.map(name => `ProducerSettings.${name}`), ...others]
    assert.ok(options.length > 200, `${options.length}`)
    assert.deepEqual(
      expected.filter(name => !seen.shown.includes(name)),
      [],
    )
  })

  test('no member is private', () => {
    assert.deepEqual(seen.hidden, [])
  })
})
