// Each check of the house card against a text that breaks its rule, and one that only seems to.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { projectFiles, ROOT } from './files.js'
import { deadExports, facesOf, importCircles } from './graph.js'
import { cyclicRooms, forbiddenImports, forbiddenIncludes, importsOf } from './imports.js'
import { mayUse, untrueRooms } from './rooms.js'
import { codeOnly, longCppFunctions, longFile, longLines } from './size.js'
import { strayWords, untoldDependencies } from './wording.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-house-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const file = (path: string, text: string) => ({ path, text })
const statements = (count: number) => '  work();\n'.repeat(count)

/** Biome's findings of one kind in a file of a tree that has the project's configuration. */
function biomeFindings(path: string, text: string, kind: string): number {
  const target = join(folder, path)
  mkdirSync(join(target, '..'), { recursive: true })
  cpSync(join(ROOT, 'biome.json'), join(folder, 'biome.json'))
  writeFileSync(target, text)
  const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome')
  const options = { cwd: folder, encoding: 'utf8' } as const
  const { stdout, stderr } = spawnSync(process.execPath, [biome, 'lint', '--reporter=github', path], options)
  return `${stdout}${stderr}`.split(`lint/${kind}`).length - 1
}

test('a TypeScript function of 71 lines is found, one of 70 is not, and tests are exempt', () => {
  const functionOf = (lines: number) => `export function f(): void {\n${'  work()\n'.repeat(lines - 2)}}\n`
  const methodOf = (lines: number) =>
    `export class A {\n  f(): void {\n${'    work()\n'.repeat(lines - 2)}  }\n}\n`
  const rule = 'complexity/noExcessiveLinesPerFunction'
  assert.equal(biomeFindings('src/long.ts', functionOf(71), rule), 1)
  assert.equal(biomeFindings('src/long.ts', methodOf(71), rule), 1)
  assert.equal(biomeFindings('src/long.ts', functionOf(70), rule), 0)
  assert.equal(biomeFindings('test/long.ts', functionOf(71), rule), 0)
})

test('a circle of imports is found', () => {
  writeFileSync(join(folder, 'src/b.ts'), `import { a } from './a.js'\nexport const b = () => a\n`)
  const a = `import { b } from './b.js'\nexport const a = () => b\n`
  assert.equal(biomeFindings('src/a.ts', a, 'suspicious/noImportCycles'), 1)
})

test('a line of 111 columns is found, one of 110 is not, and a column is a character', () => {
  assert.equal(longLines(file('a.ts', `${'x'.repeat(111)}\n`)).length, 1)
  assert.deepEqual(longLines(file('a.ts', `${'x'.repeat(110)}\n${'é'.repeat(110)}\n${'😀'.repeat(110)}`)), [])
  assert.equal(longLines(file('a.ts', `a\nb\n${'x'.repeat(111)}`))[0]?.line, 3)
})

test('a file of 501 lines is found, one of 500 is not', () => {
  assert.equal(longFile(file('a.ts', 'x\n'.repeat(501))).length, 1)
  assert.equal(longFile(file('a.ts', `${'x\n'.repeat(500)}x`)).length, 1)
  assert.deepEqual(longFile(file('a.ts', 'x\n'.repeat(500))), [])
})

const heads = {
  'a function': 'int f(int a, int b) {',
  'a member with qualifiers': 'int A::f(int a) const noexcept {',
  'a constructor with initializers': 'A::A(int a) : a_(a), b_{a}, c_{1, 2} {',
  'a trailing return type': 'auto f(int a) -> std::pair<int, int> {',
  'a template': 'template <typename T> struct B* f(T t) {',
  'a head of several lines': 'static int f(\n    int a,\n    int b) {',
}
for (const [name, head] of Object.entries(heads)) {
  test(`a C++ function of 71 lines is found, one of 70 is not: ${name}`, () => {
    const headLines = head.split('\n').length
    const wrap = (lines: number) => {
      const text = `${head}\n${statements(lines - headLines - 1)}}\n`
      return file(
        'native/core/a.cpp',
        `#include <x.h>\nnamespace m {\nnamespace {\n${text}}\n}  // namespace m\n`,
      )
    }
    const [finding] = longCppFunctions(wrap(71))
    assert.equal(finding?.problem, 'a function of 71 lines, at most 70')
    assert.equal(finding?.line, 4)
    assert.deepEqual(longCppFunctions(wrap(70)), [])
  })
}

test('classes, namespaces and tables may be long, functions within them not', () => {
  const table = `constexpr int kTable[] = {\n${'  1,\n'.repeat(100)}};\n`
  const methods = `class A final : public B {\n public:\n${'  int f() { return 1; }\n'.repeat(100)}};\n`
  assert.deepEqual(longCppFunctions(file('a.cpp', `extern "C" {\n${table}${methods}}\n`)), [])
  const long = `class A {\n  void f() {\n    if (x) {\n${statements(70)}    }\n  }\n};\n`
  assert.equal(longCppFunctions(file('a.cpp', long)).length, 1)
})

