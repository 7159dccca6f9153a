// The site is built offline; its links hold, nothing of it is fetched from elsewhere, and its search answers the
// thirty questions.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { ROOT, read } from './documents.js'

interface Question {
  readonly question: string
  readonly query: string
  readonly page: string
}

/** It takes some 20 seconds of a processor, and far longer on a busy machine. */
const BUILD_TIMEOUT_MS = 540_000
const DIST = join(ROOT, 'site/dist')
/** A result that is among these is on the first screen of the search. */
const FIRST_RESULTS = 5
const load = (file: string) => import(pathToFileURL(join(ROOT, file)).href)

before(() => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'site/build.mjs')], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: BUILD_TIMEOUT_MS,
  })
  assert.equal(status, 0, `${stdout}${stderr}`)
})

function htmlPages(): Map<string, string> {
  const names = (readdirSync(DIST, { recursive: true }) as string[]).filter(name => name.endsWith('.html'))
  return new Map(names.map(name => [name.replaceAll('\\', '/'), readFileSync(join(DIST, name), 'utf8')]))
}

test('links of the site lead to pages and headings that are there', () => {
  const html = htmlPages()
  const ids = new Map([...html].map(([name, text]) => [name, new Set(text.match(/(?<= id=")[^"]*/g))]))
  const dead: string[] = []
  for (const [name, text] of html) {
    for (const [target] of text.matchAll(/(?<= href=")[^"]*/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path = '', anchor] = decodeURIComponent(target).split('#')
      const absolute = path === '' ? name : posix.join(posix.dirname(`/${name}`), path.replace(/^\//, '/'))
      const file = path.startsWith('/') ? path.slice(1) : absolute.replace(/^\//, '')
      const page = file === '' ? 'index.html' : /\.\w+$/.test(file) ? file : `${file}.html`
      if (!existsSync(join(DIST, page))) dead.push(`${name}: ${target}`)
      else if (anchor && ids.has(page) && !ids.get(page)?.has(anchor)) dead.push(`${name}: ${target}`)
    }
  }
  assert.deepEqual(dead, [])
})

test('nothing is fetched from another host', () => {
  const fetched = /<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?:https?:)?\/\//
  for (const [name, text] of htmlPages()) assert.doesNotMatch(text, fetched, name)
  for (const name of readdirSync(join(DIST, 'assets')).filter(each => each.endsWith('.css'))) {
    assert.doesNotMatch(
      readFileSync(join(DIST, 'assets', name), 'utf8'),
      /url\((?:"|')?(?:https?:)?\/\//,
      name,
    )
  }
})

test('every entry of the package has its API page', async () => {
  const { entries } = (await load('site/contents.mjs')) as { entries: { name: string; file: string }[] }
  const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, { types?: string }> }
  const files = Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [types]))
  const documented = entries.map(({ file }) => `./dist/${file}.d.ts`)
  // The names of millrace/kafkajs are KafkaJS's own.
  assert.deepEqual(
    files.filter(file => !documented.includes(file)),
    ['./dist/compat/kafkajs/index.d.ts'],
  )
  for (const { name } of entries) assert.ok(existsSync(join(DIST, `reference/api/${name}.html`)), name)
})

test('the search of the site leads to the answer of each of the thirty questions', async () => {
  const { questions } = (await load('site/questions.mjs')) as { questions: { asked: Question[] }[] }
  const { boostDocument } = (await load('site/contents.mjs')) as { boostDocument: (id: string) => number }
  const { openSearch } = (await load('site/search.mjs')) as {
    openSearch(boost: (id: string) => number): Promise<(query: string) => string[]>
  }
  const search = await openSearch(boostDocument)
  const asked = questions.flatMap(topic => topic.asked)
  assert.equal(asked.length, 30)
  for (const { question, query, page } of asked) {
    const [path, anchor] = page.split('#')
    // Some type a few words, and some the whole question.
    for (const typed of [query, question]) {
      const found = search(typed).slice(0, FIRST_RESULTS)
      // One click on the result, and one more in the contents of the page if another of its sections was found.
      assert.ok(
        found.some(place => place.split('#')[0] === path),
        `"${typed}" finds ${found.join(', ')}, and not ${path}`,
      )
    }
    if (anchor === undefined) continue
    assert.ok(readFileSync(join(DIST, `${path}.html`), 'utf8').includes(` id="${anchor}"`), page)
  }
  assert.deepEqual(search('qwertyuiop'), [])
})
