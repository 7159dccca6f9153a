import { builtins } from '../common/builtins.js'
import type { Codec } from './codec.js'
import { corrupt, overLimit, reason } from './support.js'

/**
 * Above this an input is compressed on a worker thread. A thread costs some 50–200 µs of CPU more per call,
 * so up to a default batch (about 140 µs) the event loop is held instead.
 */
const SYNC_LIMIT_BYTES = 16 * 1024

/** gzip: one member per batch. `level` is 1 to 9, or -1 for zlib's own default (6). */
export function createGzipCodec(level: number): Codec {
  return { name: 'gzip', id: 1, compress: input => compress(input, level), decompress }
}

function compress(input: Uint8Array, level: number): Uint8Array | Promise<Uint8Array> {
  if (input.byteLength <= SYNC_LIMIT_BYTES) return builtins.zlib.gzipSync(input, { level })
  // One output chunk for what shrinks to half or less: each further chunk is a turn of the event loop.
  const options = { level, chunkSize: input.byteLength >> 1 }
  return new Promise((resolve, reject) => {
    builtins.zlib.gzip(input, options, (error, output) => (error ? reject(error) : resolve(output)))
  })
}

function decompress(input: Uint8Array, limitBytes: number): Uint8Array {
  let output: Uint8Array
  try {
    output = builtins.zlib.gunzipSync(input, { maxOutputLength: Math.max(1, limitBytes) })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw overLimit('gzip', limitBytes)
    throw corrupt('gzip', reason(error), error)
  }
  if (output.byteLength > limitBytes) throw overLimit('gzip', limitBytes)
  return output
}
