/** One compression codec of the record batch format (attributes bits 0–2). */
export interface Codec {
  readonly name: CompressionType
  /** Codec number in the batch attributes. */
  readonly id: number
  /**
   * Compresses a batch's records region in the framing the Java client writes.
   * Answers at once for small inputs, with a promise (worker thread) for large ones. The input must not
   * change until it has answered. What it gives at once is valid until any codec is called again: if each had
   * memory of its own, the collector would go through the whole heap to get rid of it. What it promises
   * belongs to the caller, who may give it to `release`.
   */
  compress(input: Uint8Array): Uint8Array | Promise<Uint8Array>
  /** Takes back what `compress` has promised: the codec may use its memory again. */
  release?(output: Uint8Array): void
  /** The inverse; refuses to produce more than `limitBytes`. */
  decompress(input: Uint8Array, limitBytes: number): Uint8Array
}

export type CompressionType = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
