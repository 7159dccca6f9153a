// After TypeScript: what a compiled module imports from the others becomes a constant of its own. V8 compiles
// the constants of a module in, functions and sizes alike, and looks an imported name up at each use. It
// counts where a record is staged: some 5 % of the CPU time of `sendMany`. The modules import each other in
// no circle (test/house), so what is imported has its value by then.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesUnder, root } from './commands.mjs'

const IMPORT = /^import \{ ([^}]+?),? \} from ('\.[^']+');$/gm
const HOISTED = /^import \{ ([^}]+) \} from ('\.[^']+'); const [^;]+;$/gm
const MARK = '$hoisted'

export function hoistImports() {
  for (const file of filesUnder(['dist'], name => name.endsWith('.js'))) {
    const path = join(root, file)
    const code = readFileSync(path, 'utf8')
    const hoisted = hoist(code)
    if (hoisted !== code) writeFileSync(path, hoisted)
  }
}

/** On one line, so that the lines of source maps stay. */
function hoist(code) {
  return code.replace(IMPORT, (_, names, from) => {
    const imported = names.split(', ').map(name => name.split(' as '))
    const renamed = imported.map(([name, local = name]) => `${name} as ${local}${MARK}`)
    const constants = imported.map(([name, local = name]) => `${local} = ${local}${MARK}`)
    return `import { ${renamed.join(', ')} } from ${from}; const ${constants.join(', ')};`
  })
}

/** As TypeScript wrote it, for a bundler: there all modules are one, and nothing is imported. */
export function restoreImports(code) {
  return code.replace(HOISTED, (_, names, from) => {
    const restored = names.replaceAll(MARK, '').replace(/\b(\w+) as \1(?=,|$)/g, '$1')
    return `import { ${restored} } from ${from};`
  })
}
