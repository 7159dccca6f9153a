import { createHash, type Hash } from 'node:crypto'

export interface DigestedRecord {
  key: Uint8Array | null
  value: Uint8Array | null
  headers?: readonly (readonly [name: string, value: Uint8Array | null])[]
}

/** The SHA-256 that JavaClient's `digest` gives for one partition: over its records in the order of their offsets. */
export class RecordDigest {
  count = 0
  private readonly hash: Hash = createHash('sha256')
  private readonly number = Buffer.alloc(4)

  add({ key, value, headers = [] }: DigestedRecord): void {
    this.count++
    this.addBytes(key)
    this.addBytes(value)
    this.addNumber(headers.length)
    for (const [name, bytes] of headers) {
      this.addBytes(Buffer.from(name))
      this.addBytes(bytes)
    }
  }

  hex(): string {
    return this.hash.digest('hex')
  }

  private addBytes(bytes: Uint8Array | null): void {
    this.addNumber(bytes === null ? -1 : bytes.length)
    if (bytes !== null) this.hash.update(bytes)
  }

  private addNumber(value: number): void {
    this.number.writeInt32BE(value)
    this.hash.update(this.number)
  }
}
