// Lists that have to agree: what the addon uses and what it looks up on Windows, what is built with what.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('../..', import.meta.url))
const WINDOWS = 'node_api_windows.cpp'
const binding = join(root, 'native/binding')

function functionsIn(text: string): Set<string> {
  return new Set([...text.matchAll(/\b(napi_\w+)\s*[(,]/g)].map(([, name = '']) => name))
}

test('every function of Node-API that the addon uses is looked up on Windows, and no other', () => {
  const { js_native_api_symbols, node_api_symbols } = require('node-api-headers').symbols.v8
  const known = new Set<string>([...js_native_api_symbols, ...node_api_symbols])
  const files = readdirSync(binding).filter(name => name.endsWith('.cpp') && name !== WINDOWS)
  const used = files.flatMap(name => [...functionsIn(readFileSync(join(binding, name), 'utf8'))])
  const lookedUp = [...readFileSync(join(binding, WINDOWS), 'utf8').matchAll(/^FORWARD\((\w+),/gm)].map(
    ([, name = '']) => name,
  )
  assert.ok(lookedUp.length > 20)
  assert.deepEqual(lookedUp, [...new Set(used.filter(name => known.has(name)))].sort())
})

test('build-addon fetches the versions that the addon is developed with', () => {
  const manifest = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'))
  const { devDependencies } = manifest('package.json')
  for (const [name, version] of Object.entries(manifest('native/package.json').buildTools)) {
    assert.equal(devDependencies[name], version, name)
  }
})

test('every source file of the addon is listed, and nothing else', () => {
  const listed = [
    ...readFileSync(join(root, 'native/sources.gypi'), 'utf8').matchAll(/'native\/(\w+\/\w+\.cpp)'/g),
  ].map(([, path = '']) => path)
  const there = ['core', 'binding'].flatMap(folder =>
    readdirSync(join(root, 'native', folder))
      .filter(name => name.endsWith('.cpp'))
      .map(name => `${folder}/${name}`),
  )
  assert.deepEqual(listed.sort(), there.sort())
})
