// A process of its own that hands many records over in one loop and says how much memory it took:
//   node memory-main.js BOOTSTRAP TOTAL_MIB VALUE_BYTES BUFFER_MIB loop | ready
import { Producer } from '../../dist/index.js'

const MiB = 1024 * 1024
const [bootstrapServers = '', total = '', bytes = '', buffer = '', mode = ''] = process.argv.slice(2)
const producer = new Producer({ bootstrapServers, bufferMemory: Number(buffer) * MiB, lingerMs: 5 })
await producer.partitionsFor('t')
const value = Buffer.alloc(Number(bytes), 'v')
let acknowledged = 0
const failures = new Map<string, number>()
// One function for all records: what a program makes for each of its records is not the producer's memory.
const told = (error: (Error & { code?: string }) | null) => {
  if (error === null) acknowledged++
  else failures.set(String(error.code), (failures.get(String(error.code)) ?? 0) + 1)
}
for (let left = Math.floor((Number(total) * MiB) / value.length); left > 0; left--) {
  const more = producer.send({ topic: 't', value }, told)
  if (mode === 'ready' && !more) await producer.ready()
}
await producer.close()
const peakMiB = process.resourceUsage().maxRSS / 1024
process.stdout.write(JSON.stringify({ acknowledged, failures: Object.fromEntries(failures), peakMiB }))
