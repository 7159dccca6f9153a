import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { gunzipSync } from 'node:zlib'
import {
  AppendStatus,
  LZ4_MALFORMED,
  LZ4_TOO_LARGE,
  NO_BATCH,
  PARTITION_BY_KEY,
  PARTITION_STICKY,
  Result,
  Run,
  SNAPPY_MALFORMED,
  SNAPPY_TOO_LARGE,
  Staged,
  Touched,
} from '../../dist/native/addon.js'
import { addonPlaces, loadAddon } from '../../dist/native/load.js'
import { readRecords, type StagedInput, TestCore } from './support.js'

const collectGarbage = garbageCollector()
const addon = loadAddon()
const GOLDEN =
  '000000000000000000000058ffffffff022e087a100000000000020000018bcfe568000000018bcfe56805ffffffffffffffffffff' +
  'ffffffff0000000314000000046b310476310024000a02010a68656c6c6f0402680278026e0110001304046b330100'
const GOLDEN_TRANSACTIONAL =
  '000000000000000000000058ffffffff028f88e9dd0010000000020000018bcfe568000000018bcfe568050000000000000fa00007' +
  '0000002a0000000314000000046b310476310024000a02010a68656c6c6f0402680278026e0110001304046b330100'
const goldenHeaders = Buffer.from('0402680278026e01', 'hex')

function garbageCollector(): () => void {
  const { Bun } = globalThis as { Bun?: { gc(force: boolean): void } }
  if (Bun) return () => Bun.gc(true)
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc')
}

function goldenCore(): TestCore {
  const core = new TestCore()
  core.native.setTopic(0, 3)
  core.append(1, 'k1', Buffer.from('v1'), 1700000000000)
  core.append(1, null, 'hello', 1700000000005, goldenHeaders)
  core.append(1, Buffer.from('k3'), undefined, 1699999999990)
  return core
}

test('murmur2 equals Java for bytes and for the UTF-8 of strings', () => {
  assert.equal(addon.murmur2('foobar'), -790332482)
  assert.equal(addon.murmur2(Buffer.from('a-little-bit-long-string')), -985981536)
  assert.equal(addon.murmur2(''), 275646681)
  assert.equal(addon.murmur2(new Uint8Array(0)), 275646681)
  assert.equal(addon.murmur2('żółć 🎈'), addon.murmur2(Buffer.from('żółć 🎈')))
  assert.throws(() => addon.murmur2(1 as never), TypeError)
})

test('crc32c gives the check value and continues from a seed', () => {
  const bytes = randomBytes(50000)
  assert.equal(addon.crc32c(Buffer.from('123456789')), 0xe3069283)
  assert.equal(addon.crc32c(new Uint8Array(0)), 0)
  assert.equal(addon.crc32c(bytes.subarray(7777), addon.crc32c(bytes.subarray(0, 7777))), addon.crc32c(bytes))
  assert.match(addon.crc32cImplementation, /^(avx512|sse4\.2|armv8|table)$/)
  assert.throws(() => addon.crc32c(bytes, 'x' as never), TypeError)
})

test('freeBuffer detaches a buffer of its own, and wants one', () => {
  const buffer = new ArrayBuffer(1 << 20)
  const view = new Uint8Array(buffer)
  addon.freeBuffer(buffer)
  assert.equal(buffer.byteLength, 0)
  assert.equal(view.length, 0)
  addon.freeBuffer(buffer)
  for (const other of [new Uint8Array(8), new SharedArrayBuffer(8), null, 5, undefined])
    assert.throws(() => addon.freeBuffer(other as never), /buffer must be an ArrayBuffer/)
})

test('lz4Block writes one raw block, and wants views of lengths that it can do with', () => {
  const output = new Uint8Array(1000).fill(7)
  const bytes = addon.lz4Block(Buffer.alloc(100, 'a'), output)
  assert.equal(Buffer.from(output.subarray(0, bytes)).toString('hex'), '1f6101004b506161616161')
  assert.equal(output[999], 7)
  assert.equal(addon.lz4Block(new Uint8Array(0), output), 1)
  assert.throws(() => addon.lz4Block(new Uint8Array(1000), output), RangeError)
  assert.throws(() => addon.lz4Block(new Uint8Array(65_537), new Uint8Array(100_000)), RangeError)
  assert.throws(() => addon.lz4Block('aaa' as never, output), TypeError)
  assert.throws(() => addon.lz4Block(output, null as never), TypeError)
})

test('lz4Decode reads what lz4Block writes, and says what is wrong with anything else', () => {
  const input = Buffer.from('the quick brown fox, the quick red fox; '.repeat(50))
  const block = new Uint8Array(4000)
  const bytes = addon.lz4Block(input, block)
  const output = new Uint8Array(input.length)
  assert.equal(addon.lz4Decode(block.subarray(0, bytes), output), input.length)
  assert.deepEqual(Buffer.from(output), input)
  assert.equal(addon.lz4Decode(block.subarray(0, bytes), output.subarray(1)), LZ4_TOO_LARGE)
  for (let cut = 0; cut < bytes; cut++) {
    assert.equal(addon.lz4Decode(block.subarray(0, cut), output), LZ4_MALFORMED, `${cut}`)
  }
  // One literal, then a match that begins before the first byte.
  assert.equal(addon.lz4Decode(Buffer.from('1061020000', 'hex'), output), LZ4_MALFORMED)
  assert.throws(() => addon.lz4Decode('a' as never, output), TypeError)
  assert.throws(() => addon.lz4Decode(block, new Uint8Array(new SharedArrayBuffer(9))), TypeError)
})

