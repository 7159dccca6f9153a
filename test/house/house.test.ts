import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sharedFields } from './fields.js'
import { describeFindings, type Finding, projectFiles, ROOT, type SourceFile } from './files.js'
import { deadExports, facesOf, importCircles } from './graph.js'
import { cyclicRooms, forbiddenImports, forbiddenIncludes, HOUSE } from './imports.js'
import { untrueRooms } from './rooms.js'
import { longCppFunctions, longFile, longLines } from './size.js'
import { strayWords, untoldDependencies } from './wording.js'

/** Files that are one table each, and may be as long as what they list. */
const TABLES: readonly string[] = []

/** Exports that no other file names, with a reason. */
const KEPT_EXPORTS = [
  // A counter that is only written: the export keeps it from being found useless.
  'promisesSeen',
]

const SAME_NAME = 'another class has a field of this name'
const SHARED_FIELDS: Readonly<Record<string, string>> = {
  'src/accumulator/append/staging.ts count': SAME_NAME,
  'src/accumulator/append/staging.ts run': SAME_NAME,
  'src/accumulator/append/staging.ts firstOrdinal': SAME_NAME,
  'src/accumulator/batch/batch-outcome.ts error': 'a batch fails as a whole, or a part of it does',
  'src/accumulator/batch/batch-outcome.ts recordErrors':
    'named by the broker, with the others or without them',
  'src/accumulator/batch/batch-outcome.ts baseOffset':
    'told by the broker; given to RecordMetadata.of where there is no batch',
  'src/accumulator/batch/batch-outcome.ts parts': SAME_NAME,
  'src/accumulator/batch/batch.ts attachment': 'kept by who settles the batch, dropped when it is settled',
  'src/accumulator/batch/batch.ts recordCount': 'counted as records are written, given when a batch is split',
  'src/accumulator/batch/batch.ts promisedCount': 'promised by the appender, redeemed by the native writer',
  'src/accumulator/batch/batch.ts bytes': SAME_NAME,
  'src/accumulator/batch/batch.ts uncompressedBytes': 'measured by the codec where there is one',
  'src/accumulator/batch/batch.ts next': SAME_NAME,
  'src/accumulator/partition/ready-queue.ts first': SAME_NAME,
  'src/accumulator/partition/ready-queue.ts length': SAME_NAME,
  'src/producer/close-deadline.ts timeoutMs': SAME_NAME,
  'src/producer/send/batch-deliveries.ts promises': SAME_NAME,
  'src/producer/send/batch-deliveries.ts callbacks': SAME_NAME,
  'src/sender/produce-request.ts failure': SAME_NAME,
}

const CPP = /^native\/.*\.(cpp|cc|h|hpp)$/

function expectNone(files: readonly SourceFile[], check: (file: SourceFile) => Finding[]): void {
  assert.ok(files.length > 0, 'the check found no file to look at')
  const findings = files.flatMap(check)
  assert.equal(findings.length, 0, `\n${describeFindings(findings)}`)
}

test('no line of the sources is longer than 110 columns', () => {
  expectNone(
    projectFiles(
      /^(src|native|scripts|bench|binding\.gyp|\.ci)\b.*(\.(ts|mjs|js|cpp|cc|h|hpp|gyp|gypi)|run)$/,
    ),
    longLines,
  )
})

test('no file of src and native is longer than 500 lines, but for tests and tables', () => {
  const files = projectFiles(/^(src\/.*\.ts|native\/(core|binding)\/.*\.(cpp|h))$/)
  expectNone(
    files.filter(({ path }) => !TABLES.includes(path)),
    longFile,
  )
})

test('no C++ function is longer than 70 lines', () => {
  expectNone(
    projectFiles(CPP).filter(({ path }) => !path.startsWith('native/test/')),
    longCppFunctions,
  )
})

