// The documents that users read, and the fenced blocks in them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

function below(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap(entry =>
    entry.isDirectory() ? below(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
  )
}

/** Every page of docs/, by its path from the root. */
export const pages: readonly string[] = below('docs').filter(file => file.endsWith('.md'))

/** Papers at the root and beside the results that pages link to. */
export const papers: readonly string[] = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'DESIGN.md', 'CHANGELOG.md'],
  'rig/README.md',
]

/** One fenced block. */
export interface Block {
  readonly file: string
  /** Of the opening fence, from 1 on. */
  readonly line: number
  readonly language: string
  /**
   * What the test does with it: `check` compiles it only, `skip: REASON` nothing, `NAME.EXT` saves it under
   * this name for the commands of its page. Empty: the block is run.
   */
  readonly info: string
  readonly text: string
}

const FENCE = /^(```+|~~~+)([^\n]*)\n([\s\S]*?)^\1[ \t]*$/gm

export function blocksOf(file: string, text = read(file)): Block[] {
  return [...text.matchAll(FENCE)].map(match => {
    const [, , head = '', body = ''] = match
    const [language = '', ...info] = head.trim().split(' ')
    const line = text.slice(0, match.index).split('\n').length
    return { file, line, language, info: info.join(' '), text: body }
  })
}

/** A document without its fenced blocks; their lines stay, so that numbers of lines hold. */
export function withoutBlocks(text: string): string {
  return text.replace(FENCE, match => match.replace(/[^\n]/g, ''))
}