test('snappyChunks writes chunks, and wants views of lengths that it can do with', () => {
  const output = new Uint8Array(1000).fill(7)
  const bytes = addon.snappyChunks(Buffer.alloc(100, 'a'), output)
  assert.equal(Buffer.from(output.subarray(0, bytes)).toString('hex'), '00000009640061fe01008a0100')
  assert.equal(output[999], 7)
  assert.equal(addon.snappyChunks(new Uint8Array(0), output), 0)
  assert.throws(() => addon.snappyChunks(new Uint8Array(1000), output), RangeError)
  assert.throws(() => addon.snappyChunks('aaa' as never, output), TypeError)
  assert.throws(() => addon.snappyChunks(output, null as never), TypeError)
})

test('snappyDecode reads what snappyChunks writes, and says what is wrong with anything else', () => {
  const input = Buffer.from('the quick brown fox, the quick red fox; '.repeat(50))
  const chunk = new Uint8Array(4000)
  const block = chunk.subarray(4, addon.snappyChunks(input, chunk))
  const output = new Uint8Array(input.length)
  assert.equal(addon.snappyDecode(block, output), input.length)
  assert.deepEqual(Buffer.from(output), input)
  assert.equal(addon.snappyDecode(block, output.subarray(1)), SNAPPY_TOO_LARGE)
  for (let cut = 0; cut < block.length; cut++) {
    assert.equal(addon.snappyDecode(block.subarray(0, cut), output), SNAPPY_MALFORMED, `${cut}`)
  }
  // Three literals, then a match that begins before the first byte.
  assert.equal(addon.snappyDecode(Buffer.from('08086162630504', 'hex'), output), SNAPPY_MALFORMED)
  assert.throws(() => addon.snappyDecode('a' as never, output), TypeError)
  assert.throws(() => addon.snappyDecode(block, new Uint8Array(new SharedArrayBuffer(9))), TypeError)
})

test('gzip wants views of its own, and an output that is large enough', async () => {
  const encoder = addon.createGzipEncoder()
  const input = Buffer.from('the quick brown fox, the quick red fox; '.repeat(5000))
  const output = new Uint8Array(input.length + 7 * 8 + 64)
  const bytes = encoder.encode(input, output)
  assert.deepEqual(gunzipSync(output.subarray(0, bytes)), input)
  output.fill(0)
  assert.equal(await encoder.encodeOnThread(input, output), bytes)
  assert.deepEqual(gunzipSync(output.subarray(0, bytes)), input)
  assert.throws(() => encoder.encode(input, output.subarray(1)), /output is too small/)
  await assert.rejects(encoder.encodeOnThread(input, output.subarray(1)), /output is too small/)
  assert.throws(() => encoder.encodeOnThread(input, 'x' as never), TypeError)
  assert.throws(() => encoder.encode(new Uint8Array(new SharedArrayBuffer(9)), output), TypeError)
})

test('zstd wants views of its own, and an output that is large enough', async () => {
  const encoder = addon.createZstdEncoder(3)
  const input = randomBytes(10_000)
  const output = new Uint8Array(addon.zstdBound(input.length))
  const bytes = encoder.encode(input, output)
  assert.equal(await encoder.encodeOnThread(input, output), bytes)
  const content = new Uint8Array(input.length)
  assert.equal(addon.zstdDecode(output.subarray(0, bytes), content), input.length)
  assert.deepEqual(Buffer.from(content), input)
  assert.throws(() => encoder.encode(input, output.subarray(0, 100)), /Destination buffer/)
  await assert.rejects(encoder.encodeOnThread(input, output.subarray(0, 100)), /Destination buffer/)
  assert.throws(() => encoder.encodeOnThread(input, 'x' as never), TypeError)
  assert.throws(() => encoder.encode(new Uint8Array(new SharedArrayBuffer(9)), output), TypeError)
  assert.throws(() => addon.zstdBound(-1), RangeError)
  assert.match(addon.zstdVersion, /^\d+\.\d+\.\d+$/)
})

test('a batch of strings, bytes, nulls and headers is byte-equal to Java', () => {
  const core = goldenCore()
  assert.deepEqual([...core.result.subarray(0, 5)], [0, 2, 1, 2, -1])
  assert.equal(core.finished(0).toString('hex'), GOLDEN)
})

test('finish may be repeated with another producer id, epoch and sequence', () => {
  const core = goldenCore()
  core.finished(0, [1, 2], 3, 4)
  assert.equal(core.finished(0, [0, 4000], 7, 42, 16).toString('hex'), GOLDEN_TRANSACTIONAL)
  const wide = core.finished(0, [0x12345678, -2])
  assert.equal(wide.readBigInt64BE(43), 0x12345678fffffffen)
})

