// Copies the declarations that the entries reach, without what no caller may use: private members, maps and
// comments for ourselves. One tree of them serves `import` and `require`, so that each type exists once, too.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { root } from '../commands.mjs'
import { entriesOf } from './bundle.mjs'

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*|^import\s+)(['"])(\.{1,2}\/[^'"]+)\1/gm
/** tsc prints a private member on a line of its own, and before it, it may be, a comment. */
const PRIVATE =
  /^(?:[ \t]*\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*\n)?[ \t]+private (?!constructor)(?:[^;{]|\{[^}]*\})*;[ \t]*\n/gm

/** Writes `types/` and, for each entry, NAME.d.ts and NAME.d.mts. */
export function writeDeclarations(manifest, folder) {
  const entries = entriesOf(manifest)
  const queue = Object.values(entries).map(file => posix.normalize(file).replace(/^dist\//, ''))
  const seen = new Set(queue)
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    const path = file.replace(/\.js$/, '.d.ts')
    const text = withoutPrivate(readFileSync(join(root, 'dist', path), 'utf8'))
    for (const [, , specifier] of text.matchAll(IMPORT)) {
      const next = posix.join(posix.dirname(file), specifier)
      if (!seen.has(next)) queue.push(next)
      seen.add(next)
    }
    mkdirSync(join(folder, 'types', dirname(path)), { recursive: true })
    writeFileSync(join(folder, 'types', path), text)
  }
  for (const [name, file] of Object.entries(entries)) {
    const target = `./${posix.join('types', posix.normalize(file).replace(/^dist\//, ''))}`
    const depth = name.split('/').length - 1
    const from = depth === 0 ? target : `${'../'.repeat(depth)}${target.slice(2)}`
    for (const extension of ['d.ts', 'd.mts']) {
      writeFileSync(join(folder, `${name}.${extension}`), `export * from '${from}'\n`)
    }
  }
}

export function withoutPrivate(text) {
  return text.replace(PRIVATE, '').replace(/^\/\/# sourceMappingURL=.*\n?/m, '')
}
