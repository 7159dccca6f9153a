import type { Finding, SourceFile } from './files.js'
import { BELOW_PRODUCER, FOUNDATION, HOUSE, type Rooms, roomOf } from './imports.js'

const DESIGN = 'DESIGN.md'
const ROW = /^\| `src\/([\w-]+)(?:\/|\.ts)` \|.*\| ([^|]*) \|$/gm

/** The right column of the table: what a room may use. */
export function mayUse(room: string, house: Readonly<Record<string, Rooms>> = HOUSE): string {
  const { uses = [], types = [] } = house[room] ?? {}
  const quoted = (names: readonly string[]) => names.map(name => `\`${name}\``)
  const isAboveAll = BELOW_PRODUCER.every(name => uses.includes(name))
  const others = quoted(uses.filter(name => !isAboveAll || !BELOW_PRODUCER.includes(name)))
  const onlyTypes = quoted(types).map(name => `types of ${name}`)
  if (!isAboveAll) return [...others, ...onlyTypes].join(', ') || '–'
  return [...others, 'all below it', ...onlyTypes].join(' and ')
}

/**
 * Where the table of rooms in DESIGN.md is not what the house says: a room without a row, a row without a
 * room, another right column, or a room that stands above one that may use it.
 */
export function untrueRooms(design: string, sources: readonly SourceFile[]): Finding[] {
  const rooms = new Set(sources.map(({ path }) => roomOf(path)).filter(room => !FOUNDATION.includes(room)))
  const rows = [...design.matchAll(ROW)].map(([, room = '', column = '']) => ({ room, column }))
  const order = rows.map(({ room }) => room)
  const problems = [
    ...[...rooms].filter(room => !order.includes(room)).map(room => `src/${room} has no row`),
    ...order.filter(room => !rooms.has(room)).map(room => `src/${room} has a row and no files`),
    ...rows
      .filter(({ room, column }) => rooms.has(room) && column !== mayUse(room))
      .map(({ room, column }) => `src/${room} may use "${mayUse(room)}", its row says "${column}"`),
    ...rows.flatMap(({ room }, at) =>
      (HOUSE[room]?.uses ?? [])
        .filter(used => order.includes(used) && order.indexOf(used) < at)
        .map(used => `the row of src/${used} stands above that of src/${room}, which uses it`),
    ),
  ]
  return problems.map(problem => ({ file: DESIGN, line: 1, problem }))
}
