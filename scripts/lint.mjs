// `npm run lint` checks, `npm run format` (--write) repairs: Biome for TypeScript and JSON, clang-format for
// C++.
import { createRequire } from 'node:module'
import { filesUnder, main, root, run, runNode } from './commands.mjs'
import { setUp } from './setup.mjs'

export async function lint(write = false) {
  const mode = write ? ['--write'] : ['--error-on-warnings']
  await runNode('node_modules/@biomejs/biome/bin/biome', ['check', ...mode, '.'])
  const files = filesUnder(['native'], file => /\.(cpp|cc|h|hpp)$/.test(file))
  if (files.length === 0) return
  const { clangFormatPath } = createRequire(`${root}/package.json`)('clang-format-node')
  await run(clangFormatPath, [...(write ? ['-i'] : ['--dry-run', '-Werror']), ...files])
}

await main(import.meta.url, async args => {
  await setUp(['deps'])
  await lint(args.includes('--write'))
})