test('staged and direct records give the same bytes', () => {
  const direct = new TestCore({
    arena: new ArrayBuffer(1 << 20),
    slabBytes: 4096,
    batchLimitBytes: 4096,
    budgetBytes: 1 << 20,
  })
  const staged = new TestCore({
    arena: new ArrayBuffer(1 << 20),
    slabBytes: 4096,
    batchLimitBytes: 4096,
    budgetBytes: 1 << 20,
  })
  direct.native.setTopic(0, 5)
  staged.native.setTopic(0, 5)
  const records = Array.from({ length: 256 }, (_, i): StagedInput => {
    const record: StagedInput = {
      partition: i % 4 === 0 ? i % 5 : PARTITION_BY_KEY,
      timestampMs: 1700000000000 + ((i * 7919) % 100),
      key: randomBytes(i % 17),
      value: i % 9 === 0 ? null : randomBytes(i),
    }
    return i % 5 === 0 ? { ...record, headers: goldenHeaders } : record
  })
  staged.stage(records)
  const stagedBatches: number[] = []
  const stagedPartitions: number[] = []
  for (const [first, count] of [
    [0, 100],
    [100, 156],
  ] as const) {
    assert.equal(staged.native.drainStaged(first, count, 0), count * 8 + AppendStatus.OK)
    for (let i = first; i < first + count; i++) {
      stagedBatches.push(staged.batchOf(i))
      stagedPartitions.push(staged.partitionOf(i))
    }
  }
  const batches = new Set<number>()
  for (const [i, record] of records.entries()) {
    const status = direct.append(
      record.partition,
      record.key,
      record.value,
      record.timestampMs,
      record.headers,
    )
    assert.equal(status, AppendStatus.OK)
    assert.equal(stagedBatches[i], direct.result[Result.BATCH])
    assert.equal(stagedPartitions[i], direct.result[Result.PARTITION])
    assert.equal(staged.indexOf(i), direct.result[Result.INDEX])
    batches.add(direct.batch)
  }
  assert.ok(batches.size > 5)
  for (const batch of batches) assert.deepEqual(staged.finished(batch), direct.finished(batch))
})

const strings = {
  'one byte a character': 'plain',
  'two bytes': 'żółć',
  'three bytes': '価格',
  'four bytes': '🎈🎈',
  'a lone high surrogate': 'a\ud83cb',
  'a lone low surrogate': '\udf88',
  'a surrogate at the end': 'end\ud800',
  'a zero character': 'a\0b',
  nothing: '',
  'Latin-1': 'é'.repeat(300),
  'just under the scratch memory': 'x'.repeat(8187),
  'at the scratch memory': 'x'.repeat(8188),
  'over the scratch memory': 'x'.repeat(8192),
  'multi-byte cut by the scratch memory': `${'x'.repeat(8189)}🎈${'y'.repeat(10)}`,
  'long and multi-byte': '価'.repeat(10000),
}

for (const [name, text] of Object.entries(strings)) {
  test(`a string of ${name} is encoded as TextEncoder does, as key and as value`, () => {
    const bytes = Buffer.from(new TextEncoder().encode(text))
    const slabBytes = 128 * 1024
    const core = new TestCore({
      arena: new ArrayBuffer(8 * slabBytes),
      slabBytes,
      batchLimitBytes: slabBytes,
      budgetBytes: 8 * slabBytes,
    })
    core.native.setTopic(0, 7)
    for (const partition of [PARTITION_BY_KEY, 6]) {
      assert.equal(core.append(partition, text, text), AppendStatus.OK)
      const { 0: batch, 2: placed, 3: keyBytes, 4: valueBytes } = core.result
      assert.equal(keyBytes, bytes.length)
      assert.equal(valueBytes, bytes.length)
      assert.equal(placed, partition === 6 ? 6 : (addon.murmur2(bytes) & 0x7fffffff) % 7)
      const record = readRecords(core.finished(batch as number)).at(-1)
      assert.deepEqual(record?.key, bytes)
      assert.deepEqual(record?.value, bytes)
    }
  })
}

test('views of any Uint8Array kind are taken, whatever their buffer and offset', () => {
  const bytes = Buffer.from('0123456789')
  const shared = new Uint8Array(new SharedArrayBuffer(20), 5, 10)
  shared.set(bytes)
  const views: Uint8Array[] = [bytes, new Uint8Array(bytes), shared, Buffer.from(bytes).subarray(0)]
  const resizableBuffer = new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(10, {
    maxByteLength: 20,
  })
  const tracking = new Uint8Array(resizableBuffer)
  tracking.set(bytes)
  views.push(tracking)
  const core = new TestCore()
  core.native.setTopic(0, 1)
  for (const view of views) assert.equal(core.append(0, view, view), AppendStatus.OK)
  for (const record of readRecords(core.finished(0))) {
    assert.deepEqual(record.key, bytes)
    assert.deepEqual(record.value, bytes)
  }
})

test('empty views are empty and not null', () => {
  const core = new TestCore()
  core.native.setTopic(0, 1)
  for (const empty of [new Uint8Array(0), Buffer.alloc(0), new Uint8Array(new SharedArrayBuffer(0)), '']) {
    assert.equal(core.append(0, empty, empty), AppendStatus.OK)
    assert.equal(core.result[Result.KEY_BYTES], 0)
    assert.equal(core.result[Result.VALUE_BYTES], 0)
  }
})

test('detached buffers are told from empty ones', () => {
  const core = new TestCore()
  core.native.setTopic(0, 1)
  const view = new Uint8Array(16)
  structuredClone(view.buffer, { transfer: [view.buffer] })
  assert.equal(core.append(0, view, 'v'), AppendStatus.DETACHED)
  assert.equal(core.append(0, 'k', view), AppendStatus.DETACHED)
  assert.equal(core.native.availableBytes(), core.options.budgetBytes)
})

test('other types are refused by a status', () => {
  const core = new TestCore()
  core.native.setTopic(0, 1)
  const wrong = [
    1,
    true,
    {},
    [],
    Symbol('s'),
    1n,
    () => 1,
    new ArrayBuffer(4),
    new DataView(new ArrayBuffer(4)),
    new Uint16Array(4),
    new Uint8ClampedArray(4),
    new Int8Array(4),
    new Date(),
    new Uint16Array(0),
  ]
  for (const value of wrong) {
    assert.equal(core.append(0, 'k', value as never), AppendStatus.BAD_TYPE)
    assert.equal(core.append(0, value as never, 'v'), AppendStatus.BAD_TYPE)
  }
  assert.equal(core.native.availableBytes(), core.options.budgetBytes)
})

