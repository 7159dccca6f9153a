import { posix } from 'node:path'
import { type Finding, lineAt, type SourceFile } from './files.js'
import { importsOf } from './imports.js'

/** The source that an import of a file of the project means; files of dist are built from src. */
function targetOf(path: string, specifier: string): string {
  return posix
    .join(posix.dirname(path), specifier)
    .replace(/^dist\//, 'src/')
    .replace(/\.js$/, '.ts')
}

/**
 * Groups of files that import one another, directly or through others; an import of types counts as any
 * other. Each group is sorted (Tarjan's strongly connected components).
 */
export function importCircles(files: readonly SourceFile[]): string[][] {
  const targets = new Map(
    files.map(({ path, text }) => [
      path,
      importsOf(text).flatMap(({ specifier }) =>
        specifier.startsWith('.') ? [targetOf(path, specifier)] : [],
      ),
    ]),
  )
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const circles: string[][] = []
  const visit = (path: string): number => {
    let low = order.size
    order.set(path, low)
    lowest.set(path, low)
    open.push(path)
    for (const target of targets.get(path) ?? []) {
      if (!targets.has(target)) continue
      if (!order.has(target)) low = Math.min(low, visit(target))
      else if (open.includes(target)) low = Math.min(low, lowest.get(target) ?? low)
      lowest.set(path, low)
    }
    if (low !== order.get(path)) return low
    const circle = open.splice(open.indexOf(path))
    if (circle.length > 1 || targets.get(path)?.includes(path)) circles.push(circle.sort())
    return low
  }
  for (const path of targets.keys()) if (!order.has(path)) visit(path)
  return circles
}

/** The files of src that the manifest hands out, or starts: their exports are the package's own face. */
export function facesOf(manifest: { exports?: unknown; bin?: unknown }): string[] {
  const paths = JSON.stringify([manifest.exports, manifest.bin]).matchAll(/"(?:\.\/)?dist\/([^"]+)\.js"/g)
  return Array.from(paths, ([, path]) => `src/${path}.ts`)
}

const EXPORT =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:class|const|enum|function\*?|interface|let|type) ([\w$]+)/gm

/** Exports of src that no other file of the project names, but for those of the faces and those to keep. */
export function deadExports(
  files: readonly SourceFile[],
  faces: readonly string[],
  kept: readonly string[] = [],
): Finding[] {
  const used = new Map<string, Set<string> | null>()
  for (const { path, text } of files) {
    for (const { specifier, names } of importsOf(text)) {
      if (!specifier.startsWith('.')) continue
      const target = targetOf(path, specifier)
      const known = used.get(target)
      if (names === null) used.set(target, null)
      else if (known !== null) used.set(target, new Set([...(known ?? []), ...names]))
    }
  }
  return files.flatMap(({ path, text }) => {
    const names = used.get(path)
    if (!path.startsWith('src/') || faces.includes(path) || names === null) return []
    return [...text.matchAll(EXPORT)].flatMap(match => {
      const name = match[1] ?? ''
      if (names?.has(name) || kept.includes(name)) return []
      return [
        { file: path, line: lineAt(text, match.index), problem: `no other file uses the export ${name}` },
      ]
    })
  })
}
