// Copies the declarations that the entries reach, without what no caller may use: private members, members
// marked @internal, maps. One tree of them serves `import` and `require`, so that each type exists once, too.
// They compile without @types/node and without optional peers: what is of those is then `any`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { root, StepError } from '../commands.mjs'
import { entriesOf } from './bundle.mjs'

/** Globals that the declarations name and that `lib: es2022` without DOM does not have. */
const GLOBALS = `// Where a project has these already, by its \`lib\` or by @types/node, nothing changes.
interface SymbolConstructor {
  readonly asyncDispose: unique symbol
  readonly dispose: unique symbol
}
interface Disposable {
  [Symbol.dispose](): void
}
interface AsyncDisposable {
  [Symbol.asyncDispose](): PromiseLike<void>
}
interface AbortSignal {
  readonly aborted: boolean
  readonly reason: any
}
`
const GLOBALS_FILE = 'types/globals.d.ts'

const COMMENT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*/g
const IMPORT = /^import (type )?(?:\{([^}]*)\}|(\* as \w+|\w+)) from (['"])([^'"]+)\4;?[ \t]*\n/gm
const RELATIVE = /(?:\bfrom\s*|\bimport\s*\(\s*|^import\s+)(['"])(\.{1,2}\/[^'"]+)\1/gm
/** A member begins on a line of its own, and before it, it may be, is a comment. */
const MEMBER = /^([ \t]*\/\*\*(?:(?!\*\/)[\s\S])*\*\/[ \t]*\n)?[ \t]+(?=[\w[#])/gm

/** Writes `types/` and, for each entry, NAME.d.ts and NAME.d.mts. */
export function writeDeclarations(manifest, folder) {
  const entries = entriesOf(manifest)
  const queue = Object.values(entries).map(file => posix.normalize(file).replace(/^dist\//, ''))
  const seen = new Set(queue)
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    const path = file.replace(/\.js$/, '.d.ts')
    const text = publicDeclarations(readFileSync(join(root, 'dist', path), 'utf8'))
    const left = /^.*(\bprivate\b|#\w+;).*$/m.exec(
      text.replace(COMMENT, '').replace(/'[^'\n]*'|"[^"\n]*"/g, ''),
    )
    if (left !== null) throw new StepError(`the declarations of ${path} still have:${left[0]}`)
    for (const [, , specifier] of text.matchAll(RELATIVE)) {
      const next = posix.join(posix.dirname(file), specifier)
      if (!seen.has(next)) queue.push(next)
      seen.add(next)
    }
    mkdirSync(join(folder, 'types', dirname(path)), { recursive: true })
    writeFileSync(join(folder, 'types', path), text)
  }
  writeFileSync(join(folder, GLOBALS_FILE), GLOBALS)
  for (const [name, file] of Object.entries(entries)) {
    const up = name.includes('/') ? '../'.repeat(name.split('/').length - 1) : './'
    const target = `${up}${posix.join('types', posix.normalize(file).replace(/^dist\//, ''))}`
    for (const extension of ['d.ts', 'd.mts']) {
      const reference = `/// <reference path="${up}${GLOBALS_FILE}" />\n`
      writeFileSync(join(folder, `${name}.${extension}`), `${reference}export * from '${target}'\n`)
    }
  }
}

/** What users get to see of a declaration file. */
export function publicDeclarations(text) {
  const open = withoutInternal(text).replace(/^\/\/# sourceMappingURL=.*\n?/m, '')
  // A global of @types/node.
  const usesBuffer = /\bBuffer\b/.test(open.replace(COMMENT, '')) && !/\bBuffer\b[^;]*\bfrom\b/.test(open)
  return withoutUnusedImports(usesBuffer ? `import type { Buffer } from 'node:buffer';\n${open}` : open)
}

/** Members of classes and interfaces that are no one's to use, taken out; their constructors protected. */
function withoutInternal(text) {
  let kept = ''
  let from = 0
  MEMBER.lastIndex = 0
  for (let match = MEMBER.exec(text); match !== null; match = MEMBER.exec(text)) {
    const [whole, comment = ''] = match
    const begin = match.index + whole.length
    const isInternal = comment.includes('@internal')
    const isHidden = /^(private\b|#|\[inspect\.custom\])/.test(text.slice(begin, begin + 20))
    if (!isInternal && !isHidden) continue
    const end = endOfMember(text, begin)
    const isConstructor = /^(private |protected )?constructor\b/.test(text.slice(begin, end))
    kept += text.slice(from, match.index)
    if (isConstructor) kept += '    protected constructor();\n'
    from = end
    MEMBER.lastIndex = end
  }
  return kept + text.slice(from)
}

/** Behind the semicolon that ends a member, and its line feed. */
function endOfMember(text, begin) {
  let depth = 0
  for (let at = begin; at < text.length; at += 1) {
    const char = text[at]
    if ('({[<'.includes(char)) depth += 1
    // The arrow of a function type closes nothing.
    if (')}]'.includes(char) || (char === '>' && text[at - 1] !== '=')) depth -= 1
    if (char === ';' && depth === 0) return text[at + 1] === '\n' ? at + 2 : at + 1
  }
  throw new StepError(`a member of a declaration has no end: ${text.slice(begin, begin + 60)}`)
}

/** Imports of names that are used; those of other packages do not have to be installed. */
function withoutUnusedImports(text) {
  const code = text.replace(IMPORT, '').replace(COMMENT, '')
  return text.replace(IMPORT, (_whole, type = '', names, other, quote, from) => {
    const all = (names ?? other).split(',').map(name => name.trim())
    const used = all.filter(name => name !== '' && new RegExp(`\\b${name.split(' ').at(-1)}\\b`).test(code))
    if (used.length === 0) return ''
    const list = names === undefined ? other : `{ ${used.join(', ')} }`
    const ignored = from.startsWith('.') ? '' : '// @ts-ignore: any where it is not installed\n'
    return `${ignored}import ${type}${list} from ${quote}${from}${quote};\n`
  })
}
