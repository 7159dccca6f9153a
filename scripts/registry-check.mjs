// `npm run registry-check`: the serializers of millrace/schema-registry against a real registry (Apicurio)
// and a real Kafka, read back by readers that are not ours. Writes test/registry/results.md.
import { main, run } from './commands.mjs'
import { setUp } from './setup.mjs'

await main(import.meta.url, async () => {
  await setUp(['deps', 'native', 'typescript', 'tests', 'kafka', 'registry'])
  await run(process.execPath, ['dist-test/registry/check.js'])
})
