/** Instructions of WebAssembly 1.0 that are used here, by the names of its text format. */
const op = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  br: 0x0c,
  br_if: 0x0d,
  return: 0x0f,
  call: 0x10,
  local_get: 0x20,
  local_set: 0x21,
  local_tee: 0x22,
  global_get: 0x23,
  global_set: 0x24,
  i32_store8: 0x3a,
  i32_const: 0x41,
  i64_const: 0x42,
  i32_eqz: 0x45,
  i32_lt_s: 0x48,
  i32_ge_u: 0x4f,
  i32_add: 0x6a,
  i32_sub: 0x6b,
  i32_and: 0x71,
  i32_rem_u: 0x70,
  i32_shr_u: 0x76,
  i64_add: 0x7c,
  i64_mul: 0x7e,
  i64_xor: 0x85,
  i64_shr_u: 0x88,
  i32_wrap_i64: 0xa7,
} as const

const I32 = 0x7f
const I64 = 0x7e
const NOTHING = 0x40
const PAGE_BYTES = 65_536

/** Signed LEB128, of a 64-bit pattern. */
function leb(value: bigint): number[] {
  const bytes: number[] = []
  for (let rest = BigInt.asIntN(64, value); ; rest >>= 7n) {
    const low = Number(rest & 0x7fn)
    const isLast = rest >> 6n === 0n || rest >> 6n === -1n
    bytes.push(isLast ? low : low | 0x80)
    if (isLast) return bytes
  }
}

const constant64 = (value: bigint) => [op.i64_const, ...leb(value)]
const constant32 = (value: number) => [op.i32_const, ...leb(BigInt(value))]

/** The length of a part, in the few bytes all parts here need, and the part. */
function sized(bytes: readonly number[]): number[] {
  const { length } = bytes
  return length < 128 ? [length, ...bytes] : [(length & 0x7f) | 0x80, length >> 7, ...bytes]
}

/** A vector: how many parts, and the parts. */
const many = (...parts: readonly (readonly number[])[]) => [parts.length, ...parts.flat()]
const section = (id: number, content: readonly number[]) => [id, ...sized(content)]
const name = (text: string) => sized([...Buffer.from(text)])

/** Constants of `java.util.SplittableRandom`. */
const GOLDEN_GAMMA = 0x9e3779b97f4a7c15n
const MIX_1 = 0x62a9d9ed799705f5n
const MIX_2 = 0xcb24d0a5c88c35b3n

/** `seed += GOLDEN_GAMMA`, then the 32 bits that `SplittableRandom.mix32` makes of it. */
const NEXT_BITS = [
  ...many([1, I64]),
  ...[op.global_get, 0, ...constant64(GOLDEN_GAMMA), op.i64_add, op.local_tee, 0, op.global_set, 0],
  ...[op.local_get, 0, op.local_get, 0, ...constant64(33n), op.i64_shr_u, op.i64_xor],
  ...[...constant64(MIX_1), op.i64_mul, op.local_set, 0],
  ...[op.local_get, 0, op.local_get, 0, ...constant64(28n), op.i64_shr_u, op.i64_xor],
  ...[...constant64(MIX_2), op.i64_mul, ...constant64(32n), op.i64_shr_u, op.i32_wrap_i64],
  op.end,
]

/** `nextInt(bound)`: locals are bound, bound - 1, the result and the bits without a sign. */
const NEXT_INT = [
  ...many([3, I32]),
  ...[op.call, 0, op.local_set, 2],
  ...[op.local_get, 0, ...constant32(1), op.i32_sub, op.local_set, 1],
  // A power of two takes the low bits.
  ...[op.local_get, 0, op.local_get, 1, op.i32_and, op.i32_eqz],
  ...[op.if, NOTHING, op.local_get, 2, op.local_get, 1, op.i32_and, op.return, op.end],
  ...[op.local_get, 2, ...constant32(1), op.i32_shr_u, op.local_set, 3],
  // Bits that would favour small numbers are thrown away, and others drawn.
  ...[op.loop, NOTHING],
  ...[op.local_get, 3, op.local_get, 0, op.i32_rem_u, op.local_set, 2],
  ...[
    op.local_get,
    3,
    op.local_get,
    1,
    op.i32_add,
    op.local_get,
    2,
    op.i32_sub,
    ...constant32(0),
    op.i32_lt_s,
  ],
  ...[op.if, NOTHING, op.call, 0, ...constant32(1), op.i32_shr_u, op.local_set, 3, op.br, 1, op.end],
  op.end,
  ...[op.local_get, 2, op.end],
]