test('braces in comments, literals and preprocessor lines are not counted', () => {
  const odd = [
    '// {',
    '/* { \n { */',
    "char a = '{';",
    'auto b = "\\"{";',
    'auto c = R"x({ ")" )x";',
    '#define D {',
  ]
  const text = `void f() {\n${odd.join('\n')}\nint n = 1'000'000;\n}\n`
  assert.equal(codeOnly(text).replace(/[^{}]/g, ''), '{}')
  assert.equal(codeOnly(text).split('\n').length, text.split('\n').length)
  assert.match(codeOnly(text), /int n = 1'000'000;/)
  assert.equal(longCppFunctions(file('a.cpp', 'void f() {\n')).length, 1)
})

test('every form of import is seen, with whether it takes more than types', () => {
  const text = [
    `import a from './a.js'`,
    `import type { B } from './b.js'`,
    `import { type C, type D } from './c.js'`,
    `import { type C, d } from './d.js'`,
    `export * from './e.js'`,
    `export type { F } from './f.js'`,
    `import './g.js'`,
    `const h = await import('./h.js')`,
    `import {\n  i,\n  type J,\n} from './i.js'`,
    `// import k from './k.js'`,
    `/* import l from './l.js' */`,
  ].join('\n')
  const seen = importsOf(text).map(({ specifier, isTypeOnly }) => `${specifier}${isTypeOnly ? ' types' : ''}`)
  assert.deepEqual(seen.sort(), [
    ...[
      './a.js',
      './b.js types',
      './c.js types',
      './d.js',
      './e.js',
      './f.js types',
      './g.js',
      './h.js',
      './i.js',
    ],
  ])
})

test('the names that an import takes are those of the other file', () => {
  const names = (text: string) => importsOf(text)[0]?.names
  assert.deepEqual(names(`import { a, type B as C } from './x.js'`), ['a', 'B'])
  assert.deepEqual(names(`import type { B } from './x.js'`), ['B'])
  assert.deepEqual(names(`export {\n  a,\n  b as c,\n} from './x.js'`), ['a', 'b'])
  assert.deepEqual(names(`import a, { b } from './x.js'`), ['default', 'b'])
  assert.equal(names(`import * as all from './x.js'`), null)
  assert.equal(names(`const a = await import('./x.js')`), null)
  assert.deepEqual(names(`import './x.js'`), [])
})

test('files that import one another are found, for types too, each circle once', () => {
  const files = [
    file('src/a.ts', `import type { B } from './deep/b.js'\nimport { e } from './e.js'`),
    file('src/deep/b.ts', `export type { C } from '../c.js'`),
    file('src/c.ts', `import { type A } from './a.js'\nimport './d.js'`),
    file('src/d.ts', `import { f } from './f.js'`),
    file('src/e.ts', `import 'node:fs'`),
    file('src/f.ts', `const d = await import('./d.js')`),
    file('src/g.ts', `import { a } from './a.js'\nimport { d } from './d.js'`),
  ]
  assert.deepEqual(importCircles(files).sort(), [
    ['src/a.ts', 'src/c.ts', 'src/deep/b.ts'],
    ['src/d.ts', 'src/f.ts'],
  ])
  assert.deepEqual(importCircles(files.filter(({ path }) => !/[cf]\.ts$/.test(path))), [])
})

test('an export that only its own file uses is found', () => {
  const exports = { '.': { default: './dist/index.js' }, './testing': { default: './dist/testing/index.js' } }
  const faces = facesOf({ exports, bin: { millrace: 'dist/cli/main.js' } })
  assert.deepEqual(faces, ['src/index.ts', 'src/testing/index.ts', 'src/cli/main.ts'])
  const found = (users: string, text: string, path = 'src/protocol/x.ts') =>
    deadExports([file(path, text), file('test/protocol/x.test.ts', users)], faces).map(
      ({ problem }) => problem,
    )
  const text = 'export interface A {}\nexport const b = 1\nexport async function c(): Promise<A> {}\n'
  const use = (names: string) => `import { ${names} } from '../../dist/protocol/x.js'`
  assert.deepEqual(found(use('type A, b, c'), text), [])
  assert.deepEqual(found(use('b, c'), text), ['no other file uses the export A'])
  assert.equal(found('', text).length, 3)
  assert.deepEqual(found(`await import('../../dist/protocol/x.js')`, text), [])
  assert.deepEqual(found('', text, 'src/index.ts'), [])
  assert.deepEqual(found('', text, 'src/testing/index.ts'), [])
  assert.equal(found('', text, 'src/config/index.ts').length, 3)
  assert.deepEqual(deadExports([file('src/protocol/x.ts', 'export let b = 1')], [], ['b']), [])
})

