import assert from 'node:assert/strict'
import type { NativeAddon, NativeCore } from '../../dist/native/addon.js'
import { Result, Run, Staged } from '../../dist/native/addon.js'
import { Random } from '../hostile/random.js'
import { detach, HostileValues } from './hostile-values.js'
import { TestCore } from './support.js'

const SLABS = 8
const SLAB_BYTES = 1024
/** A core that has had this many calls is checked and replaced. */
const CALLS_PER_CORE = 500

export interface HostileOutcome {
  /** Calls made, those from inside of others included. */
  calls: number
  returned: number
  /** By the error's code, or its class where that is a TypeError or RangeError. */
  refused: Map<string, number>
}

/**
 * Calls every function of the addon with values from {@link HostileValues}, mixed with sound ones, so that
 * batches exist in all phases. Every call must return or throw a TypeError, a RangeError or an error with a
 * code; when all batches are settled no memory may be missing.
 */
export class HostileCalls {
  readonly outcome: HostileOutcome = { calls: 0, returned: 0, refused: new Map() }
  private readonly random: Random
  private readonly addon: NativeAddon
  private readonly values: HostileValues
  private core: TestCore
  private depth = 0
  private highestHandle = SLABS

  constructor(seed: number, addon: NativeAddon) {
    this.random = new Random(seed)
    this.addon = addon
    this.values = new HostileValues(this.random, () => this.mischief())
    this.core = this.newCore()
  }

  run(calls: number): HostileOutcome {
    for (let until = CALLS_PER_CORE; this.outcome.calls < calls; until += CALLS_PER_CORE) {
      while (this.outcome.calls < until) this.callOnce()
      this.checkNothingMissing()
      this.core = this.newCore()
    }
    return this.outcome
  }

  private newCore(): TestCore {
    const core = new TestCore(
      { fillFreed: this.random.once(2), batchSlabsMax: this.random.pick([1, 4]) },
      this.addon,
    )
    core.native.setTopic(0, 4)
    core.native.setSticky(0, 1)
    this.highestHandle = SLABS
    return core
  }

  /** What getters and traps do: a call from inside of a call, or nothing. */
  private mischief(): void {
    if (this.depth < 3 && this.random.once(2)) this.callOnce()
  }

  private callOnce(): void {
    this.depth++
    const call = this.random.once(12) ? this.addonCall() : this.coreCall()
    this.outcome.calls++
    try {
      call()
      this.outcome.returned++
    } catch (error) {
      this.judge(error)
    } finally {
      this.depth--
    }
    this.highestHandle = Math.max(this.highestHandle, Math.min(this.core.batch, 1000))
  }

  /** What a hostile value has thrown itself comes back as it is. */
  private judge(error: unknown): void {
    if (!(error instanceof Error) || /^from a hostile/.test(error.message)) {
      this.count('thrown by the value')
      return
    }
    const { code } = error as Error & { code?: string }
    const known = error instanceof TypeError || error instanceof RangeError ? error.name : code
    assert.ok(known !== undefined && known !== 'INTERNAL', `an error without a code: ${error.stack}`)
    this.count(known)
  }

  private count(kind: string): void {
    this.outcome.refused.set(kind, (this.outcome.refused.get(kind) ?? 0) + 1)
  }

  /** Mostly a number that could be right. */
  private small(limit: number): never {
    const { random, values } = this
    if (random.once(10)) return values.number() as never
    if (random.once(20)) return values.nonsense() as never
    return random.below(limit) as never
  }

  private handle(): never {
    return this.small(this.highestHandle + 2)
  }

  private bytes(): never {
    if (!this.random.once(3)) return this.random.pick(['k', 'value', Buffer.alloc(40), null]) as never
    return this.values.bytes() as never
  }

