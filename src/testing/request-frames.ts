import { ProtocolError } from '../errors/index.js'

const LENGTH_BYTES = 4
/** API key, version and correlation id: no request is shorter. */
const SHORTEST_FRAME_BYTES = 8
/** Kafka's `socket.request.max.bytes` is 100 MiB; a little more lets tests reach the limit. */
const LONGEST_FRAME_BYTES = 110 * 1024 * 1024

/** What another protocol begins with, for whoever looks for the reason. */
function strangerOf(start: Buffer): string {
  if (start[0] === 0x16 && start[1] === 3)
    return '; it begins like TLS, which this broker was started without'
  if (/^(?:GET |POST|HEAD|PUT )$/.test(start.toString('latin1'))) return '; it begins like HTTP'
  return ''
}

/**
 * Cuts what a connection receives into requests. A frame is a view of the chunk it came in, or has memory of
 * its own where it came in several.
 */
export class RequestFrames {
  private chunk: Buffer = Buffer.alloc(0)
  private position = 0
  /** The bytes of a length that the last chunk ended in. */
  private readonly length = Buffer.alloc(LENGTH_BYTES)
  private lengthFilled = 0
  /** The frame that the last chunk ended in. */
  private frame: Buffer | null = null
  private frameFilled = 0

  /** Takes the next chunk; the frames of the one before must have been taken out. */
  push(chunk: Buffer): void {
    this.chunk = chunk
    this.position = 0
  }

  /**
   * The next whole frame without its length; null when more bytes are needed. Throws {@link ProtocolError}.
   */
  next(): Buffer | null {
    if (this.frame === null) {
      if (!this.readLength()) return null
      const length = this.length.readInt32BE(0)
      if (length < SHORTEST_FRAME_BYTES || length > LONGEST_FRAME_BYTES) {
        throw new ProtocolError(
          `a request of ${length} bytes; ${SHORTEST_FRAME_BYTES} to ${LONGEST_FRAME_BYTES} are taken` +
            strangerOf(this.length),
        )
      }
      this.lengthFilled = 0
      const end = this.position + length
      if (end <= this.chunk.length) return this.take(end)
      this.frame = Buffer.allocUnsafeSlow(length)
      this.frameFilled = 0
    }
    return this.fill(this.frame)
  }

  private readLength(): boolean {
    while (this.lengthFilled < LENGTH_BYTES) {
      const byte = this.chunk[this.position]
      if (byte === undefined) return false
      this.length[this.lengthFilled++] = byte
      this.position++
    }
    return true
  }

  private take(end: number): Buffer {
    const frame = this.chunk.subarray(this.position, end)
    this.position = end
    return frame
  }

  private fill(frame: Buffer): Buffer | null {
    const copied = this.chunk.copy(frame, this.frameFilled, this.position)
    this.position += copied
    this.frameFilled += copied
    if (this.frameFilled < frame.length) return null
    this.frame = null
    return frame
  }
}
