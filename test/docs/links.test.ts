// Links between documents lead to files and headings that are there, as GitHub names them and the site does, too.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { pages, papers, ROOT, read, withoutBlocks } from './documents.js'

const { anchorsOf } = (await import(pathToFileURL(join(ROOT, 'site/slug.mjs')).href)) as {
  anchorsOf(markdown: string): string[]
}
const LINK = /\]\(([^)\s]+)\)/g

/** What is wrong with the links of a document. */
function deadLinks(file: string, text = read(file)): string[] {
  return [
    ...withoutBlocks(text)
      .replace(/`[^`\n]*`/g, '')
      .matchAll(LINK),
  ].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return target.startsWith('https://') ? [] : [`${target} is not https`]
    const [path = '', anchor] = target.split('#')
    const linked = path === '' ? file : posix.normalize(posix.join(posix.dirname(file), path))
    if (!existsSync(join(ROOT, linked))) return [`${target}: no such file`]
    if (anchor === undefined) return []
    return anchorsOf(read(linked)).includes(anchor) ? [] : [`${target}: no such heading`]
  })
}

test('links of all documents lead somewhere', () => {
  for (const file of [...papers, ...pages]) assert.deepEqual(deadLinks(file), [], file)
})

test('dead links are found', () => {
  const text =
    '[a](nowhere.md) [b](index.md#nothing) [c](#here) [`d`](http://example.com) `[e](x.md)`\n## Here'
  assert.deepEqual(deadLinks('docs/index.md', text), [
    'nowhere.md: no such file',
    'index.md#nothing: no such heading',
    '#here: no such heading',
    'http://example.com is not https',
  ])
})

test('every page is in the contents of the site, once', async () => {
  const { sections } = (await import(pathToFileURL(join(ROOT, 'site/contents.mjs')).href)) as {
    sections: { pages: string[] }[]
  }
  const named = sections.flatMap(section => section.pages.map(page => `docs/${page}.md`))
  assert.deepEqual(named.toSorted(), pages.toSorted())
})
