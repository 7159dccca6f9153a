import type { Random } from './random.js'

/** Values that lengths, counts, codes and ids are unlikely to have. */
const INTERESTING = [0, 1, -1, -2, 127, 128, 255, 256, 32_767, -32_768, 65_535, 2 ** 31 - 1, -(2 ** 31)]

/** How often one piece is repeated at most: of 16 bytes it makes 64 KiB. */
const REPEATED_MAX = 4096

/** Changes bytes as faults and attackers do: a few of them, a field, a piece, the end, the size. */
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
    // Seldom, as it makes the reply many times as long.
    if (random.once(400)) return this.repeat(bytes, at, count)
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

  private repeat(bytes: Buffer, at: number, count: number): Buffer {
    const end = at + count
    const times = 1 + this.random.below(REPEATED_MAX)
    const pieces = Buffer.alloc(times * count, bytes.subarray(at, end))
    return Buffer.concat([bytes.subarray(0, at), pieces, bytes.subarray(end)])
  }
}
