import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What a check found: where, and what is wrong there. */
export interface Finding {
  file: string
  line: number
  problem: string
}

export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  path: string
  text: string
}

/** The plain names and `name-*` globs of .gitignore: what is not part of the project. */
function ignored(): (name: string) => boolean {
  const lines = readFileSync(join(ROOT, '.gitignore'), 'utf8').split('\n').filter(Boolean)
  const patterns = lines.map(line => line.replace(/\/$/, '').replaceAll('.', '\\.').replaceAll('*', '.*'))
  const pattern = new RegExp(`^(?:\\.git|${patterns.join('|')})$`)
  return name => pattern.test(name)
}

/** Every file of the project whose path matches, read. */
export function projectFiles(matches: RegExp): SourceFile[] {
  const isIgnored = ignored()
  const visit = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { withFileTypes: true })
      .filter(entry => !isIgnored(entry.name))
      .flatMap(entry => (entry.isDirectory() ? visit(`${folder}${entry.name}/`) : [`${folder}${entry.name}`]))
  const paths = visit('').filter(path => matches.test(path))
  return paths.sort().map(path => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

/** One line a finding, for the message of an assertion. */
export function describeFindings(findings: readonly Finding[]): string {
  return findings.map(({ file, line, problem }) => `${file}:${line}: ${problem}`).join('\n')
}

export function lineAt(text: string, index: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < index; at = text.indexOf('\n', at + 1)) line++
  return line
}
