import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pages, papers, read } from './documents.js'
import { sentencesOf, wordsOf } from './prose.js'

const MOST_WORDS = 25

/** Sentences of a document that have more words than a reader takes in at once. */
function tooLong(text: string): string[] {
  return sentencesOf(text)
    .filter(each => wordsOf(each) > MOST_WORDS)
    .map(each => `line ${each.line}, ${wordsOf(each)} words: ${each.text}`)
}

test(`no sentence of the documents has more than ${MOST_WORDS} words`, () => {
  for (const file of [...papers, ...pages]) assert.deepEqual(tooLong(read(file)), [], file)
})

test('a sentence that is too long is found, in a paragraph, an item and a table', () => {
  const long = `${'word '.repeat(MOST_WORDS)}and one.`
  for (const text of [`One.\n${long} Two.`, `- a\n- ${long}`, `| a | b |\n|---|---|\n| c | ${long} |`]) {
    assert.equal(tooLong(text).length, 1, text)
  }
  assert.deepEqual(tooLong(`${'word '.repeat(20)}and one. ${'word '.repeat(20)}and two.`), [])
})