test('a table of rooms that is not true is found', () => {
  const sources = ['src/index.ts', 'src/security/a.ts', 'src/protocol/a.ts', 'src/errors/a.ts']
  const find = (...rows: string[]) =>
    untrueRooms(
      rows.join('\n'),
      sources.map(path => file(path, '')),
    ).map(({ problem }) => problem)
  const index = '| `src/index.ts` | the surface | `producer` and all below it |'
  const security = '| `src/security/` | TLS | `protocol` |'
  const protocol = '| `src/protocol/` | APIs | – |'
  assert.deepEqual(find(index, security, protocol), [])
  assert.deepEqual(find(index, security), ['src/protocol has no row'])
  assert.equal(find(index, protocol, security).length, 1)
  assert.equal(find(index, security, protocol.replace('–', '`cluster`')).length, 1)
  assert.equal(find(index, security, protocol, '| `src/attic/` | dust | – |').length, 1)
  assert.equal(mayUse('partitioner'), 'types of `cluster`')
  assert.equal(mayUse('producer'), 'all below it')
})

test('an import up the house is found, down it is not', () => {
  const finds = (path: string, text: string) =>
    forbiddenImports(file(path, text)).map(({ problem }) => problem)
  assert.deepEqual(finds('src/protocol/x.ts', `import { Sender } from '../sender/sender.js'`), [
    'protocol may not use sender (../sender/sender.js)',
  ])
  assert.equal(finds('src/testing/handlers/x.ts', `import type { A } from '../../native/addon.js'`).length, 1)
  assert.equal(finds('src/cli/x.ts', `import { Producer } from '../producer/producer.js'`).length, 1)
  assert.equal(finds('src/attic/x.ts', '').length, 1)
  assert.equal(finds('src/sender/x.ts', `import x from '../../test/x.js'`).length, 1)
  assert.deepEqual(
    finds('src/sender/deep/x.ts', `import { A } from '../../cluster/a.js'\nimport b from '../b.js'`),
    [],
  )
  assert.deepEqual(finds('src/protocol/x.ts', `import { E } from '../errors/index.js'\nimport 'node:fs'`), [])
  assert.deepEqual(finds('src/cli/x.ts', `import { Producer } from '../index.js'`), [])
})

test('where only types may be used, a value is found', () => {
  const problems = (text: string) => forbiddenImports(file('src/partitioner/x.ts', text))
  assert.equal(problems(`import { Cluster } from '../cluster/x.js'`).length, 1)
  assert.equal(problems(`const x = import('../cluster/x.js')`).length, 1)
  assert.deepEqual(problems(`import type { Cluster } from '../cluster/x.js'`), [])
})

test('rooms that use each other are found', () => {
  const house = { a: { uses: ['b'] }, b: { uses: ['c'] }, c: { uses: ['b'] }, d: { uses: ['a'] } }
  assert.deepEqual(cyclicRooms(house), ['b', 'c'])
})

test("Node's headers outside the binding are found, and V8's everywhere", () => {
  const count = (path: string, header: string) => forbiddenIncludes(file(path, `#include ${header}\n`)).length
  for (const header of [
    '<napi.h>',
    '<node_api.h>',
    '"js_native_api_types.h"',
    '<v8.h>',
    '<uv.h>',
    '"../binding/x.h"',
  ]) {
    assert.equal(count('native/core/x.h', header), 1, header)
    assert.equal(count('native/test/x.cpp', header), 1, header)
  }
  for (const header of ['<v8.h>', '<uv.h>', '<node.h>', '<node_buffer.h>']) {
    assert.equal(count('native/binding/x.cpp', header), 1, header)
  }
  for (const header of ['<napi.h>', '<node_api.h>', '"../core/x.h"']) {
    assert.equal(count('native/binding/x.cpp', header), 0, header)
  }
  assert.equal(count('native/core/x.h', '"nodes.h"'), 0)
})

test('markers, paths of a machine and hosts of registries are found', () => {
  const count = (text: string) => strayWords(file('a.ts', text)).length
  assert.equal(count(['TO', 'DO: later'].join('')), 1)
  assert.equal(count(['see /ho', 'me/somebody/x'].join('')), 1)
  assert.equal(count(['"/wo', 'rk/main/x"'].join('')), 1)
  assert.equal(count(['https://registry.', 'npmjs.org/x'].join('')), 1)
  assert.equal(count('https://example.org/home/page and a/work/x and /workers'), 0)
})

test('a dependency without a row in the README is found', () => {
  const manifest = { dependencies: { alpha: '1', '@b/beta': '1' }, optionalDependencies: { gamma: '1' } }
  const readme = 'alpha\n| `@b/beta` | why |\n| [gamma](https://example.org) | why |\n'
  assert.deepEqual(untoldDependencies(manifest, readme), ['alpha'])
})

test('what git ignores is no file of the project, what it keeps is', () => {
  const paths = projectFiles(/\.(ts|js|run)$|run$|\.d\.ts$/).map(({ path }) => path)
  assert.ok(paths.includes('src/index.ts') && paths.includes('.ci/run'))
  const strangers = paths.filter(path =>
    /^(dist|dist-test|build|node_modules|\.git)\/|\/node_modules\//.test(path),
  )
  assert.deepEqual(strangers, [])
})
