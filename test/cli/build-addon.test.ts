// What `millrace build-addon` refuses before anything is fetched or compiled. That it compiles, under each
// package manager, is tried by `npm run package -- --table`.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mill race ü 日本 '))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Nothing but node is found by its name, so what is not refused first fails where compilers are needed. */
function build(output: string): { status: number | null; stderr: string } {
  const env = { PATH: folder, TMPDIR: folder }
  const words = [MAIN, 'build-addon', '--output', output]
  return spawnSync(process.execPath, words, { env, encoding: 'utf8', timeout: 60_000 })
}

test('a place that cannot be written is refused at once, with the way out', () => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  for (const output of [join(file, 'millrace.node'), '/proc/millrace.node']) {
    const { status, stderr } = build(output)
    assert.equal(status, 1)
    assert.match(stderr, /cannot be written \(.*\); --output FILE puts it elsewhere\n$/)
  }
})

test('so is a folder in the place of the file, and a name that could not be loaded', () => {
  mkdirSync(join(folder, 'taken.node'))
  assert.match(build(join(folder, 'taken.node')).stderr, /taken\.node cannot be written \(it is a folder\)/)
  assert.match(build(join(folder, 'millrace.so')).stderr, /has to end in \.node/)
})

test('without compilers it says what is needed, and leaves nothing behind', () => {
  const { status, stderr } = build(join(folder, 'out/millrace.node'))
  assert.equal(status, 1)
  assert.match(stderr, /needs CMake 3\.19 and a C and C\+\+17 compiler/)
  assert.deepEqual(readdirSync(join(folder, 'out')), [])
  assert.deepEqual(
    readdirSync(folder).filter(name => name.startsWith('millrace-build-')),
    [],
  )
})