test('imports in src follow the house', () => {
  assert.deepEqual(cyclicRooms(HOUSE), [])
  expectNone(projectFiles(/^src\/.*\.ts$/), forbiddenImports)
})

test('no files of src import one another in a circle, not even for types', () => {
  assert.deepEqual(importCircles(projectFiles(/^src\/.*\.ts$/)), [])
})

test('what src exports, another file uses', () => {
  const files = projectFiles(/^(src|test|rig|bench|scripts)\/.*\.(ts|mjs|js)$/)
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const findings = deadExports(files, facesOf(manifest), KEPT_EXPORTS)
  assert.equal(findings.length, 0, `\n${describeFindings(findings)}`)
})

test('the table of rooms in DESIGN.md is what the check of imports says', () => {
  const findings = untrueRooms(readFileSync(join(ROOT, 'DESIGN.md'), 'utf8'), projectFiles(/^src\/.*\.ts$/))
  assert.equal(findings.length, 0, `\n${describeFindings(findings)}`)
})

test('no public field of accumulator, sender and producer is written from several files', () => {
  const files = projectFiles(/^src\/(accumulator|sender|producer)\/.*\.ts$/)
  assert.ok(files.length > 0)
  assert.equal(describeFindings(sharedFields(files, SHARED_FIELDS)), '')
})

test("only native/binding includes Node's headers, and only those of Node-API", () => {
  expectNone(projectFiles(CPP), forbiddenIncludes)
})

test('no file names a machine, a registry or unfinished work', () => {
  expectNone(
    projectFiles(/\.(ts|mjs|js|json|cpp|cc|h|hpp|gyp|gypi|txt|md|xml|properties|java|npmrc)$|\.ci\/run$/),
    strayWords,
  )
})

test('the locks name every optional package, for platforms this machine is not', () => {
  const script = join(ROOT, 'scripts/complete-lock.mjs')
  for (const lock of [
    'package-lock.json',
    'test/runtimes/package-lock.json',
    'test/packaging/package-lock.json',
    'site/package-lock.json',
  ]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check', join(ROOT, lock)], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, `${stdout}${stderr}mend it with: node scripts/complete-lock.mjs ${lock}`)
  }
})

test('every dependency has its row in the README', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const readme = join(ROOT, 'README.md')
  assert.ok(existsSync(readme), 'README.md is missing')
  assert.deepEqual(untoldDependencies(manifest, readFileSync(readme, 'utf8')), [])
})

test('what the locks install is known by its SHA-512, and runs no script that is not allowed', () => {
  const { allowScripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const isOwn = (name: string) => name === ''
  for (const lock of ['package-lock.json', 'test/runtimes/package-lock.json']) {
    const { packages } = JSON.parse(readFileSync(join(ROOT, lock), 'utf8')) as {
      packages: Record<string, LockedPackage>
    }
    for (const [path, { integrity, optional, os, cpu, hasInstallScript }] of Object.entries(packages)) {
      if (isOwn(path)) continue
      // Those of other platforms have been completed by name; npm asks for their digests there.
      const isElsewhere = optional === true && (os !== undefined || cpu !== undefined)
      assert.ok(
        isElsewhere || /^sha512-[\w+/]{86}==$/.test(integrity ?? ''),
        `${lock}: ${path} has no SHA-512`,
      )
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      assert.ok(
        !hasInstallScript || allowScripts[name] === true,
        `${lock}: ${name} runs a script when installed`,
      )
    }
  }
})

interface LockedPackage {
  integrity?: string
  optional?: boolean
  os?: string[]
  cpu?: string[]
  hasInstallScript?: boolean
}

test('src/native/abi.ts is what native/core/abi.h says', () => {
  const script = join(ROOT, 'scripts/abi.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
  assert.equal(status, 0, `${stdout}${stderr}`)
})

test('src/config/option-types is what the option table says', () => {
  const script = join(ROOT, 'scripts/option-types.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
  assert.equal(status, 0, `${stdout}${stderr}`)
})
