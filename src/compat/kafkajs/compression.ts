import { type Codec, codecById } from '../../compression/index.js'
import { CompressionTypes } from './enums.js'

/** KafkaJS hands its codecs something that has the bytes. */
interface HasBuffer {
  buffer: Buffer
}
interface CompressionCodec {
  compress(encoder: HasBuffer): Promise<Buffer>
  decompress(buffer: Buffer): Promise<Buffer>
}

const DECOMPRESSED_BYTES_MAX = 0x7fffffff

function codecOf(id: number): CompressionCodec {
  const codec: Codec = codecById(id)
  return {
    // A copy: the codec may use its memory again.
    compress: async ({ buffer }) => Buffer.from(await codec.compress(buffer)),
    decompress: async buffer => Buffer.from(codec.decompress(buffer, DECOMPRESSED_BYTES_MAX)),
  }
}

/**
 * Codecs by number. All are built in. What is assigned stands here to be read, and is what an installed
 * kafkajs decompresses with; the producer compresses natively.
 */
// biome-ignore lint/suspicious/noExplicitAny: whatever a codec package exports may be assigned
export const CompressionCodecs: { [type: number]: any } = {
  [CompressionTypes.GZIP]: () => codecOf(CompressionTypes.GZIP),
  [CompressionTypes.Snappy]: () => codecOf(CompressionTypes.Snappy),
  [CompressionTypes.LZ4]: () => codecOf(CompressionTypes.LZ4),
  [CompressionTypes.ZSTD]: () => codecOf(CompressionTypes.ZSTD),
}
