// What every row of the packaging tests runs: sends records with each codec, reads them back from the broker in
// the same process, and prints one line of JSON. CommonJS without imports of its own, for any tool chain.

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const RECORDS = 200
const LOGGER = { debug() {}, info() {}, warn() {}, error() {} }

async function deliver({ Producer, startBroker, isSame }) {
  const broker = await startBroker({ quiet: true })
  const delivered = []
  for (const compressionType of CODECS) {
    const topic = `t-${compressionType}`
    const producer = new Producer({
      bootstrapServers: broker.bootstrapServers,
      compressionType,
      logger: LOGGER,
    })
    const values = Array.from({ length: RECORDS }, (_, i) => `${'repeated '.repeat(20)}${i}`)
    await producer.sendMany(values.map(value => ({ topic, key: 'k', value })))
    await producer.close()
    const stored = [...broker.records(topic)].map(({ value }) => Buffer.from(value).toString())
    if (stored.join() === values.join()) delivered.push(compressionType)
  }
  await broker.close()
  console.log(JSON.stringify({ delivered, isSame }))
}

module.exports = { deliver }