test('kinds may change from record to record', () => {
  const core = new TestCore()
  core.native.setTopic(0, 1)
  const kinds = [Buffer.from('ab'), 'ab', null, undefined] as const
  const sequence = kinds.flatMap(a => kinds.flatMap(b => [a, b]))
  for (const kind of sequence) assert.equal(core.append(0, kind, kind), AppendStatus.OK)
  const expected = sequence.map(kind => (kind == null ? null : Buffer.from('ab')))
  assert.deepEqual(
    readRecords(core.finished(0)).map(record => record.value),
    expected,
  )
})

test('the sticky partition is asked for, used, and asked for again after its share', () => {
  const core = new TestCore()
  core.native.setTopic(0, 4)
  assert.equal(core.append(PARTITION_STICKY, null, 'v'), AppendStatus.CHOOSE_PARTITION)
  core.native.setSticky(0, 3)
  assert.equal(core.append(PARTITION_STICKY, null, Buffer.alloc(952)), AppendStatus.OK)
  assert.equal(core.result[Result.PARTITION], 3)
  core.stage([
    { partition: PARTITION_STICKY, key: null, value: Buffer.alloc(100) },
    { partition: PARTITION_STICKY, key: null, value: Buffer.alloc(900) },
  ])
  assert.equal(core.native.drainStaged(0, 2, 0), 1 * 8 + AppendStatus.CHOOSE_PARTITION)
  core.native.setSticky(0, 1)
  assert.equal(core.native.drainStaged(1, 1, 0), 1 * 8 + AppendStatus.OK)
  assert.equal(core.partitionOf(1), 1)
  const large = { key: null, value: Buffer.alloc(900) }
  core.stageRun([large, large], { keyedPartition: PARTITION_BY_KEY })
  assert.equal(core.native.drainRun(0, 2, 0, 0), 1 * 8 + AppendStatus.CHOOSE_PARTITION)
  assert.equal(core.partitionOf(0), 1)
  core.native.setSticky(0, 2)
  assert.equal(core.native.drainRun(1, 1, 0, core.result[Result.POSITION] as number), 1 * 8 + AppendStatus.OK)
  assert.equal(core.partitionOf(1), 2)
})

test('a record is written to the place promised for it, or the call is refused and writes nothing', () => {
  const core = new TestCore()
  core.native.setTopic(0, 4)
  assert.equal(core.append(2, null, 'first'), AppendStatus.OK)
  const record = { partition: 2, key: null, value: Buffer.from('v') }
  core.stage([{ ...record, promised: { batch: core.batch, index: 1 } }, record])
  assert.equal(core.native.drainStaged(0, 2, 0), 2 * 8 + AppendStatus.OK)
  assert.deepEqual([core.indexOf(0), core.indexOf(1)], [1, 2])
  const elsewhere: StagedInput[] = [
    { ...record, promised: { batch: core.batch, index: 2 } },
    { ...record, promised: { batch: core.batch + 1, index: 3 } },
    { ...record, partition: 1, promised: { batch: core.batch, index: 3 } },
    { ...record, partition: PARTITION_STICKY, promised: { batch: core.batch, index: 3 } },
    { ...record, value: Buffer.alloc(2000), promised: { batch: core.batch, index: 3 } },
  ]
  for (const promised of elsewhere) {
    core.stage([promised])
    assert.throws(() => core.native.drainStaged(0, 1, 0), /would not go to the place promised for it/)
  }
  core.stage([{ ...record, promised: { batch: core.batch, index: 3 } }])
  assert.equal(core.native.drainStaged(0, 1, 0), 1 * 8 + AppendStatus.OK)
})

test('a run tells whether its records follow one another', () => {
  const core = new TestCore()
  core.native.setTopic(0, 3)
  core.native.setSticky(0, 1)
  const isConsecutive = (keys: (string | null)[], values: string[]) => {
    const records = values.map((value, i) => {
      const key = keys[i] ?? null
      return { key: key === null ? null : Buffer.from(key), value: Buffer.from(value) }
    })
    core.stageRun(records, { keyedPartition: PARTITION_BY_KEY })
    assert.equal(core.native.drainRun(0, records.length, 0, 0), records.length * 8 + AppendStatus.OK)
    return core.result[Result.CONSECUTIVE]
  }
  assert.equal(isConsecutive([], ['a', 'b', 'c']), 1)
  assert.equal(isConsecutive([], ['a', 'bc']), 0)
  assert.equal(isConsecutive(['k', 'k'], ['a', 'b']), 0)
  assert.equal(isConsecutive([], ['d', 'e']), 1)
})

