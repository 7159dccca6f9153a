import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Orders as JSON, sources, and machine code. */
export function contents(): Map<string, Buffer> {
  let state = 7
  const below = (limit: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  const orders = Array.from({ length: 8000 }, (_, id) => ({
    ...{ id: below(1e6), user: `user-${below(5000)}`, state: ['new', 'paid', 'sent'][below(3)] },
    items: [{ sku: `SKU-${below(800)}`, count: below(5), price: below(1e6) / 100 }],
    at: 1_700_000_000_000 + id * 37,
  }))
  const folder = join(ROOT, 'src/producer')
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .sort()
    .map(name => readFileSync(join(folder, name)))
  return new Map([
    ['orders', Buffer.from(orders.map(order => JSON.stringify(order)).join('\n'))],
    ['sources', Buffer.concat(sources)],
    ['machine code', readFileSync(join(ROOT, 'build/Release/millrace.node')).subarray(0, 600_000)],
  ])
}
