import type { Finding, SourceFile } from './files.js'
import { lineAt } from './files.js'

const FIELD =
  /^ {2}(?!private\b|protected\b|readonly\b|static\b|get\b|set\b|async\b|return\b)(\w+)(?:[?!]?:[^(=;]*)?(?:\s=\s|$)/gm
const CLASS = /^(?:export )?(?:abstract )?class \w+/m

/** Public fields of classes that may be changed from outside. */
function mutableFields(file: SourceFile): { name: string; line: number }[] {
  if (!CLASS.test(file.text)) return []
  const fields: { name: string; line: number }[] = []
  // Fields stand between the head of a class and its constructor or first method.
  for (const body of file.text.matchAll(/^(?:export )?(?:abstract )?class [^\n{]*\{\n([\s\S]*?)\n\}/gm)) {
    const start = body.index + body[0].indexOf('\n') + 1
    for (const match of (body[1] as string).matchAll(FIELD))
      fields.push({ name: match[1] as string, line: lineAt(file.text, start + match.index) })
  }
  return fields
}

function writes(name: string, { text }: SourceFile): boolean {
  return new RegExp(`\\.${name}(?:\\s*(?:[-+|&?]{0,2}=(?![=>]))|\\+\\+|--)`).test(text)
}

/**
 * Public fields that several files write: nobody owns them. Fields are told by name only, so `allowed` has those
 * that share a name with another, and those that two files write for a reason, as `file field`.
 */
export function sharedFields(
  files: readonly SourceFile[],
  allowed: Readonly<Record<string, string>>,
): Finding[] {
  return files.flatMap(file =>
    mutableFields(file).flatMap(({ name, line }) => {
      const writers = files.filter(other => writes(name, other))
      if (writers.length <= 1 || allowed[`${file.path} ${name}`] !== undefined) return []
      const where = writers.map(({ path }) => path).join(', ')
      return [{ file: file.path, line, problem: `${name} is written in ${where}` }]
    }),
  )
}
