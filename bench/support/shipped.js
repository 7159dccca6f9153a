// millrace as users install it: `npm run package` puts its modules together into few files, which costs less
// CPU than the many of `dist`. A bench makes them once, and its client processes import them.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = join(root, '.cache/shipped')

/** Makes the package's files of what is compiled now. For the parent of the client processes. */
export async function makeShipped() {
  const { bundle } = await import('../../scripts/packaging/bundle.mjs')
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  await bundle(manifest, join(FOLDER, 'dist'))
  cpSync(join(root, 'build/Release'), join(FOLDER, 'build/Release'), { recursive: true })
  const { name, version } = manifest
  writeFileSync(join(FOLDER, 'package.json'), JSON.stringify({ name, version, type: 'commonjs' }))
}

/** The exports of an entry of the package: `index`, `kafkajs`. For client processes. */
export const shipped = entry => import(pathToFileURL(join(FOLDER, `dist/${entry}.mjs`)).href)
