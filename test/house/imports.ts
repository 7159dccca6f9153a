import { posix } from 'node:path'
import { type Finding, lineAt, type SourceFile } from './files.js'

export interface Rooms {
  /** Rooms whose modules may be imported. */
  uses?: readonly string[]
  /** Rooms of which only types may be imported. */
  types?: readonly string[]
}

/** At the bottom of the house, usable by every room. */
export const FOUNDATION = ['errors', 'common']

/** All that the producer is built on. */
export const BELOW_PRODUCER = [
  ...['config', 'serialization', 'partitioner', 'accumulator', 'sender', 'transactions', 'cluster'],
  ...['security', 'protocol', 'compression', 'telemetry', 'native'],
]

/** The house: which rooms of src each room may import from. `index` is src/index.ts, the public surface. */
export const HOUSE: Readonly<Record<string, Rooms>> = {
  index: { uses: ['producer', ...BELOW_PRODUCER] },
  producer: { uses: BELOW_PRODUCER },
  config: { uses: ['serialization', 'partitioner', 'telemetry'], types: ['security'] },
  serialization: {},
  partitioner: { types: ['cluster'] },
  accumulator: { uses: ['native', 'compression', 'partitioner'], types: ['cluster'] },
  sender: { uses: ['accumulator', 'cluster', 'protocol', 'transactions'], types: ['native'] },
  transactions: { uses: ['cluster', 'protocol'] },
  cluster: { uses: ['protocol', 'security'] },
  security: { uses: ['protocol'] },
  protocol: {},
  compression: { uses: ['native'] },
  telemetry: { uses: ['cluster', 'compression', 'protocol'] },
  native: {},
  testing: {
    uses: ['protocol', 'compression', 'producer', 'transactions', 'serialization', 'partitioner'],
    types: ['config', 'telemetry'],
  },
  streams: { uses: ['index'] },
  'schema-registry': { uses: ['index'] },
  compat: { uses: ['index', 'compression'] },
  cli: { uses: ['index', 'testing'] },
  errors: {},
  common: {},
}

/** What src/native finds the addon with and in: no modules of the house. */
const BESIDE_NATIVE = /^(?:native\/targets\.json|prebuilds\/[\w-]+\/millrace\.node)$/

export interface Import {
  specifier: string
  isTypeOnly: boolean
  /** What is taken, by its name in the other file; null for all of it, or for what cannot be told. */
  names: string[] | null
  line: number
}

