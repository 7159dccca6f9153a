import { fileURLToPath } from 'node:url'

/**
 * The folder of package.json. The packed package, whose files lie elsewhere, has another text in place of
 * this one (`scripts/packaging/bundle.mjs`); in an application's own bundle it names a folder without our
 * files.
 */
export const packageRoot: string = fileURLToPath(new URL('../../', import.meta.url))
