// Sentences of a document, for a count of their words.
import { withoutBlocks } from './documents.js'

export interface Sentence {
  readonly line: number
  readonly text: string
}

/** Paragraphs, items of lists and cells of tables, each with the line it begins on. */
function passagesOf(markdown: string): Sentence[] {
  const passages: { line: number; text: string }[] = []
  let current: { line: number; text: string } | null = null
  for (const [i, raw] of withoutBlocks(markdown).split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#') || line.startsWith('<!--') || line.startsWith('|')) {
      current = null
      if (!line.startsWith('|')) continue
      const cells = line.split(/(?<!\\)\|/).slice(1, -1)
      passages.push(...cells.map(text => ({ line: i + 1, text: text.trim() })))
    } else if (current === null || /^(?:[-*]|\d+\.) /.test(line)) {
      current = { line: i + 1, text: line.replace(/^(?:[-*]|\d+\.) /, '') }
      passages.push(current)
    } else current.text += ` ${line}`
  }
  return passages
}

export function sentencesOf(markdown: string): Sentence[] {
  return passagesOf(markdown).flatMap(({ line, text }) =>
    text
      .replace(/\[((?:[^\]`]|`[^`]*`)*)\]\([^)]*\)/g, '$1')
      .replace(/`[^`]*`(?:(?:, | and | or |,? `…`)`[^`]*`)*/g, 'code')
      .replace(/\*\*/g, '')
      .split(/(?<=[.!?])\s+/)
      .map(sentence => ({ line, text: sentence })),
  )
}

export function wordsOf({ text }: Sentence): number {
  return text.split(/[\s–—]+/).filter(word => /[\p{L}\p{N}]/u.test(word)).length
}
