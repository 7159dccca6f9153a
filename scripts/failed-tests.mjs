// A reporter of node:test that prints what failed and nothing else: `npm test` repeats it under its summary.
import { relative } from 'node:path'

const MAX_LINES = 10

/** A paragraph for each test that failed itself; a suite that fails with its tests has nothing to add. */
export default async function* failedTests(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || data.todo !== undefined) continue
    const { error } = data.details
    if (error?.failureType === 'subtestsFailed') continue
    const place = data.file === undefined ? '' : ` (${relative('', data.file)}:${data.line})`
    const lines = textOf(error?.cause ?? error).split('\n')
    const told = lines.filter(line => !line.includes('(node:')).slice(0, MAX_LINES)
    yield `${data.name}${place}\n${told.map(line => `  ${line}\n`).join('')}`
  }
}

function textOf(error) {
  return String(error?.stack ?? error?.message ?? error)
}
