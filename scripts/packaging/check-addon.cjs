// Run by verify.mjs in each runtime and emulator: loads an addon and writes what it computes to a file, as not
// every emulator passes output on. Usage: node check-addon.cjs ADDON OUTPUT FOREIGN-LZ4-BLOCK
'use strict'
const { createHash } = require('node:crypto')
const { readFileSync, writeFileSync } = require('node:fs')
const { basename } = require('node:path')
const { gunzipSync } = require('node:zlib')

const [addonPath, outputPath, foreignPath] = process.argv.slice(2)

/** The same bytes everywhere: text that repeats, then noise of a linear congruential generator. */
function inputOf(size) {
  const input = Buffer.alloc(size)
  let state = 12345
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    input[i] = i < size / 2 ? 97 + ((i * i) % 13) : state >>> 24
  }
  return input
}

const sha256 = bytes => createHash('sha256').update(bytes).digest('hex')

function runtimeName() {
  const { bun, deno, node } = process.versions
  if (bun) return `Bun ${bun}`
  return deno ? `Deno ${deno}` : `Node ${node}`
}

async function check() {
  const addon = require(addonPath)
  const input = inputOf(60_000)
  const block = Buffer.alloc(70_000)
  const frame = Buffer.alloc(addon.zstdBound(input.length))
  const decoded = Buffer.alloc(input.length)
  const blockBytes = addon.lz4Block(input, block)
  const lz4 = sha256(block.subarray(0, blockBytes))
  const fromLz4 =
    addon.lz4Decode(block.subarray(0, blockBytes), decoded) === input.length && decoded.equals(input)
  decoded.fill(0)
  const fromForeign =
    addon.lz4Decode(readFileSync(foreignPath), decoded) === input.length && decoded.equals(input)
  decoded.fill(0)
  const chunksBytes = addon.snappyChunks(input, block)
  const firstBytes = 4 + block.readInt32BE(0)
  const half = addon.snappyDecode(block.subarray(4, firstBytes), decoded)
  const rest = addon.snappyDecode(block.subarray(firstBytes + 4, chunksBytes), decoded.subarray(half))
  const fromSnappy = half + rest === input.length && decoded.equals(input)
  const snappy = sha256(block.subarray(0, chunksBytes))
  const memberBytes = addon.createGzipEncoder().encode(input, block)
  const gzip = Buffer.from(block.subarray(0, memberBytes))
  const encoder = addon.createZstdEncoder(3)
  const frameBytes = encoder.encode(input, frame)
  const zstd = Buffer.from(frame.subarray(0, frameBytes))
  const onThread = await encoder.encodeOnThread(input, frame)
  decoded.fill(0)
  const fromZstd = addon.zstdDecode(zstd, decoded) === input.length && decoded.equals(input)
  const outcome = {
    version: addon.version,
    crc32c: addon.crc32c(Buffer.from('123456789')).toString(16),
    crc32cLong: addon.crc32c(input).toString(16),
    murmur2: addon.murmur2('foobar'),
    gzip: sha256(gzip),
    gzipDecoded: gunzipSync(gzip).equals(input),
    lz4,
    lz4Decoded: fromLz4,
    snappy,
    snappyDecoded: fromSnappy,
    lz4ForeignDecoded: fromForeign,
    zstd: sha256(zstd),
    zstdOnThread: onThread === frameBytes && frame.subarray(0, frameBytes).equals(zstd),
    zstdDecoded: fromZstd,
  }
  const extra = {
    implementation: addon.crc32cImplementation,
    runtime: runtimeName(),
    arch: process.arch,
  }
  writeFileSync(outputPath, JSON.stringify({ outcome, extra }))
}

module.exports = { inputOf, sha256 }
// verify.mjs requires this file, too, and has words of its own.
if (basename(process.argv[1]) === basename(__filename)) check()
