// The source files that the rows of the packaging tests are made of.

const SAME = `
const one = require('millrace')
const isSameAs = (other, testing) =>
  other.Producer === one.Producer && other.KafkaError === one.KafkaError &&
  testing.startBroker === require('millrace/testing').startBroker
`

/** A CommonJS module that also imports, to compare what it gets. */
export const REQUIRES = `
const { deliver } = require('./deliver.cjs')
${SAME}
async function main() {
  const isSame = isSameAs(await import('millrace'), await import('millrace/testing'))
  await deliver({ Producer: one.Producer, startBroker: require('millrace/testing').startBroker, isSame })
}
main()
`

/** An ES module that also requires. */
export const IMPORTS = `
import { createRequire } from 'node:module'
import * as imported from 'millrace'
import * as testing from 'millrace/testing'
import deliver from './deliver.cjs'
const require = createRequire(import.meta.url)
${SAME}
const { Producer } = imported
await deliver.deliver({ Producer, startBroker: testing.startBroker, isSame: isSameAs(imported, testing) })
`

/** An ES module that a bundler takes in whole: no second copy to compare with. */
export const BUNDLED = `
import { Producer } from 'millrace'
import { startBroker } from 'millrace/testing'
import deliver from './deliver.cjs'
deliver.deliver({ Producer, startBroker, isSame: true })
`

/** A test file of jest in its default mode. */
export const JEST = `
const { Producer, KafkaError } = require('millrace')
const { startBroker } = require('millrace/testing')
const { deliver } = require('./deliver.cjs')
test('delivers', async () => {
  const lines = []
  const log = jest.spyOn(console, 'log').mockImplementation(line => lines.push(line))
  await deliver({ Producer, startBroker, isSame: new KafkaError('CONFIG_INVALID', 'x') instanceof Error })
  log.mockRestore()
  process.stdout.write(lines[0] + '\\n')
}, 60000)
`

/** TypeScript with types of both entries, good as CommonJS, as an ES module, and when types are stripped. */
export const TYPED = `
import { KafkaError, Producer, type ProducerOptions, type RecordMetadata } from 'millrace'
import { startBroker, type TestBroker } from 'millrace/testing'
import { deliver } from './deliver.cjs'

const options: ProducerOptions = { bootstrapServers: 'localhost:9092', lingerMs: 5 }
export type Seen = [RecordMetadata, TestBroker]
const isSame: boolean = KafkaError.prototype instanceof Error && options.lingerMs === 5
deliver({ Producer, startBroker, isSame })
`

/** The types of deliver.cjs. */
export const DELIVER_TYPES = `
import type { Producer } from 'millrace'
import type { startBroker } from 'millrace/testing'
export function deliver(of: {
  Producer: typeof Producer
  startBroker: typeof startBroker
  isSame: boolean
}): Promise<void>
`