test('a run of records has the same bytes and places as records with descriptors of their own', () => {
  const options = { slabBytes: 4096, batchLimitBytes: 4096 }
  const [single, run] = [0, 1].map(() => {
    const core = new TestCore({ ...options, arena: new ArrayBuffer(1 << 20), budgetBytes: 1 << 20 })
    core.native.setTopic(0, 5)
    core.native.setSticky(0, 4)
    return core
  }) as [TestCore, TestCore]
  const timestampMs = 1700000000000
  const records = Array.from({ length: 250 }, (_, i): StagedInput => {
    const key = i % 50 === 0 ? null : randomBytes(i % 17)
    const value = i % 9 === 0 ? null : randomBytes(i)
    return { partition: key === null ? PARTITION_STICKY : PARTITION_BY_KEY, timestampMs, key, value }
  })
  single.stage(records)
  run.stageRun(records, { keyedPartition: PARTITION_BY_KEY, timestampMs })
  const batches = new Set<number>()
  let position = 0
  for (const [first, count] of [
    [0, 100],
    [100, 150],
  ] as const) {
    assert.equal(single.native.drainStaged(first, count, 7), count * 8 + AppendStatus.OK)
    assert.equal(run.native.drainRun(first, count, 7, position), count * 8 + AppendStatus.OK)
    position = run.result[Result.POSITION] as number
    assert.deepEqual(run.places, single.places)
    assert.deepEqual(run.touched, single.touched)
    const touched = run.result[Result.TOUCHED] as number
    for (let i = 0; i < touched; i++) batches.add(run.touched[i * Touched.WORDS + Touched.BATCH] as number)
  }
  assert.ok(batches.size > 5)
  for (const batch of batches) assert.deepEqual(run.finished(batch), single.finished(batch))
})

test('the margin in front of each slab is left alone', () => {
  const slabMarginBytes = 100
  const arena = new ArrayBuffer(8 * (slabMarginBytes + 1024) + 99)
  new Uint8Array(arena).fill(0xee)
  const plain = new TestCore()
  const margined = new TestCore({ arena, slabMarginBytes })
  for (const { native } of [plain, margined]) native.setTopic(0, 8)
  const value = randomBytes(900)
  for (let partition = 0; partition < 8; partition++) {
    for (const core of [plain, margined]) assert.equal(core.append(partition, 'key', value), AppendStatus.OK)
    const batch = margined.result[Result.BATCH] as number
    assert.equal(batch, plain.result[Result.BATCH])
    assert.deepEqual(margined.finished(batch), plain.finished(batch))
  }
  assert.equal(margined.append(0, 'key', value), AppendStatus.NO_MEMORY)
  // Freed memory is filled, and is used again.
  for (let batch = 0; batch < 8; batch++) margined.native.settle(batch)
  for (let batch = 0; batch < 8; batch++) {
    const margin = new Uint8Array(arena, margined.slabOffset(batch) - slabMarginBytes, slabMarginBytes)
    assert.ok(margin.every(byte => byte === 0xee))
  }
  assert.ok(new Uint8Array(arena, arena.byteLength - 99).every(byte => byte === 0xee))
})

test('without memory records wait until a batch is settled', () => {
  const core = new TestCore({ arena: new ArrayBuffer(2048), budgetBytes: 2048 })
  core.native.setTopic(0, 3)
  assert.equal(core.append(0, null, 'v'), AppendStatus.OK)
  assert.equal(core.append(1, null, 'v'), AppendStatus.OK)
  assert.equal(core.append(2, null, 'v'), AppendStatus.NO_MEMORY)
  assert.equal(core.native.availableBytes(), 0)
  assert.equal(core.native.settle(0), true)
  assert.equal(core.append(2, null, 'v'), AppendStatus.OK)
})

test('a record that fits no slab gets memory from JavaScript, kept until its batch is free', () => {
  const core = new TestCore()
  core.native.setTopic(0, 1)
  const value = randomBytes(3000)
  for (let round = 0; round < 3; round++) {
    assert.equal(core.append(0, 'k', value), AppendStatus.NEEDS_LARGE)
    const memory = new ArrayBuffer(core.result[Result.SIZE] as number)
    core.native.provideLarge(memory)
    assert.equal(core.append(0, 'k', value), AppendStatus.OK)
    assert.equal(core.batch, 8, 'the handle is used again')
    assert.equal(core.native.availableBytes(), core.options.budgetBytes - memory.byteLength)
    core.native.describe(8)
    assert.equal(core.result[Result.SIZE], memory.byteLength)
    assert.equal(core.native.finish(8, -1, -1, -1, -1, 0), memory.byteLength)
    assert.deepEqual(readRecords(Buffer.from(memory))[0]?.value, value)
    core.native.pin(8)
    assert.equal(core.native.settle(8), false)
    assert.equal(core.native.unpin(8), true)
    assert.equal(core.native.availableBytes(), core.options.budgetBytes)
  }
})

test('large memory that is not used is dropped', () => {
  const core = new TestCore()
  core.native.setTopic(0, 1)
  core.native.provideLarge(new ArrayBuffer(5000))
  core.native.provideLarge(new ArrayBuffer(5000))
  assert.equal(core.append(0, 'k', 'small'), AppendStatus.OK)
  assert.equal(core.append(0, 'k', Buffer.alloc(3000)), AppendStatus.NEEDS_LARGE)
  core.native.provideLarge(new ArrayBuffer(5000))
  assert.equal(core.append(0, 'k', 5 as never), AppendStatus.BAD_TYPE)
  core.stage([{ partition: 0, key: null, value: Buffer.alloc(3000) }])
  assert.equal(
    core.native.drainStaged(0, 1, 0),
    1 * 8 + AppendStatus.OK,
    'an append that was refused did not take it',
  )
  assert.throws(() => core.native.provideLarge(new Uint8Array(10) as never), TypeError)
  assert.throws(() => core.native.provideLarge(new ArrayBuffer(61)), RangeError)
})

