import {
  type Codec,
  compressionTypes,
  createCodec,
  defaultCompressionLevels,
} from '../../compression/index.js'

const NONE = 0

/** Compresses pushes with the codec that the broker likes best of those that work here. */
export class PushCodecs {
  private readonly codecs = new Map<number, Codec | null>()

  /** `accepted`: numbers of codecs, the best first. A codec that fails once is not tried again. */
  async compress(
    bytes: Uint8Array,
    accepted: readonly number[],
  ): Promise<{ readonly type: number; readonly output: Uint8Array }> {
    for (const type of accepted) {
      if (type === NONE) break
      const codec = this.codecOf(type)
      if (codec === null) continue
      try {
        const answer = codec.compress(bytes)
        // What a codec gives at once is valid only until the next one is called, by another producer perhaps:
        // it is copied before anything is awaited.
        const output = answer instanceof Uint8Array ? Uint8Array.from(answer) : await answer
        return { type, output }
      } catch {
        this.codecs.set(type, null)
      }
    }
    return { type: NONE, output: bytes }
  }

  private codecOf(type: number): Codec | null {
    let codec = this.codecs.get(type)
    if (codec === undefined) {
      const name = compressionTypes[type]
      try {
        codec = name === undefined ? null : createCodec(name, defaultCompressionLevels)
      } catch {
        // Its package is not installed.
        codec = null
      }
      this.codecs.set(type, codec)
    }
    return codec
  }
}
