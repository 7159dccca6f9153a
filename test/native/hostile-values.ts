import type { Random } from '../hostile/random.js'

/** What hostile values do when somebody looks at them, besides throwing: anything, such as calling again. */
export type Mischief = () => void

interface ResizableArrayBuffer extends ArrayBuffer {
  resize(bytes: number): void
}

const Resizable = ArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => ResizableArrayBuffer
const Growable = SharedArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => SharedArrayBuffer

export function detach(buffer: ArrayBuffer): void {
  structuredClone(buffer, { transfer: [buffer] })
}

class Liar extends Uint8Array {
  lie: unknown = 0
  override get length(): number {
    return (typeof this.lie === 'function' ? this.lie() : this.lie) as number
  }
  override get byteLength(): number {
    return this.length
  }
}

/** Numbers at the edges of what int32 and JavaScript hold. */
const NUMBERS = [
  0,
  1,
  2,
  3,
  7,
  8,
  9,
  15,
  61,
  62,
  127,
  128,
  255,
  256,
  257,
  1023,
  1024,
  4096,
  65_535,
  65_536,
  -1,
  -2,
  -3,
  -128,
  -0,
  0.5,
  1.5,
  -0.5,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 32 + 1,
  2 ** 53,
  -(2 ** 53),
  2 ** 63,
  -(2 ** 63),
  1e308,
  Number.MIN_VALUE,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
]

/** Makes values nobody should hand over, from a seed. */
export class HostileValues {
  private readonly random: Random
  private readonly mischief: Mischief

  constructor(random: Random, mischief: Mischief) {
    this.random = random
    this.mischief = mischief
  }

  number(): number {
    return this.random.pick(NUMBERS)
  }

  /** Neither a number nor bytes; looked at, some of it throws, changes things or calls back. */
  nonsense(): unknown {
    const { random, mischief } = this
    const thrower = () => {
      mischief()
      throw random.pick([new Error('from a hostile value'), null, Object.create(null), 'text', Symbol('s')])
    }
    const answerer = () => {
      mischief()
      return random.pick<unknown>([1, '1', {}, null, -1, Number.NaN])
    }
    const trap = random.once(2) ? thrower : answerer
    const makers: (() => unknown)[] = [
      () => undefined,
      () => null,
      () => true,
      () => '',
      () => '7',
      () => 7n,
      () => Symbol('hostile'),
      () => [],
      () => [1],
      () => ({}),
      () => Object.create(null),
      () => new Date(0),
      () => () => 1,
      () => ({ valueOf: trap, toString: trap, [Symbol.toPrimitive]: trap }),
      () => ({
        get length() {
          return trap() as number
        },
        get byteLength() {
          return trap() as number
        },
      }),
      () =>
        new Proxy(
          {},
          {
            get: trap,
            has: trap as () => boolean,
            getPrototypeOf: trap as () => null,
            ownKeys: trap as () => [],
          },
        ),
      () => new Proxy(new Uint8Array(9), { get: trap }),
      () => new Proxy(new Uint8Array(9), {}),
      () =>
        new (class extends Array {
          override get length() {
            return trap() as number
          }
        })(),
    ]
    return random.pick(makers)()
  }

  /** A view whose elements are properties, and whose first one runs code. */
  private watchful(size: number): DataView {
    const get = () => {
      this.mischief()
      return 1
    }
    return Object.defineProperty(new DataView(new ArrayBuffer(size)), 0, { get })
  }

  /** Views and strings: some sound, some detached, resized, shared, of another type, or lying. */
  bytes(): unknown {
    const { random } = this
    const size = random.pick([0, 1, 2, 5, 16, 100, 900, 1100, 3000, 8191, 8192])
    const makers: (() => unknown)[] = [
      () => Buffer.alloc(size, 0x61),
      () => new Uint8Array(size),
      () => 'x'.repeat(size),
      () => `${'価\ud83c'.repeat(size >> 2)}🎈`,
      () => null,
      () => undefined,
      () => this.detached(size),
      () => this.resized(size),
      () => new Uint8Array(new SharedArrayBuffer(size)),
      () => new Uint8Array(new Growable(size, { maxByteLength: size + 9 })),
      () => new Uint16Array(size),
      () => new Uint8ClampedArray(size),
      () => new Float64Array(size >> 3),
      () => new DataView(new ArrayBuffer(size)),
      () => this.watchful(size),
      () => new ArrayBuffer(size),
      () => this.liar(size),
      () => Object.setPrototypeOf(new Uint16Array(size), Uint8Array.prototype),
      () => Object.setPrototypeOf(new Uint8Array(size), null),
      () => Object.create(Uint8Array.prototype),
      () => Object.setPrototypeOf(new DataView(new ArrayBuffer(size)), Uint8Array.prototype),
    ]
    return random.once(5) ? this.nonsense() : random.pick(makers)()
  }

  /** What a batch's memory could be given as. */
  memory(): unknown {
    const { random } = this
    const bytes = random.pick([0, 1, 61, 62, 80, 200, 1024, 1061, 1200, 3068, 5000])
    const makers: (() => unknown)[] = [
      () => new ArrayBuffer(bytes),
      () => new ArrayBuffer(bytes),
      () => new Resizable(bytes, { maxByteLength: bytes + 4096 }),
      () => new SharedArrayBuffer(bytes),
      () => new Uint8Array(bytes),
      () => this.detached(bytes).buffer,
      () => this.trappedBuffer(bytes),
    ]
    return random.once(8) ? this.nonsense() : random.pick(makers)()
  }

  private detached(bytes: number): Uint8Array {
    const view = new Uint8Array(bytes)
    detach(view.buffer)
    return view
  }

  /** Length-tracking or not, over a buffer that has shrunk below it or grown. */
  private resized(bytes: number): Uint8Array {
    const buffer = new Resizable(bytes, { maxByteLength: bytes + 64 })
    const view = this.random.once(2) ? new Uint8Array(buffer) : new Uint8Array(buffer, 0, bytes)
    buffer.resize(this.random.pick([0, bytes >> 1, bytes, bytes + 64]))
    return view
  }

  private liar(bytes: number): Uint8Array {
    const liar = new Liar(bytes)
    const { random, mischief } = this
    liar.lie = random.once(4)
      ? () => {
          mischief()
          return this.number()
        }
      : random.pick<unknown>([0, 1, bytes + 1, bytes + 1000, -1, -5, 2.5, 2 ** 31, Number.NaN, '3', 4000])
    return liar
  }

  /** An ArrayBuffer that does mischief when it is asked whether it can be resized. */
  private trappedBuffer(bytes: number): ArrayBuffer {
    const buffer = new ArrayBuffer(bytes)
    const { random, mischief } = this
    const get = () => {
      mischief()
      if (random.once(3)) throw new Error('from a hostile buffer')
      if (random.once(3)) detach(buffer)
      return random.pick<unknown>([false, false, true, undefined, 0])
    }
    return Object.defineProperty(buffer, 'resizable', { get })
  }
}
