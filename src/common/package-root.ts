import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The folder of package.json. The packed package, whose files lie elsewhere, has another text in place of
 * this file (`scripts/packaging/bundle.mjs`); in an application's own bundle it names a folder without our
 * files, and it is empty where such a bundle does not know its place.
 */
export const packageRoot: string = fileURLToPath(new URL('../../', import.meta.url))

/** The version of package.json; undefined where the runtime does not let it be read. */
export function packageVersion(): string | undefined {
  try {
    const manifest = readFileSync(join(packageRoot, 'package.json'), 'utf8')
    return (JSON.parse(manifest) as { version: string }).version
  } catch {
    return undefined
  }
}
