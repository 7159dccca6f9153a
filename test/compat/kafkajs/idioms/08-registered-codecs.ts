// Codecs registered when the program starts, in the three shapes of the codec packages.
import { CompressionCodecs, CompressionTypes, Kafka } from 'millrace/kafkajs'

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',')
const topic = process.env.KAFKA_TOPIC ?? ''

const codec = {
  compress: async (encoder: { buffer: Buffer }) => encoder.buffer,
  decompress: async (buffer: Buffer) => buffer,
}
class LZ4 {
  get codec() {
    return () => codec
  }
}
CompressionCodecs[CompressionTypes.Snappy] = () => codec
CompressionCodecs[CompressionTypes.LZ4] = new LZ4().codec
CompressionCodecs[CompressionTypes.ZSTD] = { default: () => codec }

const producer = new Kafka({ brokers }).producer()
await producer.connect()
for (const compression of [CompressionTypes.Snappy, CompressionTypes.LZ4, CompressionTypes.ZSTD]) {
  await producer.send({ topic, compression, messages: [{ value: 'x'.repeat(1000) }] })
}
await producer.disconnect()
