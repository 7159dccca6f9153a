// A NestJS application whose kafkajs is millrace: producers alone, and requests with replies, whose
// consumers the
// original kafkajs does.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type BrokerRecord, startBroker } from '../../dist/testing/index.js'
import { type Kafka, startKafka } from './broker.js'

const ROOT = join(import.meta.dirname, '../..')
const APP = join(ROOT, 'test/compat/nestjs/app.mjs')
const NODE = join(ROOT, `test/runtimes/node_modules/node24-${process.platform}-${process.arch}/bin/node`)
const APP_MS_MAX = 120_000

let kafka: Kafka
before(async () => {
  kafka = await startKafka({ properties: { 'offsets.topic.num.partitions': 1 } })
})
after(() => kafka.stop())

function run(mode: string, brokers: string, topic: string): Promise<Record<string, unknown>> {
  const env = { ...process.env, KAFKA_BROKERS: brokers, KAFKA_TOPIC: topic }
  return new Promise((resolve, reject) => {
    execFile(NODE, [APP, mode], { env, timeout: APP_MS_MAX }, (error, stdout, stderr) => {
      const last = stdout.trim().split('\n').at(-1) ?? ''
      if (error === null) resolve(JSON.parse(last))
      else reject(new Error(`${error.message}\n${stdout}\n${stderr}`))
    })
  })
}

const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())
const shown = ({ key, value, headers }: BrokerRecord) => [
  text(key),
  text(value),
  headers.map(([name, each]) => [name, text(each)]),
]

test('NestJS, producers only', async () => {
  const broker = await startBroker()
  try {
    assert.deepEqual(await run('producer-only', broker.bootstrapServers, 'nest'), {
      isOurs: true,
      unwraps: true,
    })
    assert.deepEqual([...broker.records('nest')].map(shown), [
      [null, '{"hello":"world"}', []],
      ['k', 'v', [['a', 'b']]],
    ])
  } finally {
    await broker.close()
  }
})

test('NestJS, requests and replies', async () => {
  assert.deepEqual(await run('with-consumers', kafka.bootstrapServers, 'sum'), { isOurs: true, sum: 42 })
})
