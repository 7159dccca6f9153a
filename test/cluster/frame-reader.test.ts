import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FRAME_BYTES_MAX, FrameReader } from '../../dist/cluster/frame-reader.js'
import { ProtocolError } from '../../dist/errors/index.js'

function frame(body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + body.length)
  bytes.writeInt32BE(body.length)
  bytes.set(body, 4)
  return bytes
}

function sized(bytes: number): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes | 0)
  return size
}

function reading(frameBytesMax?: number): { reader: FrameReader; frames: Uint8Array[] } {
  const frames: Uint8Array[] = []
  const reader = new FrameReader(bytes => frames.push(bytes), frameBytesMax)
  return { reader, frames }
}

const bodies = [
  Buffer.from('abcd'),
  Buffer.from('a somewhat longer body'),
  Buffer.from('0123'),
  Buffer.alloc(300, 0x5a),
]
const stream = Buffer.concat(bodies.map(frame))

describe('FrameReader', () => {
  it('keeps of a frame that drips in about what has come of it', () => {
    const { reader, frames } = reading()
    const bytes = 2_000_000
    reader.push(sized(bytes))
    const held = () => {
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const before = held()
    const drip = Buffer.from('x')
    for (let i = 1; i < bytes; i++) reader.push(drip)
    // A small object for each would be a hundred megabytes.
    assert.ok(held() - before < 24 * bytes, `${held() - before} bytes`)
    reader.push(drip)
    assert.equal(frames.length, 1)
    assert.equal(Buffer.compare(frames[0] as Uint8Array, Buffer.alloc(bytes, 'x')), 0)
  })

  it('gives the same frames wherever the bytes are cut in two', () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const { reader, frames } = reading()
      reader.push(stream.subarray(0, cut))
      reader.push(stream.subarray(cut))
      assert.deepEqual(frames.map(Buffer.from), bodies, `cut at ${cut}`)
    }
  })

  it('gives the same frames whatever the size of the chunks', () => {
    for (let chunkBytes = 1; chunkBytes <= 64; chunkBytes++) {
      const { reader, frames } = reading()
      for (let at = 0; at < stream.length; at += chunkBytes) reader.push(stream.subarray(at, at + chunkBytes))
      assert.deepEqual(frames.map(Buffer.from), bodies, `chunks of ${chunkBytes}`)
    }
  })

  it('gives the same frames where all chunks are read into the same memory', () => {
    for (const chunkBytes of [7, 64, stream.length]) {
      const { reader, frames } = reading()
      const memory = Buffer.alloc(chunkBytes)
      for (let at = 0; at < stream.length; at += chunkBytes) {
        const bytes = stream.copy(memory, 0, at)
        reader.push(memory.subarray(0, bytes))
        memory.fill(0)
      }
      assert.deepEqual(frames.map(Buffer.from), bodies, `chunks of ${chunkBytes}`)
    }
  })

  it('refuses a negative, zero or too short size', () => {
    for (const bytes of [-2147483648, -1, 0, 1, 2, 3]) {
      const { reader, frames } = reading()
      const expected = new RegExp(`announces ${bytes} bytes`)
      assert.throws(
        () => reader.push(sized(bytes)),
        (error: unknown) => {
          assert.ok(error instanceof ProtocolError)
          assert.match(error.message, expected)
          return true
        },
      )
      assert.equal(frames.length, 0)
    }
  })

  it('takes the smallest and the largest size allowed and refuses the next larger', () => {
    const { reader, frames } = reading()
    reader.push(frame(Buffer.from('1234')))
    assert.equal(frames.length, 1)
    reader.push(sized(FRAME_BYTES_MAX))
    const second = reading()
    assert.throws(() => second.reader.push(sized(FRAME_BYTES_MAX + 1)), ProtocolError)
    const small = reading(100)
    assert.throws(() => small.reader.push(sized(101)), /more than the 100 accepted/)
  })

  it('names the likely cause when another protocol answers', () => {
    const causes: [string, RegExp][] = [
      ['HTTP/1.1 400 Bad Request\r\n', /HTTP server answers/],
      ['\x15\x03\x03\x00\x02\x02\x46', /TLS alert, so this port expects TLS/],
      ['\x16\x03\x01\x02\x00\x01', /speaks TLS/],
    ]
    for (const [bytes, expected] of causes) {
      assert.throws(() => reading().reader.push(Buffer.from(bytes, 'latin1')), expected)
    }
  })

  it('judges the size on its four bytes, however they come', () => {
    const { reader } = reading()
    const http = Buffer.from('HTTP')
    for (let i = 0; i < 3; i++) reader.push(http.subarray(i, i + 1))
    assert.throws(() => reader.push(http.subarray(3)), ProtocolError)
  })

  it('allocates nothing for a size that is only announced', () => {
    const before = process.memoryUsage()
    const readers = Array.from({ length: 20 }, () => {
      const { reader } = reading()
      reader.push(sized(FRAME_BYTES_MAX))
      reader.push(Buffer.from('only this much'))
      return reader
    })
    const after = process.memoryUsage()
    assert.equal(readers.length, 20)
    const grown = after.arrayBuffers + after.external - before.arrayBuffers - before.external
    assert.ok(grown < 1024 * 1024, `${grown} bytes`)
  })

  it('hands on nothing after it was stopped, not even what is in the same chunk', () => {
    const frames: Uint8Array[] = []
    const reader: FrameReader = new FrameReader(bytes => {
      frames.push(bytes)
      reader.stop()
    })
    reader.push(stream)
    reader.push(stream)
    assert.equal(frames.length, 1)
  })
})
