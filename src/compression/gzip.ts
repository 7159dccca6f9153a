import { builtins } from '../common/builtins.js'
import type { NativeEncoder } from '../native/addon.js'
import { loadAddon } from '../native/load.js'
import type { Codec } from './codec.js'
import { corrupt, KeptOutputs, overLimit, reason, scratchOf } from './support.js'

/**
 * The addon's encoder stands for -1 and for the levels up to this: it writes fewer bytes than zlib does at 3
 * and about as many as at 4, in half of the time or less. What is above is zlib's, as in Java.
 */
const OWN_LEVEL_MAX = 4

/** Above this the addon's encoder works on a thread of the pool. Below, it holds the loop for 800 µs. */
const OWN_SYNC_LIMIT_BYTES = 128 * 1024

/**
 * The same for zlib. A thread costs some 50–200 µs of CPU more per call, so up to a default batch (140 to
 * 400 µs) the event loop is held instead.
 */
const ZLIB_SYNC_LIMIT_BYTES = 16 * 1024

/** gzip: one member per batch. `level` is 1 to 9, or -1 for the addon's encoder. */
export function createGzipCodec(level: number): Codec {
  if (level > OWN_LEVEL_MAX) {
    return { name: 'gzip', id: 1, compress: input => compressByZlib(input, level), decompress }
  }
  let encoder: NativeEncoder | null = null
  const outputs = new KeptOutputs()
  return {
    name: 'gzip',
    id: 1,
    compress(input) {
      encoder ??= loadAddon().createGzipEncoder()
      return compressBy(encoder, outputs, input)
    },
    release: output => outputs.give(output),
    decompress,
  }
}

function compressBy(
  encoder: NativeEncoder,
  outputs: KeptOutputs,
  input: Uint8Array,
): Uint8Array | Promise<Uint8Array> {
  const { byteLength } = input
  const room = byteLength + (Math.floor(byteLength / 32_768) + 1) * 8 + 64
  if (byteLength <= OWN_SYNC_LIMIT_BYTES) {
    const output = scratchOf(room)
    return output.subarray(0, encoder.encode(input, output))
  }
  const output = outputs.take(room)
  return encoder.encodeOnThread(input, output).then(bytes => output.subarray(0, bytes))
}

function compressByZlib(input: Uint8Array, level: number): Uint8Array | Promise<Uint8Array> {
  if (input.byteLength <= ZLIB_SYNC_LIMIT_BYTES) return builtins.zlib.gzipSync(input, { level })
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
