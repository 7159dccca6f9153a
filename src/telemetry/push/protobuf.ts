import { Buffer } from 'node:buffer'

const LENGTH_DELIMITED = 2
const FIXED64 = 1
const VARINT = 0

/** Writes protobuf messages into a buffer that grows. Fields are written in the order of the calls. */
export class ProtobufWriter {
  private buffer: Buffer = Buffer.allocUnsafe(1024)
  private length = 0

  /** The bytes written, as a view. */
  finish(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  string(field: number, value: string): void {
    const bytes = Buffer.byteLength(value)
    this.tag(field, LENGTH_DELIMITED)
    this.varint(bytes)
    this.reserve(bytes)
    this.length += this.buffer.write(value, this.length)
  }

  /** A message within this one. */
  message(field: number, write: (writer: ProtobufWriter) => void): void {
    const inner = new ProtobufWriter()
    write(inner)
    const bytes = inner.finish()
    this.tag(field, LENGTH_DELIMITED)
    this.varint(bytes.length)
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  fixed64(field: number, value: bigint): void {
    this.tag(field, FIXED64)
    this.reserve(8)
    this.length = this.buffer.writeBigUInt64LE(value, this.length)
  }

  sfixed64(field: number, value: bigint): void {
    this.tag(field, FIXED64)
    this.reserve(8)
    this.length = this.buffer.writeBigInt64LE(value, this.length)
  }

  double(field: number, value: number): void {
    this.tag(field, FIXED64)
    this.reserve(8)
    this.length = this.buffer.writeDoubleLE(value, this.length)
  }

  /** An enum or a boolean; below 2^31. */
  small(field: number, value: number): void {
    this.tag(field, VARINT)
    this.varint(value)
  }

  private tag(field: number, type: number): void {
    this.varint((field << 3) | type)
  }

  private varint(value: number): void {
    this.reserve(5)
    let rest = value
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buffer[this.length++] = rest
  }

  private reserve(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.buffer.length))
    grown.set(this.finish())
    this.buffer = grown
  }
}
