import { type Finding, lineAt, type SourceFile } from './files.js'

/** Written in pieces, or this file would be the first finding. */
const MARKER = new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`)
const HOME_PATH = /(?<![\w.:/-])\/(?:home|Users|root|work|workspace)\/[\w.-]+/
const REGISTRY =
  /\b(?:registry\.(?:npmjs\.org|yarnpkg\.com|npmmirror\.com)|repo1?\.maven\.(?:apache\.)?org)\b/
const PLACES: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a marker of unfinished work', MARKER],
  ['a path of one machine', HOME_PATH],
  ['the host of a package registry', REGISTRY],
]

/** Words that have no place in what is published. */
export function strayWords({ path, text }: SourceFile): Finding[] {
  return PLACES.flatMap(([what, pattern]) =>
    [...text.matchAll(new RegExp(pattern, 'g'))].map(match => ({
      file: path,
      line: lineAt(text, match.index),
      problem: `${what}: ${match[0]}`,
    })),
  )
}

interface Manifest {
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

/** Dependencies of the package that no row of a table in the README begins with. */
export function untoldDependencies(manifest: Manifest, readme: string): string[] {
  const rows = readme.split('\n').filter(line => line.startsWith('|'))
  const told = new Set(rows.map(row => row.split('|')[1]?.replace(/[`\s]|\[|\]\([^)]*\)/g, '')))
  return Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }).filter(
    name => !told.has(name),
  )
}
