// Generated pages are what their tables give now, and the tables leave nothing out.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { describeOptions } from '../../dist/index.js'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import { ROOT, read } from './documents.js'

const { outdatedPages } = (await import(pathToFileURL(join(ROOT, 'site/generate.mjs')).href)) as {
  outdatedPages(): Promise<string[]>
}

test('generated pages are current', async () => {
  assert.deepEqual(await outdatedPages(), [], 'mend it with: npm run docs -- --generate')
})

test('every option has a heading of its own', () => {
  const page = read('docs/reference/options.md')
  for (const { key } of describeOptions()) assert.ok(page.includes(`\n### \`${key}\`\n`), key)
})

test('every code of an error has a heading of its own, and so has every error that brokers answer with', () => {
  const page = read('docs/reference/errors.md')
  const [, union = ''] = /export type ErrorCode =([\s\S]*?)\n\n/.exec(read('src/errors/index.ts')) ?? []
  const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code)
  assert.ok(codes.length > 20)
  for (const code of codes) assert.ok(page.includes(`\n### ${code}\n`), `${code}`)
  for (const name of Object.keys(ErrorCodes).filter(each => each !== 'NONE')) {
    assert.ok(page.includes(`\n### ${name}\n`) || page.includes(`| \`${name}\` |`), name)
  }
})
