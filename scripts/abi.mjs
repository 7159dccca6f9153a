// Makes src/native/abi.ts from native/core/abi.h, so that what both sides of the boundary agree on is written
// once.
// `node scripts/abi.mjs` writes it, `--check` only compares.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { main, root, StepError } from './commands.mjs'

const SOURCE = 'native/core/abi.h'
const TARGET = 'src/native/abi.ts'
const LAYOUTS = { staged: 'Staged', run: 'Run', place: 'Place', touched: 'Touched', result: 'Result' }

/** kKeyBytes and NeedsLarge become KEY_BYTES and NEEDS_LARGE. */
const snake = name =>
  name
    .replace(/^k(?=[A-Z])/, '')
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_')
    .toUpperCase()

const COLUMNS = 108

/** The comment as a docstring, in lines that fit. */
function doc(lines, indent) {
  const text = lines.join(' ')
  if (text === '') return []
  if (indent.length + text.length + 7 <= COLUMNS) return [`${indent}/** ${text} */`]
  const wrapped = ['']
  for (const word of text.split(' ')) {
    const last = wrapped[wrapped.length - 1]
    if (indent.length + 3 + last.length + 1 + word.length > COLUMNS) wrapped.push(word)
    else wrapped[wrapped.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return [`${indent}/**`, ...wrapped.map(line => `${indent} * ${line}`), `${indent} */`]
}

/** The TypeScript of a header of this shape. */
export function typescriptOf(header) {
  const out = [`// Made from ${SOURCE} by scripts/abi.mjs. Change it there.`, '']
  const values = new Map()
  let comment = []
  let scope = null
  const body = header.slice(header.indexOf('namespace millrace {') + 1)
  for (const raw of body.split('\n').slice(1)) {
    const line = raw.trim()
    const note = /^\/\/ (.*)$/.exec(line)
    const begin = /^(?:namespace (\w+)_layout|enum class (\w+) : int32_t) \{$/.exec(line)
    const value = /^(?:constexpr int32_t )?(\w+) = ([\w:-]+)[;,]$/.exec(line)
    if (note !== null) comment.push(note[1])
    else if (begin !== null) {
      scope = begin[1] ?? begin[2]
      out.push(...doc(comment, ''), `export const ${LAYOUTS[scope] ?? scope} = {`)
      comment = []
    } else if (scope !== null && /^\}/.test(line)) {
      out.push('} as const', '')
      scope = null
    } else if (value !== null) {
      const [, name, text] = value
      const number = values.get(text) ?? Number(text)
      if (!Number.isInteger(number)) throw new StepError(`${SOURCE}: ${line} has no value that is known`)
      if (scope === null) out.push(...doc(comment, ''), `export const ${snake(name)} = ${number}`, '')
      else {
        values.set(`${scope}_layout::${name}`, number)
        out.push(...doc(comment, '  '), `  ${snake(name)}: ${number},`)
      }
      comment = []
    } else if (line === '') comment = []
  }
  return `${out.join('\n').trimEnd()}\n`
}

await main(import.meta.url, async args => {
  const made = typescriptOf(readFileSync(join(root, SOURCE), 'utf8'))
  if (!args.includes('--check')) writeFileSync(join(root, TARGET), made)
  else if (readFileSync(join(root, TARGET), 'utf8') !== made)
    throw new StepError(`${TARGET} is not what ${SOURCE} says: node scripts/abi.mjs`)
})