  private coreCall(): () => unknown {
    const { random, values, core } = this
    const { native } = core
    const calls: (() => unknown)[] = [
      () => native.setTopic(random.once(3) ? this.small(3) : (0 as never), this.small(6)),
      () => native.setSticky(this.small(2), this.small(4)),
      () => native.setBatchLimit(this.small(2), this.small(6000)),
      () => this.stageAndDrain(native),
      () => this.stageAndDrainRun(native),
      () => native.append(this.small(1), this.partition(), this.timestamp(), this.bytes(), this.bytes(), 0),
      () => native.append(this.small(1), this.partition(), 0, this.bytes(), this.bytes(), this.small(80)),
      () => native.append(0, this.partition(), 0, 'key', Buffer.alloc(random.below(2200)), 0),
      () => this.appendLarge(native),
      () => native.provideLarge(values.memory() as never),
      () => native.seal(this.handle()),
      () => native.seal(this.handle()),
      () => native.finish(this.handle(), this.small(9), this.small(9), this.small(9), this.small(9), 0),
      () => native.finish(this.handle(), 0, 0, 0, 0, this.small(9)),
      () => native.replaceRecords(this.handle(), this.bytes()),
      () => this.measureAndSplit(native),
      () => native.describe(this.handle()),
      () => native.pin(this.handle()),
      () => native.unpin(this.handle()),
      () => native.settle(this.handle()),
      () => native.settle(this.handle()),
      () => native.availableBytes(),
    ]
    if (random.once(400)) return () => native.close()
    return random.pick(calls)
  }

  private partition(): never {
    return this.random.once(3) ? (this.random.pick([-1, -2]) as never) : this.small(4)
  }

  private timestamp(): never {
    return this.random.once(4) ? (this.values.number() as never) : (1_700_000_000_000 as never)
  }

  /** Descriptors filled by JavaScript, some of them with anything. */
  private stageAndDrain(native: NativeCore): number {
    const { random, core, values } = this
    const records = Array.from({ length: random.below(8) }, () => ({
      partition: random.pick([-2, -1, 0, 1, 2, 3]),
      key: Buffer.alloc(random.below(20)),
      value: random.once(6) ? null : Buffer.alloc(random.below(200)),
      headers: random.once(5) ? Buffer.from('0402680278026e01', 'hex') : Buffer.alloc(0),
      ...(random.once(8) && { promised: { batch: random.below(SLABS), index: random.below(4) } }),
    }))
    core.stage(records)
    const wild = random.once(4) ? 1 + random.below(3) : 0
    for (let i = 0; i < wild; i++) {
      core.words[random.below((records.length + 1) * Staged.WORDS)] = values.number()
    }
    const count = random.once(8) ? this.small(300) : (records.length as never)
    const touchBase = random.once(8) ? this.small(300) : (0 as never)
    return native.drainStaged(random.once(8) ? this.small(300) : (0 as never), count, touchBase)
  }

  /** As above, for a run. */
  private stageAndDrainRun(native: NativeCore): number {
    const { random, core, values } = this
    const records = Array.from({ length: random.below(8) }, () => ({
      key: random.once(3) ? null : Buffer.alloc(random.below(20)),
      value: random.once(6) ? null : Buffer.alloc(random.below(200)),
      headers: random.once(3) ? Buffer.alloc(random.below(40)) : null,
    }))
    core.stageRun(records, { keyedPartition: random.pick([-2, -1]), timestampMs: this.timestamp() })
    const words = Run.FIRST + (records.length + 1) * Run.WORDS
    const wild = random.once(4) ? 1 + random.below(3) : 0
    for (let i = 0; i < wild; i++) core.words[random.below(words)] = values.number()
    const count = random.once(8) ? this.small(300) : (records.length as never)
    const touchBase = random.once(8) ? this.small(300) : (0 as never)
    const position = random.once(8) ? this.small(300) : (0 as never)
    return native.drainRun(random.once(8) ? this.small(300) : (0 as never), count, touchBase, position)
  }

  private appendLarge(native: NativeCore): number {
    const { random } = this
    const value = Buffer.alloc(SLAB_BYTES + random.below(2000))
    if (native.append(0, 0, 0, null, value, 0) !== 3) return 0
    const size = this.core.result[Result.SIZE] as number
    native.provideLarge(new ArrayBuffer(size))
    if (random.once(4)) this.mischief()
    return native.append(0, 0, 0, null, value, 0)
  }

