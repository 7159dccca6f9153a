import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parseOptions, quote, UsageError } from './arguments.js'
import { type Rule, rules, VERDICTS, type Verdict } from './kafkajs-rules.js'

const SOURCE = /\.[cm]?[jt]sx?$/
const PASSED_OVER = /^(\.|node_modules$|dist$|build$|coverage$)/
const FILE_BYTES_MAX = 2 * 1024 * 1024
const PLACES_SHOWN_MAX = 5
const COMMENTS = /\/\*[\s\S]*?\*\/|(?<=^|[\s;{}(),])\/\/[^\n]*/g

interface Place {
  readonly file: string
  readonly line: number
}

/** A rule, and where a project has what it is about. */
export interface Use {
  readonly rule: Rule
  readonly places: readonly Place[]
}

/** `millrace kafkajs-check`: answers the exit code. */
export async function kafkajsCheck(args: readonly string[]): Promise<number> {
  const positionals = args.filter(each => !each.startsWith('-'))
  const { json } = parseOptions(
    args.filter(each => each.startsWith('-')),
    { json: { type: 'boolean' } },
  )
  if (positionals.length > 1) throw new UsageError(`Unexpected argument ${quote(positionals[1] as string)}`)
  const folder = positionals[0] ?? '.'
  if (!(await stat(folder).catch(() => null))?.isDirectory()) {
    throw new UsageError(`${quote(folder)} is not a folder`)
  }
  const { uses, files } = await usesIn(folder)
  process.stdout.write(json ? `${JSON.stringify(uses.map(asJson), null, 2)}\n` : report(uses, files))
  return uses.some(({ rule }) => rule.verdict === 'different') ? 1 : 0
}

/** What the sources and the manifests below a folder use, the most important first. */
export async function usesIn(folder: string): Promise<{ uses: Use[]; files: number }> {
  const found = new Map<Rule, Place[]>()
  let files = 0
  for await (const path of sourcesOf(folder)) {
    const text = withoutComments(await readFile(path, 'utf8'))
    if (!/kafka/i.test(text)) continue
    files++
    const file = relative(folder, path)
    for (const rule of rules) {
      if (rule.file !== undefined && !rule.file.test(file)) continue
      for (const match of text.matchAll(rule.pattern)) {
        const line = text.slice(0, match.index).split('\n').length
        const places = found.get(rule) ?? []
        found.set(rule, places)
        if (places.at(-1)?.file !== file || places.at(-1)?.line !== line) places.push({ file, line })
      }
    }
  }
  const order = (verdict: Verdict) => VERDICTS.indexOf(verdict)
  const uses = [...found].map(([rule, places]) => ({ rule, places }))
  uses.sort((left, right) => order(left.rule.verdict) - order(right.rule.verdict))
  return { uses, files }
}

async function* sourcesOf(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true })
  entries.sort((left, right) => (left.name < right.name ? -1 : 1))
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (PASSED_OVER.test(entry.name)) continue
    if (entry.isDirectory()) yield* sourcesOf(path)
    else if (!entry.isFile()) continue
    else if (SOURCE.test(entry.name) || entry.name === 'package.json') {
      if ((await stat(path)).size <= FILE_BYTES_MAX) yield path
    }
  }
}

/** Every line stays where it was. */
function withoutComments(text: string): string {
  return text.replace(COMMENTS, comment => comment.replace(/[^\n]/g, ' '))
}

function asJson({ rule: { name, verdict, says }, places }: Use): object {
  return { name, verdict, says, places }
}

function report(uses: readonly Use[], files: number): string {
  if (uses.length === 0) return 'Nothing of KafkaJS is used here.\n'
  const lines = [`${files} files have to do with Kafka.`]
  for (const verdict of VERDICTS) {
    const some = uses.filter(({ rule }) => rule.verdict === verdict)
    if (some.length === 0) continue
    lines.push('', `${verdict.toUpperCase()}:`)
    for (const { rule, places } of some) {
      lines.push(`  ${rule.name}: ${rule.says}`)
      const shown = places.slice(0, PLACES_SHOWN_MAX).map(({ file, line }) => `${file}:${line}`)
      const more = places.length - shown.length
      lines.push(`    ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`)
    }
  }
  lines.push('', 'docs/migrating-from-kafkajs.md of the package millrace has the details.')
  return `${lines.join('\n')}\n`
}
