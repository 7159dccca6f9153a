import { ProtocolError } from '../errors/index.js'

const SIZE_BYTES = 4
/** First memory for a frame that comes in pieces. */
const GROWTH_BYTES_MIN = 1024
/** A response has at least its correlation id. */
const FRAME_BYTES_MIN = 4
/** Many times what a broker sends to a producer, and still put together and read in no time. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024

const NOTHING = new Uint8Array(0)

const TLS_ALERT = 0x15
const TLS_HANDSHAKE = 0x16
const TLS_MAJOR_VERSION = 0x03
const HTTP = 0x48545450

/**
 * Cuts the bytes of a connection into frames: `size:int32 bytes[size]`, handed on without the size.
 *
 * Chunks are copied: their memory may be read into again, and a large one is not kept alive for a small
 * frame. A frame that spans several is put together in memory that doubles as it comes: an announced size
 * alone costs nothing, and a frame costs at most about twice what has come of it, in however small pieces.
 */
export class FrameReader {
  /** Largest frame accepted; small until a peer has shown that it is a broker. */
  frameBytesMax: number
  private readonly onFrame: (frame: Uint8Array) => void
  private readonly size = new Uint8Array(SIZE_BYTES)
  private sizeFill = 0
  private frameBytes = 0
  /** Holds the first `heldBytes` of a frame whose end has not come. */
  private held = NOTHING
  private heldBytes = 0
  private stopped = false

  constructor(onFrame: (frame: Uint8Array) => void, frameBytesMax = FRAME_BYTES_MAX) {
    this.onFrame = onFrame
    this.frameBytesMax = frameBytesMax
  }

  /** Takes bytes as they come; throws {@link ProtocolError} where they cannot be a broker's. */
  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length && !this.stopped) {
      if (this.sizeFill < SIZE_BYTES) at = this.takeSize(chunk, at)
      else at = this.takeFrame(chunk, at)
    }
  }

  /** No frame is handed on any more, not even one whose bytes are there. */
  stop(): void {
    this.stopped = true
    this.held = NOTHING
  }

  private takeSize(chunk: Uint8Array, from: number): number {
    let at = from
    while (this.sizeFill < SIZE_BYTES && at < chunk.length) this.size[this.sizeFill++] = chunk[at++] as number
    if (this.sizeFill === SIZE_BYTES) this.frameBytes = this.checkedSize()
    return at
  }

  private checkedSize(): number {
    const [a, b, c, d] = this.size as unknown as [number, number, number, number]
    const bytes = (a << 24) | (b << 16) | (c << 8) | d
    if (bytes >= FRAME_BYTES_MIN && bytes <= this.frameBytesMax) return bytes
    throw new ProtocolError(`Not a Kafka response: ${this.likelyCause(bytes)}`)
  }

  private likelyCause(bytes: number): string {
    if (bytes === HTTP) return 'an HTTP server answers on this port; check bootstrap.servers'
    const isTls = this.size[1] === TLS_MAJOR_VERSION
    if (isTls && this.size[0] === TLS_ALERT) {
      return 'the broker sent a TLS alert, so this port expects TLS; check security.protocol'
    }
    if (isTls && this.size[0] === TLS_HANDSHAKE) {
      return 'the peer speaks TLS on this port; check security.protocol'
    }
    if (bytes < FRAME_BYTES_MIN) return `it announces ${bytes} bytes`
    return `it announces ${bytes} bytes, more than the ${this.frameBytesMax} accepted`
  }

  private takeFrame(chunk: Uint8Array, from: number): number {
    const missing = this.frameBytes - this.heldBytes
    const end = Math.min(from + missing, chunk.length)
    if (end - from < missing) {
      this.hold(chunk.subarray(from, end))
      return end
    }
    let frame: Uint8Array
    if (this.heldBytes === 0) frame = Buffer.from(chunk.subarray(from, end))
    else {
      this.hold(chunk.subarray(from, end))
      frame = this.held.subarray(0, this.frameBytes)
    }
    this.held = NOTHING
    this.heldBytes = 0
    this.sizeFill = 0
    this.onFrame(frame)
    return end
  }

  private hold(part: Uint8Array): void {
    const bytes = this.heldBytes + part.length
    if (bytes > this.held.length) {
      const doubled = Math.max(bytes, this.held.length * 2, GROWTH_BYTES_MIN)
      const grown = new Uint8Array(Math.min(this.frameBytes, doubled))
      grown.set(this.held.subarray(0, this.heldBytes))
      this.held = grown
    }
    this.held.set(part, this.heldBytes)
    this.heldBytes = bytes
  }
}
