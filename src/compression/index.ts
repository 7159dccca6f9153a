import { ProtocolError } from '../errors/index.js'
import type { Codec, CompressionType } from './codec.js'
import { createGzipCodec } from './gzip.js'
import { createLz4Codec } from './lz4.js'
import { createSnappyCodec } from './snappy.js'
import { overLimit } from './support.js'
import { createZstdCodec } from './zstd.js'

export type { Codec, CompressionType } from './codec.js'

/** Every `compression.type`; the index is the codec number in a batch's attributes. */
export const compressionTypes: readonly CompressionType[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** `compression.gzip.level`, `compression.lz4.level` and `compression.zstd.level`. */
interface CompressionLevels {
  /** 1 to 9, or -1 for zlib's own default. */
  gzip: number
  /** 1 to 17; 9 is the fast encoder, as in Kafka. */
  lz4: number
  /** -131072 to 22; 0 is zstd's own default (3). */
  zstd: number
}

/** Kafka's default levels. */
export const defaultCompressionLevels: Readonly<CompressionLevels> = { gzip: -1, lz4: 9, zstd: 3 }

/** The codec of a `compression.type`, null for `none`. */
export function createCodec(type: CompressionType, levels: CompressionLevels): Codec | null {
  switch (type) {
    case 'none':
      return null
    case 'gzip':
      return createGzipCodec(levels.gzip)
    case 'snappy':
      return createSnappyCodec()
    case 'lz4':
      return createLz4Codec(levels.lz4)
    case 'zstd':
      return createZstdCodec(levels.zstd)
  }
}

/** What `none` is for a decoder: the bytes themselves, not a copy. */
const identity: Codec = {
  name: 'none',
  id: 0,
  compress: input => input,
  decompress(input, limitBytes) {
    if (input.byteLength > limitBytes) throw overLimit('none', limitBytes)
    return input
  },
}

const codecs: (Codec | undefined)[] = [identity]

/**
 * The codec with this number in the batch attributes (bits 0–2), for decoders; made on first use, with
 * default levels. Number 0 gives back the bytes it is given, uncopied. An unknown number
 * throws a `ProtocolError`.
 */
export function codecById(id: number): Codec {
  const known = codecs[id]
  if (known) return known
  const type = compressionTypes[id]
  if (type === undefined) throw new ProtocolError(`Unknown compression codec ${id}`)
  const codec = createCodec(type, defaultCompressionLevels) ?? identity
  codecs[id] = codec
  return codec
}