  private measureAndSplit(native: NativeCore): number {
    const { random, values } = this
    const handle = this.handle()
    const records = random.once(2) ? null : (values.bytes() as never)
    const position = random.once(2) ? (0 as never) : this.small(200)
    const end = native.measureChild(handle, records, position, this.small(600))
    if (end < 0) return end
    const { [Result.INDEX]: count, [Result.SIZE]: size } = this.core.result
    const memory = random.once(3) ? values.memory() : new ArrayBuffer(size as number)
    const wanted = random.once(5) ? this.small(9) : (count as never)
    const part = native.splitOff(handle, records, position, wanted, memory as never)
    this.highestHandle = Math.max(this.highestHandle, part)
    return part
  }

  private addonCall(): () => unknown {
    const { random, values, addon } = this
    return random.pick([
      () => addon.murmur2(values.bytes() as never),
      () => addon.crc32c(values.bytes() as never, this.small(9)),
      () => addon.lz4Block(this.bytes(), random.once(2) ? new Uint8Array(9000) : (values.bytes() as never)),
      () => addon.lz4Block(values.bytes() as never, values.bytes() as never),
      () => addon.lz4Block(values.bytes() as never, new Uint8Array(this.small(600) as never)),
      () => addon.lz4Decode(values.bytes() as never, new Uint8Array(this.small(600) as never)),
      () => addon.snappyChunks(values.bytes() as never, new Uint8Array(this.small(600) as never)),
      () => addon.snappyChunks(values.bytes() as never, random.once(2) ? new Uint8Array(9000) : this.bytes()),
      () => addon.snappyDecode(values.bytes() as never, new Uint8Array(this.small(600) as never)),
      () => addon.zstdBound(this.small(600) as never),
      () => addon.zstdDecode(values.bytes() as never, new Uint8Array(this.small(600) as never)),
      () => {
        const encoder = addon.createZstdEncoder(random.once(3) ? this.small(30) : (1 as never))
        const output = random.once(2) ? new Uint8Array(20_000) : (values.bytes() as never)
        return encoder.encode(values.bytes() as never, output)
      },
      () => {
        const output = random.once(2) ? new Uint8Array(20_000) : (values.bytes() as never)
        return addon.createGzipEncoder().encode(values.bytes() as never, output)
      },
      () => {
        const encode = addon.createLz4HcEncoder()
        const output = random.once(2) ? new Uint8Array(9000) : (values.bytes() as never)
        return encode(values.bytes() as never, output, random.once(2) ? this.small(30) : (9 as never))
      },
      () => addon.freeBuffer(random.once(2) ? new ArrayBuffer(9) : (this.small(9) as never)),
      () => this.createCore(),
    ])
  }

  /** Options with a value or a getter that is hostile; where a core results, it has to work. */
  private createCore(): void {
    const { random, values } = this
    const options: Record<string, unknown> = { ...new TestCore({}, this.addon).options }
    const names = Object.keys(options)
    for (let changes = 1 + random.below(2); changes > 0; changes--) {
      const name = random.pick(names)
      const original = options[name]
      const other = options[random.pick(['arena', 'descriptors', 'places', 'touched', 'staging', 'result'])]
      const value = random.pick([values.number(), values.memory(), values.nonsense(), original])
      const get = () => {
        if (random.once(2) && other instanceof ArrayBuffer) detach(other)
        this.mischief()
        return value
      }
      Object.defineProperty(options, name, random.once(2) ? { get, enumerable: true } : { value })
    }
    const made = this.addon.createCore(options as never)
    made.setTopic(0, 1)
    made.append(0, 0, 0, 'key', 'value', 0)
  }

  private checkNothingMissing(): void {
    const { native, options } = this.core
    for (let handle = 0; handle <= this.highestHandle + 50; handle++) {
      for (const call of [native.settle, native.unpin]) {
        try {
          // As often as it is pinned.
          while (!call(handle));
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'ILLEGAL_STATE')
        }
      }
    }
    assert.equal(native.availableBytes(), options.budgetBytes)
  }
}
