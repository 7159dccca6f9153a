// The payloads of a case as a file, so that clients in any language send the same bytes:
//
//     file := count int32 | { keyLength int32 | key | valueLength int32 | value } of each record
//
// Integers are big-endian, the count is a power of two, length -1 is null. Clients send the records in turn,
// from the first again after the last.
import { readFileSync, writeFileSync } from 'node:fs'

function field(bytes) {
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes?.length ?? -1)
  return bytes === undefined ? [length] : [length, bytes]
}

export function writePayloads(path, { keys, values }) {
  const count = Buffer.alloc(4)
  count.writeInt32BE(values.length)
  writeFileSync(
    path,
    Buffer.concat([count, ...values.flatMap((value, i) => [...field(keys[i]), ...field(value)])]),
  )
}

/** Rings of keys (undefined: none) and values, each with memory of its own, as an application's would be. */
export function readPayloads(path) {
  const content = readFileSync(path)
  let at = 0
  const next = () => {
    at += 4
    return content.readInt32BE(at - 4)
  }
  const read = () => {
    const length = next()
    if (length < 0) return undefined
    at += length
    return Buffer.from(content.subarray(at - length, at))
  }
  const count = next()
  const keys = new Array(count)
  const values = new Array(count)
  for (let i = 0; i < count; i++) {
    keys[i] = read()
    values[i] = read()
  }
  return { keys, values }
}
