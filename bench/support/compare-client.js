// millrace under measurement: see commands.js for what it is told. Runs on Node, Bun and Deno.
import { javaProperties, payloadsGiven } from './client-options.js'
import { givenArguments, obey } from './commands.js'
import { loads } from './loads.js'
import { paced } from './paced-load.js'
import { recordMaker } from './record-makers.js'
import { runtimeName } from './runtimes.js'
import { shipped } from './shipped.js'

const { Producer } = await shipped('index')
const given = givenArguments()
const producer = new Producer(javaProperties(given))
const load = {
  recordOf: recordMaker({ topic: given.topic, ...payloadsGiven(given) }),
  unsettledMax: Number(given.unsettledMax),
  arrayLength: Number(given.arrayLength),
}
const sendOne = i => producer.send(load.recordOf(i))
const run =
  given.mode === 'paced'
    ? count => paced(sendOne, { count, rate: Number(given.rate) })
    : count => loads[given.mode](producer, { ...load, count })

await obey(runtimeName(), run)
if (producer.bufferAvailableBytes !== producer.bufferTotalBytes) throw new Error('memory is still in use')
await producer.close()
