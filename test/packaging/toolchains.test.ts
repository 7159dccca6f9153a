// The packed package in the tool chains that Node users have: bundlers, test runners, every TypeScript.
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { program } from './installers.js'
import { MOCKED, TRACED } from './programs/kafkajs.js'
import { REQUIRES } from './programs/programs.js'
import { Project, packForHost, ROOT, run, tool } from './project.js'
import { bundlers, canRun, compilers, runners, SOURCES } from './toolchains.js'

const node = process.execPath
const packed = mkdtempSync(join(tmpdir(), 'millrace-packed-'))
const project = new Project()
let tarball = ''

before(async () => {
  tarball = await packForHost(packed)
  const node24 = program('node24')
  await project.run(existsSync(node24) ? node24 : node, [tool('npm/bin/npm-cli.js'), 'install', tarball])
  project.write({ ...SOURCES, 'requires.cjs': REQUIRES })
})
after(() => {
  project.remove()
  rmSync(packed, { recursive: true, force: true })
})

for (const [kind, rows] of Object.entries({ bundlers, runners, TypeScript: compilers })) {
  describe(kind, () => {
    for (const row of rows) test(row.name, { skip: !canRun(row) }, () => row.delivers(project))
  })
}

describe('what applications with kafkajs bring along', () => {
  test('jest: automatic mocks, and send replaced in place', async () => {
    project.write({ 'mocked/mocked.test.js': MOCKED, 'mocked/package.json': '{}' })
    await project.run(node, [tool('jest/bin/jest.js'), '--rootDir', 'mocked'])
  })

  test("OpenTelemetry's instrumentation of kafkajs, by the alias", async () => {
    const paths = {
      instrumentation: tool('@opentelemetry/instrumentation-kafkajs'),
      sdk: tool('@opentelemetry/sdk-trace-node'),
    }
    const alias = join(project.folder, 'node_modules/kafkajs')
    cpSync(join(ROOT, 'packages/kafkajs-alias'), alias, { recursive: true })
    project.write({ 'traced.cjs': `const PATHS = ${JSON.stringify(paths)}\n${TRACED}` })
    const seen = JSON.parse(await project.run(node, ['traced.cjs']))
    rmSync(alias, { recursive: true })
    assert.deepEqual(seen, { spans: ['send orders', 'send orders'], headers: ['traceparent', 'traceparent'] })
  })
})

describe('the tarball', () => {
  const withTarball = (words: string[]) => run(packed, node, words, process.env)

  test('publint has nothing to say', async () => {
    const output = await withTarball([tool('publint/src/cli.js'), tarball, '--strict'])
    assert.match(output, /All good/)
  })

  test('its types are right for every way to resolve modules', async () => {
    const output = await withTarball([tool('@arethetypeswrong/cli/dist/index.js'), tarball, '--no-emoji'])
    assert.match(output, /No problems found/)
  })
})