const COMMENTS = /\/\*[\s\S]*?\*\/|^\s*\/\/[^\n]*/gm
const STATIC = /^[ \t]*(?:import|export)\b([^'"`;]*?)\bfrom\s*(['"])([^'"\n]+)\2/gm
const BARE = /^[ \t]*import\s*(['"])([^'"\n]+)\1/gm
const DYNAMIC = /\b(?:import|require)\s*\(\s*(['"`])([^'"`\n]+)\1/g

/** `{ type A, type B }` imports types as much as `type { A, B }` does. */
function isTypeOnly(clause: string): boolean {
  if (/^\s*type\b/.test(clause)) return true
  const names = /^\s*\{([^}]*)\}\s*$/
    .exec(clause)?.[1]
    ?.split(',')
    .filter(name => name.trim() !== '')
  return names?.every(name => /^\s*type\s/.test(name)) ?? false
}

/** The names that a clause takes; null for a namespace. */
function namesOf(clause: string): string[] | null {
  if (clause.includes('*')) return null
  const [, byDefault = '', braced = ''] = /^\s*(?:type\b)?\s*([\w$]*)[^{]*(?:\{([^}]*)\})?/.exec(clause) ?? []
  const named = braced.split(',').map(
    name =>
      name
        .trim()
        .replace(/^type\s+/, '')
        .split(/\s+as\s+/)[0] ?? '',
  )
  return [byDefault === '' ? '' : 'default', ...named].filter(name => name !== '')
}

/** Every import and re-export of a TypeScript file, static or dynamic. */
export function importsOf(text: string): Import[] {
  const code = text.replace(COMMENTS, comment => comment.replace(/[^\n]/g, ' '))
  const found = [
    ...[...code.matchAll(STATIC)].map(match => ({
      match,
      specifier: match[3],
      isTypeOnly: isTypeOnly(match[1] ?? ''),
      names: namesOf(match[1] ?? ''),
    })),
    ...[...code.matchAll(BARE)].map(match => ({ match, specifier: match[2], isTypeOnly: false, names: [] })),
    ...[...code.matchAll(DYNAMIC)].map(match => ({
      match,
      specifier: match[2],
      isTypeOnly: false,
      names: null,
    })),
  ]
  return found.map(({ match, specifier, isTypeOnly, names }) => ({
    specifier: specifier ?? '',
    isTypeOnly,
    names,
    line: lineAt(code, match.index + match[0].search(/\S/)),
  }))
}

/** The room of a path below src: its first folder, or the name of a file that lies in src itself. */
export function roomOf(path: string): string {
  const [first = ''] = path.replace(/^src\//, '').split('/')
  return first.replace(/\.[jt]s$/, '')
}

/** Imports of a file in src that the house does not allow. */
export function forbiddenImports({ path, text }: SourceFile): Finding[] {
  const room = roomOf(path)
  const rooms = HOUSE[room]
  if (rooms === undefined) return [{ file: path, line: 1, problem: `no room of the house is called ${room}` }]
  return importsOf(text).flatMap(({ specifier, isTypeOnly, line }) => {
    if (!specifier.startsWith('.')) return []
    const target = posix.join(posix.dirname(path), specifier)
    if (room === 'native' && BESIDE_NATIVE.test(target)) return []
    if (!target.startsWith('src/')) return [{ file: path, line, problem: `${specifier} is outside src` }]
    const used = roomOf(target)
    if (used === room || FOUNDATION.includes(used)) return []
    if (rooms.uses?.includes(used) || (isTypeOnly && rooms.types?.includes(used))) return []
    const onlyTypes = rooms.types?.includes(used) ? ' more than types of' : ''
    return [{ file: path, line, problem: `${room} may not use${onlyTypes} ${used} (${specifier})` }]
  })
}

/** Rooms that allow each other, directly or through others: with any, "down the table" would mean nothing. */
export function cyclicRooms(house: Readonly<Record<string, Rooms>>): string[] {
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    (house[from]?.uses ?? []).some(next => {
      if (next === to) return true
      if (seen.has(next)) return false
      seen.add(next)
      return reaches(next, to, seen)
    })
  return Object.keys(house).filter(room => reaches(room, room, new Set()))
}

const INCLUDE = /^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]/gm
const NODE_HEADER = /(?:^|\/)(?:js_native_api|napi|node|v8|uv)(?:[-_][\w-]*)?\.h$/

/** Includes that native/ does not allow: Node's headers only in the binding, the binding's headers nowhere else. */
export function forbiddenIncludes({ path, text }: SourceFile): Finding[] {
  const isBinding = path.startsWith('native/binding/')
  return [...text.matchAll(INCLUDE)].flatMap(match => {
    const header = match[2] ?? ''
    const line = lineAt(text, match.index + match[0].search(/\S/))
    const isNodes = NODE_HEADER.test(header)
    if (isBinding && /(?:^|\/)(?:v8|uv|node)(?:[-_][\w-]*)?\.h$/.test(header) && !/node_api/.test(header)) {
      return [
        { file: path, line, problem: `${header}: only Node-API keeps one binary good for every runtime` },
      ]
    }
    if (!isBinding && isNodes) return [{ file: path, line, problem: `${header} belongs to native/binding` }]
    if (!isBinding && /(?:^|\/)binding\//.test(header)) {
      return [{ file: path, line, problem: `${header}: nothing but the addon may use native/binding` }]
    }
    return []
  })
}