test('a record over the limit is refused with its upper bound', () => {
  const core = new TestCore({ recordLimitBytes: 187 })
  core.native.setTopic(0, 1)
  assert.equal(core.append(0, 'kk', Buffer.alloc(100)), AppendStatus.TOO_LARGE)
  assert.equal(core.result[Result.SIZE], 188)
  assert.equal(core.append(PARTITION_BY_KEY, 'k'.repeat(100000), 'v'), AppendStatus.TOO_LARGE)
  assert.equal(core.append(0, 'k', 'v'.repeat(100000)), AppendStatus.TOO_LARGE)
})

test('memory goes back only when a batch is settled and nobody reads it, in either order', () => {
  const core = goldenCore()
  core.native.seal(0)
  core.native.pin(0)
  assert.equal(core.native.settle(0), false)
  assert.equal(core.native.availableBytes(), core.options.budgetBytes - 1024)
  assert.equal(core.native.unpin(0), true)
  assert.equal(core.native.availableBytes(), core.options.budgetBytes)
  core.append(0, 'k', 'v')
  core.native.seal(0)
  core.native.pin(0)
  assert.equal(core.native.unpin(0), false)
  assert.equal(core.native.settle(0), true)
})

test('freed memory is overwritten', {
  skip: process.env.MILLRACE_ADDON !== undefined && 'it is poisoned',
}, () => {
  const core = goldenCore()
  core.native.settle(0)
  const slab = new Uint8Array(core.options.arena, 0, 1024)
  for (let i = 0; i < 1024; i++) assert.equal(slab[i], 0xdd)
})

test('calls on a batch in the wrong phase throw and change nothing', () => {
  const { native } = goldenCore()
  const finish = (batch: number) => native.finish(batch, 0, 0, 0, 0, 0)
  const replace = (batch: number) => native.replaceRecords(batch, new Uint8Array(1))
  assert.throws(() => native.pin(0), /pin: batch 0 is open/)
  assert.throws(() => native.unpin(0), /unpin: batch 0 is open/)
  assert.throws(() => finish(0), /finish: batch 0 is open/)
  assert.throws(() => replace(0), /replaceRecords: batch 0 is open/)
  native.seal(0)
  native.seal(0)
  assert.throws(() => native.unpin(0), /batch 0 is not being read/)
  native.pin(0)
  assert.throws(() => finish(0), /batch 0 is being read/)
  assert.throws(() => replace(0), /batch 0 is being read/)
  native.settle(0)
  assert.throws(() => native.settle(0), /settle: batch 0 is settled/)
  assert.throws(() => native.pin(0), /pin: batch 0 is settled/)
  native.unpin(0)
  const calls = [native.seal, native.pin, native.unpin, native.settle, native.describe, finish, replace]
  for (const batch of [0, 7, 8, -1, 2 ** 31 - 1]) {
    for (const call of calls) assert.throws(() => call(batch), /free or does not exist/)
  }
})

test('compressed records replace the plain ones if they fit', () => {
  const core = goldenCore()
  core.native.seal(0)
  assert.equal(core.native.replaceRecords(0, Buffer.alloc(1024 - 61 + 1)), false)
  assert.equal(core.finished(0).toString('hex'), GOLDEN)
  assert.equal(core.native.replaceRecords(0, Buffer.from('squeezed')), true)
  core.native.describe(0)
  assert.equal(core.result[Result.SIZE], 61 + 8)
  const batch = core.finished(0, [-1, -1], -1, -1, 4)
  assert.equal(batch.subarray(61).toString(), 'squeezed')
  assert.equal(batch.readUInt32BE(17), addon.crc32c(batch.subarray(21)))
  assert.throws(() => core.native.replaceRecords(0, 'text' as never), TypeError)
})

test('describe gives record count, partition and size', () => {
  const core = goldenCore()
  core.native.describe(0)
  assert.equal(core.result[Result.INDEX], 3)
  assert.equal(core.result[Result.PARTITION], 1)
  assert.equal(core.result[Result.SIZE], 100)
})

test('arguments of wrong type or range throw and append nothing', () => {
  const { native, options, words } = new TestCore()
  native.setTopic(0, 2)
  assert.throws(() => native.setTopic(-1, 2), RangeError)
  assert.throws(() => native.setTopic(2 ** 30, 2), RangeError)
  assert.throws(() => native.setTopic(0, 0), RangeError)
  assert.throws(() => native.setSticky(0, 2), RangeError)
  assert.throws(() => native.setSticky(0, -1), RangeError)
  assert.throws(() => native.setSticky(9, 0), RangeError)
  assert.throws(() => native.setBatchLimit(9, 4096), RangeError)
  assert.throws(() => native.setBatchLimit(-1, 4096), RangeError)
  assert.throws(() => native.append(1, 0, 0, 'k', 'v', 0), /topic is not known/)
  assert.throws(() => native.append(0, 2, 0, 'k', 'v', 0), /partition does not exist/)
  assert.throws(() => native.append(0, -3, 0, 'k', 'v', 0), /partition does not exist/)
  assert.throws(() => native.append(0, PARTITION_BY_KEY, 0, null, 'v', 0), /needs a key/)
  assert.throws(() => native.append(0, 0, Number.NaN, 'k', 'v', 0), /timestamp/)
  assert.throws(() => native.append(0, 0, 2 ** 63, 'k', 'v', 0), /timestamp/)
  assert.throws(() => native.append(0, 0, 0, 'k', 'v', -1), /headers/)
  assert.throws(() => native.append(0, 0, 0, 'k', 'v', 65537), /headers/)
  // Deno's Node-API converts anything to a number.
  if (!process.versions.deno) {
    assert.throws(() => native.setTopic('0' as never, 2), TypeError)
    assert.throws(() => native.append(0, 0, '0' as never, 'k', 'v', 0), TypeError)
    assert.throws(() => (native.append as unknown as () => void)(), TypeError)
  }
  for (const [first, count] of [
    [-1, 1],
    [0, -1],
    [0, 257],
    [256, 1],
    [257, 0],
    [2147483647, 2147483647],
  ] as const) {
    assert.throws(() => native.drainStaged(first, count, 0), RangeError)
    assert.throws(() => native.drainRun(first, count, 0, 0), RangeError)
  }
  for (const base of [-1, 2147483647]) {
    assert.throws(() => native.drainStaged(0, 0, base), /touchBase/)
    assert.throws(() => native.drainRun(0, 0, base, 0), /touchBase/)
  }
  words.fill(0)
  words[Staged.BATCH] = NO_BATCH
  words[Staged.VALUE_BYTES] = 100000
  assert.throws(() => native.drainStaged(0, 1, 0), /staged record 0: its bytes are not in the staging area/)
  words[Staged.PARTITION] = PARTITION_BY_KEY
  words[Run.FIRST + Run.KEY_BYTES] = 100000
  for (const position of [-1, 0, 65537]) {
    assert.throws(
      () => native.drainRun(0, 1, 0, position),
      /staged record 0: its bytes are not in the staging area/,
    )
  }
  assert.throws(() => native.finish(0, 0, 0, 0, 0, 0), /free/)
  assert.equal(native.availableBytes(), options.budgetBytes)
})

