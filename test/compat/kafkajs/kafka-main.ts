// `npm run compare:kafkajs`: every scenario that needs no faults, on kafkajs and on ours, against a real
// Apache
// Kafka; writes results.md.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Comparison, compareAll } from './compare.js'
import { startKafkaGround } from './kafka-ground.js'
import { scenarioGroups } from './scenarios.js'

const RESULTS = join(import.meta.dirname, '../../../test/compat/kafkajs/results.md')

const ground = await startKafkaGround()
const rows: string[] = []
const differences: Comparison[] = []
let failed = 0
let compared = 0
try {
  for (const [group, scenarios] of Object.entries(scenarioGroups)) {
    const results = await compareAll(
      scenarios.filter(({ needsFaults }) => !needsFaults),
      ground,
    )
    const wrong = results.filter(({ isEqual, different }) => isEqual !== (different === undefined))
    for (const { name, ours, original } of wrong) {
      console.log(
        `\nWRONG: ${name}\n  kafkajs: ${JSON.stringify(original)}\n  ours:    ${JSON.stringify(ours)}`,
      )
    }
    differences.push(...results.filter(({ different }) => different !== undefined))
    failed += wrong.length
    compared += results.length
    rows.push(
      `| ${group} | ${results.length} | ${results.filter(({ isEqual }) => isEqual).length} | ${wrong.length} |`,
    )
    console.log(rows.at(-1))
  }
} finally {
  await ground[Symbol.asyncDispose]()
}

const text = `# millrace/kafkajs beside kafkajs 2.2.4, on Apache Kafka 4.3

\`npm run compare:kafkajs\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}. ${compared} scenarios.

| about | scenarios | equal | wrong |
|---|---|---|---|
${rows.join('\n')}

Different on purpose:

${differences.map(({ name, different }) => `- *${name}*: ${different}.`).join('\n')}
`
mkdirSync(join(RESULTS, '..'), { recursive: true })
if (failed === 0) writeFileSync(RESULTS, text)
console.log(failed === 0 ? `\n${compared} scenarios as expected` : `\n${failed} of ${compared} are wrong`)
process.exitCode = failed === 0 ? 0 : 1
