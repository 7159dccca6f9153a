import type { Random } from './random.js'

/** Values that lengths, counts, codes and ids are unlikely to have. */
const INTERESTING = [0, 1, -1, -2, 127, 128, 255, 256, 32_767, -32_768, 65_535, 2 ** 31 - 1, -(2 ** 31)]

/** Changes bytes as faults and attackers do: a few of them, a field, a piece, the end. */
export class Mutator {
  private readonly random: Random

  constructor(random: Random) {
    this.random = random
  }

  /** Another buffer; `from` on is changed. `other` lends pieces. */
  mutate(bytes: Buffer, from: number, other: Buffer): Buffer {
    let changed: Buffer = Buffer.from(bytes)
    for (let changes = 1 + this.random.below(3); changes > 0; changes--) {
      if (changed.length <= from) return changed
      changed = this.change(changed, from, other)
    }
    return changed
  }

  private change(bytes: Buffer, from: number, other: Buffer): Buffer {
    const { random } = this
    const at = from + random.below(bytes.length - from)
    const count = 1 + random.below(Math.min(16, bytes.length - at))
    switch (random.below(11)) {
      case 0:
      case 1:
        bytes[at] = random.below(256)
        return bytes
      case 2:
        bytes[at] = (bytes[at] as number) ^ (1 << random.below(8))
        return bytes
      case 3:
        if (at + 2 <= bytes.length) bytes.writeInt16BE((random.pick(INTERESTING) << 16) >> 16, at)
        return bytes
      case 4:
        if (at + 4 <= bytes.length) bytes.writeInt32BE(random.pick(INTERESTING), at)
        return bytes
      case 5:
        // A varint of up to five bytes, all full.
        bytes.fill(0xff, at, at + Math.min(count, 5))
        return bytes
      case 6:
        return bytes.subarray(0, at)
      case 7:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + count)])
      case 8:
        return Buffer.concat([bytes.subarray(0, at + count), bytes.subarray(at)])
      case 9: {
        const start = random.below(other.length)
        const piece = other.subarray(start, start + count)
        return Buffer.concat([
          bytes.subarray(0, at),
          piece,
          bytes.subarray(at + (random.once(2) ? count : 0)),
        ])
      }
      default:
        return Buffer.concat([bytes, Buffer.alloc(count, random.below(256))])
    }
  }
}