test('createCore names the option that is wrong', () => {
  const wrong: [object, RegExp][] = [
    [{ slabBytes: 67 }, /slabBytes must be an integer of at least 68/],
    [{ slabBytes: 1.5 }, /slabBytes/],
    [{ slabBytes: '1024' }, /slabBytes/],
    [{ slabMarginBytes: -1 }, /slabMarginBytes must be an integer of at least 0/],
    [{ slabMarginBytes: 8 * 1024 }, /arena is too small/],
    [{ budgetBytes: 1023 }, /budgetBytes must be an integer of at least 1024/],
    [{ budgetBytes: Number.POSITIVE_INFINITY }, /budgetBytes/],
    [{ batchLimitBytes: 0 }, /batchLimitBytes/],
    [{ batchLimitBytes: 1025 }, /batchLimitBytes/],
    [{ batchSlabsMax: 0 }, /batchSlabsMax/],
    [{ batchSlabsMax: 33 }, /batchSlabsMax/],
    [{ recordLimitBytes: Number.NaN }, /recordLimitBytes/],
    [{ arena: new ArrayBuffer(1023) }, /arena is too small/],
    [{ arena: new Uint8Array(8192) }, /arena must be an ArrayBuffer/],
    [{ arena: undefined }, /arena must be an ArrayBuffer/],
    [{ descriptors: new ArrayBuffer(31) }, /descriptors is too small/],
    [{ places: new ArrayBuffer(4095) }, /places is too small/],
    [{ touched: new ArrayBuffer(4095) }, /touched is too small/],
    [{ staging: new ArrayBuffer(0) }, /staging is too small/],
    [{ result: new ArrayBuffer(63) }, /result is too small/],
    [{ fillFreed: 1 }, /fillFreed must be a boolean/],
  ]
  const right = new TestCore().options
  for (const [change, message] of wrong)
    assert.throws(() => addon.createCore({ ...right, ...change } as never), message)
  assert.throws(() => addon.createCore(null as never), TypeError)
  const thrower = {
    ...right,
    get arena(): never {
      throw new Error('from a getter')
    },
  }
  assert.throws(() => addon.createCore(thrower), /from a getter/)
})

test('after close appends are refused and batches stay until settled', () => {
  const core = goldenCore()
  core.stage([{ partition: 0, key: null, value: Buffer.from('v') }])
  core.native.close()
  core.native.close()
  assert.equal(core.append(0, 'k', 'v'), AppendStatus.CLOSED)
  assert.equal(core.native.drainStaged(0, 1, 0), AppendStatus.CLOSED)
  core.stageRun([{ key: null, value: Buffer.from('v') }], { keyedPartition: PARTITION_BY_KEY })
  assert.equal(core.native.drainRun(0, 1, 0, 0), AppendStatus.CLOSED)
  assert.equal(core.finished(0).toString('hex'), GOLDEN)
  assert.equal(core.native.settle(0), true)
})

test('two cores do not share anything', () => {
  const first = goldenCore()
  const second = new TestCore()
  second.native.setTopic(0, 1)
  second.append(0, 'other', 'core')
  first.native.close()
  assert.equal(second.append(0, 'other', 'core'), AppendStatus.OK)
  assert.equal(first.finished(0).toString('hex'), GOLDEN)
  assert.equal(readRecords(second.finished(0)).length, 2)
})

test('a function taken off its core keeps the core alive', async () => {
  const availableBytes = (() => new TestCore({ budgetBytes: 4096 }).native.availableBytes)()
  for (let i = 0; i < 5; i++) {
    collectGarbage()
    await new Promise(resolve => setImmediate(resolve))
  }
  assert.equal(availableBytes(), 4096)
})

test('a dropped core is collected with its memory', async () => {
  const arena = (() => new WeakRef(goldenCore().options.arena))()
  // deref() keeps its target until the turn ends, so that looking and collecting need turns of their own.
  let alive = true
  for (let i = 0; i < 50 && alive; i++) {
    await new Promise(resolve => setTimeout(resolve, 5))
    collectGarbage()
    await new Promise(resolve => setTimeout(resolve, 5))
    alive = arena.deref() !== undefined
  }
  assert.equal(alive, false)
})

