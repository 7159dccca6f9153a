// `npm run fuzz:parsers [-- --seconds N] [--seed N] [--target NAME]`: changed files and texts, long.
import { createHash, randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { ParserFuzz, TARGETS } from './parsers.js'
import { numberOption } from './random.js'

/** Changed inputs of each parser between two looks at the time. */
const ROUND = 200

const seconds = numberOption('seconds', 60)
const seed = numberOption('seed', randomInt(2 ** 31))
const at = process.argv.indexOf('--target')
const targets = at < 0 ? Object.keys(TARGETS) : [String(process.argv[at + 1])]
const unknown = targets.find(name => TARGETS[name] === undefined)
if (unknown !== undefined)
  throw new Error(`no parser is called ${unknown}: ${Object.keys(TARGETS).join(', ')}`)

const fuzz = new ParserFuzz(seed)
const endMs = performance.now() + seconds * 1000
while (performance.now() < endMs && fuzz.findings.length === 0) await fuzz.run(targets, ROUND)

const { executions, findings, parsed, refused, longestMs } = fuzz
const total = [...executions.values()].reduce((sum, each) => sum + each, 0)
console.log(
  `${total} inputs, seed ${seed}, ${seconds} s: ${parsed} read, ${refused} refused, none in more than ` +
    `${longestMs.toFixed(1)} ms, ${findings.length} findings:`,
  Object.fromEntries(executions),
)
for (const { target, input, what } of findings) {
  const hash = createHash('sha256').update(input).digest('hex').slice(0, 12)
  const file = `test/hostile/corpus/${TARGETS[target]?.corpus}/found-${hash}`
  writeFileSync(file, input)
  console.error(`${target}, ${file}: ${what}`)
}
process.exitCode = findings.length === 0 ? 0 : 1
