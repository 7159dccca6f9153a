// The payloads of a case as a file, so that clients in any language send the same bytes:
//
//     file := ring of keys | ring of values | ring of trace contexts
//     ring := count int32 | { length int32 | bytes } of each
//
// Integers are big-endian, length -1 is null. The count is a power of two; that of trace contexts may be 0:
// then the records have no headers. Clients take from each ring in turn, from the first again after the last.
import { readFileSync, writeFileSync } from 'node:fs'

function int32(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function ringBytes(ring) {
  const fields = ring.flatMap(bytes => (bytes === undefined ? [int32(-1)] : [int32(bytes.length), bytes]))
  return [int32(ring.length), ...fields]
}

/** Without keys every record's key is null. */
export function writePayloads(path, { keys, values, traces = [] }) {
  const rings = [keys.length === 0 ? [undefined] : keys, values, traces]
  writeFileSync(path, Buffer.concat(rings.flatMap(ringBytes)))
}

/**
 * Rings of keys (undefined: none), values and trace contexts. Keys and values are Buffers with memory of
 * their own, as an application's would be, or strings where `isText`; trace contexts are strings.
 */
export function readPayloads(path, { isText = false } = {}) {
  const content = readFileSync(path)
  let at = 0
  const next = () => {
    at += 4
    return content.readInt32BE(at - 4)
  }
  const readRing = asText =>
    Array.from({ length: next() }, () => {
      const length = next()
      if (length < 0) return undefined
      at += length
      const bytes = content.subarray(at - length, at)
      return asText ? bytes.toString() : Buffer.from(bytes)
    })
  return { keys: readRing(isText), values: readRing(isText), traces: readRing(true) }
}