test('worker threads load the addon side by side and end with cores alive', async () => {
  const path = addonPlaces(process.env.MILLRACE_ADDON)[0]?.path
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const addon = require(workerData)
    const core = addon.createCore({ arena: new ArrayBuffer(8192), slabBytes: 1024, slabMarginBytes: 0, batchLimitBytes: 1024, batchSlabsMax: 1,
      budgetBytes: 8192, recordLimitBytes: 1024, descriptors: new ArrayBuffer(8192), places: new ArrayBuffer(4096),
      touched: new ArrayBuffer(5120), staging: new ArrayBuffer(1024), result: new ArrayBuffer(64), fillFreed: true })
    core.setTopic(0, 1)
    for (let i = 0; i < 20; i++) core.append(0, 0, i, 'key', 'value', 0)
    core.provideLarge(new ArrayBuffer(100))
    parentPort.postMessage(core.availableBytes())`
  const outcomes = Array.from({ length: 4 }, async () => {
    const worker = new Worker(code, { eval: true, workerData: path })
    const message = await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    await worker.terminate()
    return message
  })
  assert.deepEqual(await Promise.all(outcomes), [7168, 7168, 7168, 7168])
  assert.equal(goldenCore().finished(0).toString('hex'), GOLDEN)
})

test('a batch is split into batches of memory of their own, and its charge goes over to them', () => {
  const core = new TestCore({ arena: new ArrayBuffer(1024), budgetBytes: 1024 })
  core.native.setTopic(0, 1)
  for (let i = 0; i < 6; i++) core.append(0, `k${i}`, `value ${i}`, 1000 - i)
  core.native.seal(0)
  const children: { handle: number; memory: ArrayBuffer; count: number }[] = []
  for (let position = 0, end = 0; ; position = end) {
    end = core.native.measureChild(0, null, position, 40)
    if (end < 0) break
    const count = core.result[Result.INDEX] as number
    const memory = new ArrayBuffer(core.result[Result.SIZE] as number)
    children.push({ handle: core.native.splitOff(0, null, position, count, memory), memory, count })
  }
  assert.deepEqual(
    children.map(({ count }) => count),
    [2, 2, 2],
  )
  assert.equal(core.native.availableBytes(), 0)
  assert.equal(core.native.settle(0), true)
  let record = 0
  for (const { handle, memory, count } of children) {
    assert.ok(handle >= 1)
    const bytes = core.native.finish(handle, 0, 7, 1, record, 0)
    assert.equal(bytes, memory.byteLength)
    const batch = Buffer.from(memory)
    assert.equal(batch.readUInt32BE(17), addon.crc32c(batch.subarray(21)))
    assert.equal(batch.readInt32BE(53), record)
    assert.equal(batch.readBigInt64BE(27), BigInt(1000 - record))
    assert.equal(batch.readBigInt64BE(35), BigInt(1000 - record))
    for (const { key, value } of readRecords(batch)) {
      assert.equal(String(key), `k${record}`)
      assert.equal(String(value), `value ${record++}`)
    }
    assert.equal(record % count, 0)
    core.native.pin(handle)
    assert.equal(core.native.settle(handle), false)
    assert.equal(core.native.unpin(handle), true)
  }
  assert.equal(core.native.availableBytes(), 1024)
})

test('a split refuses what was not measured, and batches that are not sealed', () => {
  const core = new TestCore()
  core.native.setTopic(0, 1)
  core.append(0, 'k', 'v')
  core.append(0, 'k', 'v')
  assert.throws(() => core.native.measureChild(0, null, 0, 100), /measureChild: batch 0 is open/)
  core.native.seal(0)
  const end = core.native.measureChild(0, null, 0, 0)
  const bytes = core.result[Result.SIZE] as number
  assert.ok(end > 0)
  assert.equal(core.native.measureChild(0, Buffer.from('nonsense'), 0, 100), -1)
  assert.equal(core.native.measureChild(0, null, 1000, 100), -1)
  assert.throws(() => core.native.measureChild(0, null, -1, 100), RangeError)
  assert.throws(() => core.native.measureChild(0, 'text' as never, 0, 100), TypeError)
  assert.throws(() => core.native.measureChild(7, null, 0, 100), /batch 7 is free/)
  assert.throws(() => core.native.splitOff(0, null, 0, 1, new ArrayBuffer(bytes + 1)), RangeError)
  assert.throws(() => core.native.splitOff(0, null, 0, 2, new ArrayBuffer(bytes)), RangeError)
  assert.throws(() => core.native.splitOff(0, null, 0, 3, new ArrayBuffer(bytes)), RangeError)
  assert.throws(() => core.native.splitOff(0, null, 0, 1, new Uint8Array(bytes) as never), TypeError)
  assert.throws(() => core.native.splitOff(0, Buffer.from('x'), 0, 1, new ArrayBuffer(bytes)), RangeError)
  assert.equal(core.native.splitOff(0, null, 0, 1, new ArrayBuffer(bytes)), 8)
})

test('describe tells what room an open batch has, and none once it is closed', () => {
  const core = new TestCore()
  core.native.setTopic(0, 2)
  core.native.append(0, 1, 0, null, Buffer.alloc(100), 0)
  core.native.describe(0)
  const room = core.options.batchLimitBytes - (core.result[Result.SIZE] as number)
  assert.equal(core.result[Result.ROOM], room)
  core.native.seal(0)
  core.native.describe(0)
  assert.equal(core.result[Result.ROOM], 0)
})
