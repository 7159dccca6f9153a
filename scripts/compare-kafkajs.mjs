// `npm run compare:kafkajs`: the comparing suite of millrace/kafkajs against a real Apache Kafka.
import { main, runNode } from './commands.mjs'
import { setUp } from './setup.mjs'

await main(import.meta.url, async () => {
  await setUp(['deps', 'native', 'typescript', 'tests', 'kafka'])
  await runNode('dist-test/compat/kafkajs/kafka-main.js', [])
})
