// A program that sends one record and says what became of it: permissions-main.mjs INDEX BOOTSTRAP [CODEC]
const [index, bootstrapServers, compressionType = 'none'] = process.argv.slice(2)
const { Producer } = await import(index)
const logger = { debug() {}, info() {}, warn() {}, error() {} }
const started = performance.now()
let outcome
try {
  const producer = new Producer({ bootstrapServers, compressionType, lingerMs: 0, logger })
  outcome = await producer.send({ topic: 't', value: 'v' }).then(
    () => 'stored',
    error => error,
  )
  await producer.close()
} catch (error) {
  outcome = error
}
const { name, code, message, retriable } = outcome
const told = outcome === 'stored' ? { outcome } : { name, code, message, retriable }
console.log(JSON.stringify({ ...told, ms: Math.round(performance.now() - started) }))
