import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppendStatus, Result } from '../../dist/native/addon.js'
import { loadAddon } from '../../dist/native/load.js'
import { HostileCalls } from './hostile-core.js'
import { detach } from './hostile-values.js'
import { hostileWorkers } from './hostile-workers.js'
import { TestCore } from './support.js'

const SEED = Number(process.env.HOSTILE_SEED ?? 20_261_121)
const addon = loadAddon()

interface Resizable extends ArrayBuffer {
  resize(bytes: number): void
}

function resizable(bytes: number): Resizable {
  const Constructor = ArrayBuffer as unknown as new (n: number, options: object) => Resizable
  return new Constructor(bytes, { maxByteLength: bytes * 2 })
}

function coreWithRecords(): TestCore {
  const core = new TestCore()
  core.native.setTopic(0, 1)
  for (let i = 0; i < 4; i++) core.append(0, `k${i}`, 'value')
  core.native.seal(0)
  return core
}

test('60,000 hostile calls return or throw coded errors, and no memory is missing after them', () => {
  const { calls, returned, refused } = new HostileCalls(SEED, addon).run(60_000)
  const failed = [...refused.values()].reduce((sum, count) => sum + count, 0)
  assert.equal(returned + failed, calls)
  assert.ok(calls >= 60_000)
  assert.ok(
    returned > calls / 5,
    `only ${returned} of ${calls} calls were sound: batches had no chance to be`,
  )
  for (const kind of ['TypeError', 'RangeError', 'ILLEGAL_STATE'])
    assert.ok((refused.get(kind) ?? 0) > 100, kind)
})

test('memory that was offered and not taken is not used later', () => {
  const value = Buffer.alloc(3000)
  for (const pass of [
    (core: TestCore) => core.native.drainStaged(0, 0, 0),
    (core: TestCore) => core.native.drainRun(0, 0, 0, 0),
    (core: TestCore) => core.append(-1, 'k'.repeat(2_000_000), 'v'),
  ]) {
    const core = new TestCore()
    core.native.setTopic(0, 1)
    core.native.provideLarge(new ArrayBuffer(5000))
    pass(core)
    assert.equal(core.append(0, null, value), AppendStatus.NEEDS_LARGE, 'it may have been collected by now')
  }
})

test('an option whose getter detaches another one is refused', () => {
  const right = new TestCore().options
  for (const name of ['arena', 'descriptors', 'places', 'touched', 'staging', 'result'] as const) {
    const options = { ...right, [name]: new ArrayBuffer(8192) }
    Object.defineProperty(options, 'result', {
      get: () => {
        detach(options[name === 'result' ? 'arena' : name])
        return right.result
      },
    })
    if (name === 'result') options.arena = new ArrayBuffer(8192)
    assert.throws(() => addon.createCore(options), {
      name: 'RangeError',
      message: /is too small or detached/,
    })
  }
})

test('memory that could be resized under the core is refused', () => {
  const right = new TestCore().options
  for (const name of ['arena', 'descriptors', 'places', 'touched', 'staging', 'result'] as const) {
    const options = { ...right, [name]: resizable(8192) }
    assert.throws(() => addon.createCore(options), { name: 'TypeError', message: /must be of fixed length/ })
  }
  const core = coreWithRecords()
  assert.throws(() => core.native.provideLarge(resizable(5000)), TypeError)
  core.native.measureChild(0, null, 0, 1000)
  const size = core.result[Result.SIZE] as number
  assert.throws(() => core.native.splitOff(0, null, 0, 4, resizable(size)), TypeError)
  assert.ok(core.native.splitOff(0, null, 0, 4, new ArrayBuffer(size)) >= 8)
})

test('a batch is not split into the memory of its own records', () => {
  const core = coreWithRecords()
  const end = core.native.measureChild(0, null, 0, 0)
  const size = core.result[Result.SIZE] as number
  const memory = new ArrayBuffer(size)
  const records = new Uint8Array(memory, 61)
  records.set(new Uint8Array(core.options.arena, 61, end))
  assert.throws(() => core.native.splitOff(0, records, 0, 1, memory), {
    name: 'RangeError',
    message: /must not be that of the records/,
  })
  assert.equal(core.native.availableBytes(), 7 * 1024)
})

test('a batch is not split by records that another thread could change', () => {
  const core = coreWithRecords()
  const shared = new Uint8Array(new SharedArrayBuffer(100))
  assert.throws(() => core.native.measureChild(0, shared, 0, 100), { name: 'TypeError', message: /shared/ })
})

test('memory whose getter settles the batch that is split is noticed', () => {
  const core = coreWithRecords()
  const end = core.native.measureChild(0, null, 0, 1000)
  assert.ok(end > 0)
  const memory = new ArrayBuffer(core.result[Result.SIZE] as number)
  Object.defineProperty(memory, 'resizable', { get: () => !core.native.settle(0) })
  assert.throws(() => core.native.splitOff(0, null, 0, 4, memory), { code: 'ILLEGAL_STATE' })
  assert.equal(core.native.availableBytes(), core.options.budgetBytes)
})

test('numbers beyond int32 are refused and not wrapped', () => {
  const core = coreWithRecords()
  for (const handle of [2 ** 32, -(2 ** 32), 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => core.native.pin(handle), {
      name: 'RangeError',
      message: /batch must be a 32-bit integer/,
    })
    assert.throws(() => core.native.finish(0, handle, 0, 0, 0, 0), RangeError)
    assert.throws(() => core.native.append(0, handle, 0, 'k', 'v', 0), RangeError)
  }
  core.native.settle(0)
  assert.equal(core.native.availableBytes(), core.options.budgetBytes)
})

test('tables of topics and partitions are bounded', () => {
  const { native } = new TestCore()
  assert.throws(() => native.setTopic(0, 2 ** 31 - 1), RangeError)
  assert.throws(() => native.setTopic(2 ** 24 - 1, 1), RangeError)
  native.setTopic(1000, 1_000_000)
})

test('worker threads load the addon twice, make hostile calls and end in every way with cores alive', async () => {
  assert.ok((await hostileWorkers(4, 4000, SEED)) >= 16_000)
})

test('every function of the addon is among what is called', () => {
  const called = new Set<string>()
  const all = new Set<string>()
  const watched = <T extends object>(functions: T): T =>
    Object.fromEntries(
      Object.entries(functions).map(([name, each]) => {
        if (typeof each !== 'function') return [name, each]
        all.add(name)
        return [
          name,
          (...args: unknown[]) => {
            called.add(name)
            const result: unknown = each(...args)
            return name === 'createCore' ? watched(result as object) : result
          },
        ]
      }),
    ) as T
  new HostileCalls(SEED, watched(addon)).run(3_000)
  assert.deepEqual([...called].sort(), [...all].sort())
  assert.ok(all.size > 15)
})

test('sizes beyond int32 are refused and not wrapped', () => {
  const core = coreWithRecords()
  // Pages nobody touches take no memory.
  const huge = new Uint8Array(2 ** 31 + 8)
  const before = core.native.availableBytes()
  assert.equal(core.append(0, huge, null), AppendStatus.TOO_LARGE)
  assert.equal(core.append(0, huge, huge), AppendStatus.TOO_LARGE)
  assert.equal(core.append(-1, 'k', huge), AppendStatus.TOO_LARGE)
  assert.throws(() => addon.lz4Block(huge, huge), RangeError)
  assert.throws(() => addon.snappyChunks(huge, huge), RangeError)
  assert.throws(() => core.native.provideLarge(huge.buffer), RangeError)
  assert.equal(core.native.availableBytes(), before)
})