const LETTERS = 26
const LETTER_A = 65

/**
 * Letters from one place to another: `nextInt(26)` for each, written out, so that the seed stays in a
 * register and the division by 26 becomes a multiplication. Parameters are the place and the end; locals
 * the seed, the mixed bits, these without a sign, and the letter.
 */
const FILL = [
  ...many([2, I64], [2, I32]),
  ...[op.global_get, 0, op.local_set, 2],
  ...[op.block, NOTHING, op.loop, NOTHING],
  ...[op.local_get, 0, op.local_get, 1, op.i32_ge_u, op.br_if, 1],
  ...[op.local_get, 2, ...constant64(GOLDEN_GAMMA), op.i64_add, op.local_tee, 2, op.local_set, 3],
  ...[op.local_get, 3, op.local_get, 3, ...constant64(33n), op.i64_shr_u, op.i64_xor],
  ...[...constant64(MIX_1), op.i64_mul, op.local_set, 3],
  ...[op.local_get, 3, op.local_get, 3, ...constant64(28n), op.i64_shr_u, op.i64_xor],
  ...[...constant64(MIX_2), op.i64_mul, ...constant64(33n), op.i64_shr_u, op.i32_wrap_i64, op.local_set, 4],
  ...[op.local_get, 4, ...constant32(LETTERS), op.i32_rem_u, op.local_set, 5],
  ...[op.local_get, 4, ...constant32(LETTERS - 1), op.i32_add, op.local_get, 5, op.i32_sub],
  ...[...constant32(0), op.i32_lt_s, op.br_if, 0],
  ...[op.local_get, 0, op.local_get, 5, ...constant32(LETTER_A), op.i32_add, op.i32_store8, 0, 0],
  ...[op.local_get, 0, ...constant32(1), op.i32_add, op.local_set, 0, op.br, 0],
  ...[op.end, op.end, op.local_get, 2, op.global_set, 0, op.end],
]

const MODULE = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, many([0x60, 0, 1, I32], [0x60, 1, I32, 1, I32], [0x60, 2, I32, I32, 0])),
  ...section(3, many([0], [1], [2])),
  ...section(5, many([0, 1])),
  ...section(6, many([I64, 1, ...constant64(0n), op.end])),
  ...section(7, many([...name('memory'), 2, 0], [...name('nextInt'), 0, 1], [...name('fill'), 0, 2])),
  ...section(10, many(sized(NEXT_BITS), sized(NEXT_INT), sized(FILL))),
])

interface Exports {
  memory: { buffer: ArrayBuffer; grow(pages: number): number }
  nextInt(bound: number): number
  fill(start: number, end: number): void
}

/** WebAssembly as far as it is needed: the types of some runtimes do not have it. */
interface Wasm {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object) => { exports: unknown }
}

const { Module, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly

/**
 * Java's `java.util.SplittableRandom` with seed 0, as kafka-producer-perf-test has it: the payloads are the
 * same, byte for byte. It needs 64-bit multiplication for each byte, for which JavaScript has only BigInt and
 * WebAssembly has an instruction.
 */
export class SplittableRandom {
  readonly #exports: Exports
  readonly #memory: Buffer

  /** `bytes` is the room for letters. */
  constructor(bytes: number) {
    this.#exports = new Instance(new Module(MODULE)).exports as Exports
    const { memory } = this.#exports
    const missing = Math.ceil(bytes / PAGE_BYTES) - 1
    if (missing > 0) memory.grow(missing)
    this.#memory = Buffer.from(memory.buffer)
  }

  /** A whole number from 0 to `bound` - 1. */
  nextInt(bound: number): number {
    return this.#exports.nextInt(bound)
  }

  /** Random letters A to Z in the room for letters; what was there is written over. */
  letters(start: number, length: number): Buffer {
    this.#exports.fill(start, start + length)
    return this.#memory.subarray(start, start + length)
  }
}
