// Writes the generated pages into docs/; with --check says which of them are out of date, and writes nothing.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generators } from './pages/all.mjs'
import { ROOT } from './stage.mjs'

/** Pages whose file is not what its generator gives now. */
export async function outdatedPages(write = false) {
  const outdated = []
  for (const [page, generate] of Object.entries(generators)) {
    const file = join(ROOT, 'docs', page)
    const text = await generate()
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
    outdated.push(`docs/${page}`)
    if (!write) continue
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return outdated
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const isCheck = process.argv.includes('--check')
  const outdated = await outdatedPages(!isCheck)
  for (const page of outdated) console.log(`${isCheck ? 'out of date' : 'written'}: ${page}`)
  if (isCheck && outdated.length > 0) {
    console.error('Mend it with: npm run docs -- --generate')
    process.exitCode = 1
  }
}
