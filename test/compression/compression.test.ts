import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import * as zlib from 'node:zlib'
import {
  type Codec,
  codecById,
  compressionTypes,
  createCodec,
  defaultCompressionLevels,
} from '../../dist/compression/index.js'
import { xxhash32 } from '../../dist/compression/xxhash32.js'
import { createZstdCodec } from '../../dist/compression/zstd.js'
import { ProtocolError } from '../../dist/errors/index.js'

const require = createRequire(import.meta.url)
const MiB = 1024 * 1024
const sizes = [0, 1, 2, 100, 16 * 1024, 128 * 1024, MiB, 2 * MiB + 1]
const packedTypes = ['gzip', 'snappy', 'lz4', 'zstd'] as const

/** Text with the repetitions of JSON events, the same for the same size. */
function jsonBytes(size: number): Uint8Array {
  const lines: string[] = []
  for (let index = 0, length = 0; length < size; index++) {
    const id = createHash('sha1').update(`${index}`).digest('hex')
    const line = JSON.stringify({ id, sequence: index, kind: 'page_view', path: `/item/${index % 97}` })
    lines.push(line)
    length += line.length
  }
  return new TextEncoder().encode(lines.join('')).slice(0, size)
}

function codec(type: (typeof packedTypes)[number]): Codec {
  return createCodec(type, defaultCompressionLevels) as Codec
}

/** What a codec gives at once is valid until the next call only. */
function kept(output: Uint8Array | Promise<Uint8Array>): Uint8Array | Promise<Uint8Array> {
  return output instanceof Uint8Array ? new Uint8Array(output) : output
}

/** Batches with the same three records, written by Kafka 4.3.0's Java client with each codec. */
const goldenBatches = {
  none: '000000000000000000000058ffffffff022e087a100000000000020000018bcfe568000000018bcfe56805ffffffffffffffffffffffffffff0000000314000000046b310476310024000a02010a68656c6c6f0402680278026e0110001304046b330100',
  gzip: '00000000000000000000006cffffffff028db860830001000000020000018bcfe568000000018bcfe56805ffffffffffffffffffffffffffff000000031f8b08000000000000ff1361606060c936642933645061e06262e4ca48cdc9c96761ca60aa60ca631460106661c9366664000047de77cf27000000',
  snappy:
    '00000000000000000000006effffffff023f3f7c0e0002000000020000018bcfe568000000018bcfe56805ffffffffffffffffffffffffffff0000000382534e4150505900000000010000000100000029279814000000046b310476310024000a02010a68656c6c6f0402680278026e0110001304046b330100',
  lz4: '000000000000000000000067ffffffff02054afe330003000000020000018bcfe568000000018bcfe56805ffffffffffffffffffffffffffff0000000304224d186040822700008014000000046b310476310024000a02010a68656c6c6f0402680278026e0110001304046b33010000000000',
  zstd: '000000000000000000000064ffffffff02939025c90004000000020000018bcfe568000000018bcfe56805ffffffffffffffffffffffffffff0000000328b52ffd005838010014000000046b310476310024000a02010a68656c6c6f0402680278026e0110001304046b330100010000',
} as const
const recordsRegion = (hex: string) => Buffer.from(hex, 'hex').subarray(61)
const goldenRecords = recordsRegion(goldenBatches.none)

describe('every codec', () => {
  for (const type of packedTypes) {
    for (const size of sizes) {
      test(`${type} gives back ${size} bytes of JSON and of noise`, async () => {
        for (const input of [jsonBytes(size), new Uint8Array(randomBytes(size))]) {
          const copy = input.slice()
          const compressed = await codec(type).compress(input)
          const output = codec(type).decompress(compressed, size)
          assert.equal(Buffer.compare(output, copy), 0)
          assert.equal(Buffer.compare(input, copy), 0, 'the input is not written to')
        }
      })
    }

    test(`${type} takes a view into a larger buffer`, async () => {
      const arena = new Uint8Array(300_000).fill(7)
      arena.set(jsonBytes(200_000), 1_001)
      for (const size of [500, 200_000]) {
        const view = arena.subarray(1_001, 1_001 + size)
        const output = codec(type).decompress(await codec(type).compress(view), size)
        assert.equal(Buffer.compare(output, jsonBytes(200_000).subarray(0, size)), 0)
      }
    })

    test(`${type} answers at once for small inputs and with a promise for large ones`, async () => {
      assert.ok(codec(type).compress(jsonBytes(16 * 1024)) instanceof Uint8Array)
      const large = codec(type).compress(jsonBytes(2 * MiB))
      assert.ok(large instanceof Promise)
      await large
    })

    test(`${type} reads what the Java client wrote`, () => {
      const output = codec(type).decompress(recordsRegion(goldenBatches[type]), goldenRecords.length)
      assert.equal(Buffer.from(output).toString('hex'), goldenRecords.toString('hex'))
    })

    test(`${type} compresses several inputs at the same time without mixing them`, async () => {
      const inputs = Array.from({ length: 8 }, (_, index) => jsonBytes(100_000 + index).reverse())
      const shared = codec(type)
      const outputs = await Promise.all(inputs.map(input => kept(shared.compress(input))))
      for (const [index, output] of outputs.entries()) {
        const input = inputs[index] as Uint8Array
        assert.equal(Buffer.compare(shared.decompress(output, MiB), input), 0)
      }
    })

    test(`${type} refuses input cut at any byte, and stays usable`, async () => {
      const input = jsonBytes(300)
      const compressed = await codec(type).compress(input)
      const shared = codec(type)
      for (let length = 0; length < compressed.length; length++) {
        // A cut xerial stream is whole again when it ends between header and first chunk.
        if (type === 'snappy' && length === 16) continue
        assert.throws(
          () => shared.decompress(compressed.subarray(0, length), MiB),
          ProtocolError,
          `${length}`,
        )
      }
      assert.equal(Buffer.compare(shared.decompress(compressed, MiB), input), 0)
    })

    test(`${type} answers garbage with an error or with bytes, never with a crash`, async () => {
      const shared = codec(type)
      const whole = Buffer.from(await shared.compress(jsonBytes(2_000)))
      assert.throws(() => shared.decompress(Buffer.from('this is not compressed at all'), MiB), ProtocolError)
      for (let round = 0; round < 300; round++) {
        const garbage = Buffer.from(whole)
        for (let flips = 0; flips <= round % 5; flips++) {
          garbage[randomBytes(4).readUInt32LE() % garbage.length] = randomBytes(1)[0] as number
        }
        try {
          assert.ok(shared.decompress(garbage, MiB).byteLength <= MiB)
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error))
        }
      }
    })

    test(`${type} stops at the limit, so that a bomb costs no memory`, async () => {
      const bomb = await codec(type).compress(new Uint8Array(8 * MiB))
      const before = process.memoryUsage().rss
      assert.throws(() => codec(type).decompress(bomb, MiB), /more than 1048576 bytes/)
      assert.ok(process.memoryUsage().rss - before < 64 * MiB)
      assert.throws(() => codec(type).decompress(bomb, 8 * MiB - 1), ProtocolError)
      assert.throws(() => codec(type).decompress(bomb, 0), ProtocolError)
      assert.equal(codec(type).decompress(bomb, 8 * MiB).byteLength, 8 * MiB)
    })
  }

  test('the codec numbers are those of the batch attributes', () => {
    assert.deepEqual(compressionTypes, ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    for (const [id, type] of compressionTypes.entries()) {
      assert.equal(codecById(id).id, id)
      assert.equal(codecById(id).name, type)
      assert.equal(codecById(id), codecById(id), 'made once')
    }
    assert.equal(createCodec('none', defaultCompressionLevels), null)
    for (const id of [5, 7, -1, 1.5]) assert.throws(() => codecById(id), ProtocolError)
  })

  test('what a codec gives at once stands in the same memory every time', () => {
    const memory = (type: (typeof packedTypes)[number]) =>
      (codec(type).compress(jsonBytes(60_000)) as Uint8Array).buffer
    const first = memory('lz4')
    for (const type of [...packedTypes, 'lz4'] as const) assert.equal(memory(type), first)
  })

  test('number 0 gives back the bytes within the limit', () => {
    const bytes = jsonBytes(100)
    assert.equal(codecById(0).decompress(bytes, 100), bytes)
    assert.throws(() => codecById(0).decompress(bytes, 99), ProtocolError)
  })

  test('levels reach gzip and zstd', async () => {
    const input = jsonBytes(200_000)
    const size = async (type: 'gzip' | 'zstd', gzip: number, zstd: number) =>
      (await (createCodec(type, { gzip, lz4: 9, zstd }) as Codec).compress(input)).byteLength
    assert.ok((await size('gzip', 9, 3)) < (await size('gzip', 5, 3)))
    assert.notEqual(await size('gzip', 5, 3), await size('gzip', 4, 3))
    assert.ok((await size('zstd', -1, 19)) < (await size('zstd', -1, 1)))
    assert.ok((await size('zstd', -1, 1)) < (await size('zstd', -1, -100)))
  })

  test('every level of lz4 is read back, and the high ones write less; 9 is the fast one', async () => {
    const input = jsonBytes(200_000)
    const sizes = new Map<number, number>()
    for (let lz4 = 1; lz4 <= 17; lz4++) {
      const leveled = createCodec('lz4', { gzip: -1, lz4, zstd: 3 }) as Codec
      for (const part of [input, input.subarray(0, 5000), input.subarray(0, 10), input.subarray(0, 0)]) {
        const frame = Buffer.from(await leveled.compress(part))
        assert.equal(Buffer.compare(codecById(3).decompress(frame, MiB), part), 0, `level ${lz4}`)
        if (part === input) sizes.set(lz4, frame.length)
      }
    }
    const size = (level: number) => sizes.get(level) as number
    assert.equal(size(9), (await codec('lz4').compress(input)).byteLength)
    assert.ok(size(1) < size(9) && size(4) < size(1) && size(12) < size(8), [...sizes.values()].join(' '))
    assert.equal(size(17), size(12))
  })

  test('the lowest and the highest zstd levels work, small and large', async () => {
    for (const zstd of [-131072, 22]) {
      const extreme = createCodec('zstd', { gzip: -1, lz4: 9, zstd }) as Codec
      for (const input of [jsonBytes(1_000), jsonBytes(100_000)]) {
        assert.equal(Buffer.compare(extreme.decompress(await extreme.compress(input), MiB), input), 0)
      }
    }
  })
})

describe('gzip levels', () => {
  const leveled = (gzip: number) => createCodec('gzip', { gzip, lz4: 9, zstd: 3 }) as Codec

  test('every level is read by zlib, small and large, and has the header without a name', async () => {
    for (const level of [-1, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      for (const input of [new Uint8Array(0), jsonBytes(1_000), jsonBytes(200_000), randomBytes(200_000)]) {
        const member = Buffer.from(await leveled(level).compress(input))
        assert.equal(member.subarray(0, 4).toString('hex'), '1f8b0800', `level ${level}`)
        assert.equal(Buffer.compare(zlib.gunzipSync(member), input), 0, `level ${level}`)
      }
    }
  })

  test('the levels of the addon write fewer bytes than zlib at 3, the others the very bytes of zlib', async () => {
    for (const size of [16_384, 300_000]) {
      const input = jsonBytes(size)
      const own = Buffer.from(await leveled(-1).compress(input))
      assert.ok(own.length < zlib.gzipSync(input, { level: 3 }).length, `${own.length} bytes`)
      for (const level of [1, 2, 3, 4]) {
        assert.equal(own.compare(Buffer.from(await leveled(level).compress(input))), 0)
      }
      for (const level of [5, 6, 9]) {
        const member = Buffer.from(await leveled(level).compress(input))
        assert.equal(member.compare(zlib.gzipSync(input, { level })), 0)
      }
    }
  })

  test('noise grows by the bytes that store it', async () => {
    const noise = randomBytes(200_000)
    assert.equal((await leveled(-1).compress(noise)).length, noise.length + 18 + 4 * 5)
  })

  test('work on threads goes on side by side, and each gets its own member', async () => {
    const shared = leveled(-1)
    const parts = Array.from({ length: 12 }, (_, index) => jsonBytes(200_000 + 1_000 * index))
    const members = await Promise.all(parts.map(part => shared.compress(part)))
    for (const [index, member] of members.entries()) {
      assert.equal(Buffer.compare(zlib.gunzipSync(member), parts[index] as Uint8Array), 0)
    }
  })
})

describe('snappy framing', () => {
  const header = '82534e41505059000000000100000001'
  const bare = (input: Uint8Array): Buffer => require('snappy').compressSync(input)
  const unpacked = (block: Buffer): Buffer => require('snappy').uncompressSync(block)

  test('a stream is the header and raw blocks of 32 KiB each with its length', async () => {
    for (const size of [1, 32_767, 32_768, 32_769, 100_000, 2 * MiB + 1]) {
      for (const input of [jsonBytes(size), new Uint8Array(randomBytes(size))]) {
        const stream = Buffer.from(await codec('snappy').compress(input))
        assert.equal(stream.subarray(0, 16).toString('hex'), header)
        let position = 16
        for (let start = 0; start < input.length; start += 32_768) {
          const part = input.subarray(start, start + 32_768)
          const length = stream.readInt32BE(position)
          position += 4
          const block = stream.subarray(position, position + length)
          assert.equal(Buffer.compare(unpacked(block), part), 0)
          assert.ok(length <= bare(part).length * 1.03, `${length} bytes, the package ${bare(part).length}`)
          position += length
        }
        assert.equal(position, stream.length)
      }
    }
  })

  test('nothing compresses to a header', async () => {
    const stream = await codec('snappy').compress(new Uint8Array(0))
    assert.equal(Buffer.from(stream).toString('hex'), header)
  })

  test('the records of the golden batch compress to its very bytes', async () => {
    const stream = await codec('snappy').compress(goldenRecords)
    assert.equal(Buffer.from(stream).toString('hex'), recordsRegion(goldenBatches.snappy).toString('hex'))
  })

  test('a bare block of another client is read, and chunks of any size', () => {
    const input = jsonBytes(300_000)
    assert.equal(Buffer.compare(codec('snappy').decompress(bare(input), MiB), input), 0)
    for (const chunkBytes of [1, 1000, 65_536, 200_000]) {
      const parts: Uint8Array[] = [Buffer.from(header, 'hex')]
      for (let start = 0; start < 5000 * chunkBytes && start < input.length; start += chunkBytes) {
        const block = bare(input.subarray(start, start + chunkBytes))
        const length = Buffer.alloc(4)
        length.writeInt32BE(block.length)
        parts.push(length, block)
      }
      const content = codec('snappy').decompress(Buffer.concat(parts), MiB)
      assert.equal(Buffer.compare(content, input.subarray(0, 5000 * chunkBytes)), 0)
    }
  })

  test('a block that claims gigabytes is refused before anything is allocated', () => {
    const claim = Buffer.from('ffffffff0f00', 'hex')
    assert.throws(() => codec('snappy').decompress(claim, 2 ** 40), /claims 4294967295/)
    const endless = Buffer.from('ffffffffffff', 'hex')
    assert.throws(() => codec('snappy').decompress(endless, 2 ** 40), /more than five bytes/)
  })

  test('blocks that break the format are refused', () => {
    for (const block of ['0408616263', '020861626305', '050861626305000', '08086162630504', '0308616263ff']) {
      assert.throws(() => codec('snappy').decompress(Buffer.from(block, 'hex'), MiB), /breaks the format/)
    }
  })

  test('chunk lengths that are negative, zero or beyond the end are refused', () => {
    for (const length of ['ffffffff', '00000000', '00000005']) {
      const stream = Buffer.from(`${header}${length}00000000`, 'hex')
      assert.throws(() => codec('snappy').decompress(stream, MiB), /a chunk of/)
    }
  })
})

describe('lz4 framing', () => {
  const foreign = (input: Uint8Array, options: object): Buffer =>
    require('lz4-napi').compressFrameSync(Buffer.from(input), options)

  test('the header is the one the Java client writes, whatever the size', async () => {
    for (const size of sizes) {
      const frame = Buffer.from(await codec('lz4').compress(jsonBytes(size)))
      assert.equal(frame.subarray(0, 7).toString('hex'), '04224d18604082')
      assert.equal(frame.subarray(-4).toString('hex'), '00000000')
    }
  })

  test('nothing compresses to a header and an end mark', async () => {
    const frame = Buffer.from(await codec('lz4').compress(new Uint8Array(0)))
    assert.equal(frame.toString('hex'), '04224d1860408200000000')
  })

  test('blocks that do not shrink are stored, 64 KiB at a time', async () => {
    const noise = randomBytes(65_536 + 1_000)
    const frame = Buffer.from(await codec('lz4').compress(noise))
    assert.equal(frame.readUInt32LE(7), 0x80000000 + 65_536)
    assert.equal(frame.compare(noise, 0, 65_536, 11, 11 + 65_536), 0)
    assert.equal(frame.readUInt32LE(11 + 65_536), 0x80000000 + 1_000)
    assert.equal(frame.length, 7 + 4 + 65_536 + 4 + 1_000 + 4)
  })

  test('the records of the golden batch compress to its very bytes', async () => {
    const frame = await codec('lz4').compress(goldenRecords)
    assert.equal(Buffer.from(frame).toString('hex'), recordsRegion(goldenBatches.lz4).toString('hex'))
  })

  test('frames of other clients are read: larger blocks, checksums of blocks and content', () => {
    const input = Buffer.concat([jsonBytes(3 * MiB), randomBytes(3 * MiB)])
    for (const size of [0, 10, 70_000, 300_000, 2 * MiB, 6 * MiB]) {
      const part = input.subarray(input.length - size)
      for (const options of [
        {},
        { contentChecksum: true },
        { blockChecksums: true, contentChecksum: true },
      ]) {
        assert.equal(Buffer.compare(codec('lz4').decompress(foreign(part, options), 6 * MiB), part), 0)
      }
    }
  })

  test('a wrong checksum of a block or of the content is found', () => {
    const input = jsonBytes(5_000)
    const withContent = foreign(input, { contentChecksum: true })
    withContent.writeUInt8((withContent.at(-1) as number) ^ 1, withContent.length - 1)
    assert.throws(() => codec('lz4').decompress(withContent, MiB), /content checksum/)
    const withBlocks = foreign(input, { blockChecksums: true })
    withBlocks.writeUInt8((withBlocks.at(-5) as number) ^ 1, withBlocks.length - 5)
    assert.throws(() => codec('lz4').decompress(withBlocks, MiB), /block checksum/)
  })

  test('a content size in the header is read, checked and held against the limit', () => {
    const sized = (claimed: bigint): Buffer => {
      const descriptor = Buffer.alloc(10)
      descriptor.set([0x68, 0x40])
      descriptor.writeBigUInt64LE(claimed, 2)
      const check = (xxhash32(descriptor) >>> 8) & 0xff
      const body = Buffer.from('03000080616263' + '00000000', 'hex')
      return Buffer.concat([Buffer.from('04224d18', 'hex'), descriptor, Buffer.from([check]), body])
    }
    assert.equal(Buffer.from(codec('lz4').decompress(sized(3n), 3)).toString(), 'abc')
    assert.throws(() => codec('lz4').decompress(sized(4n), 10), /header says 4 bytes, the blocks hold 3/)
    assert.throws(() => codec('lz4').decompress(sized(2n ** 60n), MiB), /more than 1048576 bytes/)
  })

  test('what the format does not allow, or Kafka does not read, is refused by name', () => {
    const frame = (flags: number, descriptor: number, body: string): Buffer => {
      const fields = Buffer.from([flags, descriptor])
      const check = (xxhash32(fields) >>> 8) & 0xff
      return Buffer.concat([
        Buffer.from('04224d18', 'hex'),
        fields,
        Buffer.from([check]),
        Buffer.from(body, 'hex'),
      ])
    }
    const refused = (bytes: Buffer, why: RegExp) =>
      assert.throws(() => codec('lz4').decompress(bytes, MiB), why)
    assert.equal(codec('lz4').decompress(frame(0x60, 0x40, '00000000'), MiB).byteLength, 0)
    refused(frame(0x40, 0x40, '00000000'), /dependent blocks/)
    refused(frame(0x61, 0x40, '00000000'), /dictionaries/)
    refused(frame(0xa0, 0x40, '00000000'), /version/)
    refused(frame(0x62, 0x40, '00000000'), /version/)
    refused(frame(0x60, 0x30, '00000000'), /block size/)
    refused(frame(0x60, 0xc0, '00000000'), /block size/)
    refused(frame(0x60, 0x40, '01000100'), /a block of 65537 bytes/)
    refused(frame(0x60, 0x40, '0000000000'), /1 bytes after the frame/)
    refused(Buffer.from('04224d1860408300000000', 'hex'), /header checksum/)
    refused(Buffer.from('05224d1860408200000000', 'hex'), /frame magic/)
  })

  test('xxHash32 gives the published values', () => {
    const hash = (text: string) => xxhash32(Buffer.from(text))
    assert.equal(hash(''), 0x02cc5d05)
    assert.equal(hash('abc'), 0x32d153ff)
    assert.equal(hash('Nobody inspects the spammish repetition'), 0xe2293b2f)
  })
})

describe('zstd implementations', () => {
  interface Peer {
    name: string
    compress(input: Uint8Array): Uint8Array
    decompress(input: Uint8Array): Uint8Array
  }
  const peers: Peer[] = [
    { name: 'zstd-napi', ...require('zstd-napi') },
    ...('zstdCompressSync' in zlib
      ? [{ name: 'node:zlib', compress: zlib.zstdCompressSync, decompress: zlib.zstdDecompressSync }]
      : []),
  ]
  const inputs = [new Uint8Array(0), jsonBytes(1_000), jsonBytes(200_000), randomBytes(200_000)]

  for (const peer of peers) {
    test(`what ${peer.name} writes is read, and what it reads is written, at every kind of level`, async () => {
      for (const input of inputs) {
        assert.equal(Buffer.compare(codec('zstd').decompress(peer.compress(input), MiB), input), 0)
        for (const level of [-131_072, -5, 0, 1, 3, 7, 19, 22]) {
          const frame = await createZstdCodec(level).compress(input)
          assert.equal(Buffer.compare(peer.decompress(Buffer.from(frame)), input), 0, `level ${level}`)
        }
      }
    })
  }

  test('a level outside the range is refused', () => {
    for (const level of [23, -131_073, 1.5, Number.NaN]) {
      assert.throws(() => createZstdCodec(level), RangeError, String(level))
    }
  })

  test('work on threads goes on side by side, and each gets its own frame', async () => {
    const slow = createZstdCodec(9)
    const parts = Array.from({ length: 12 }, (_, index) => jsonBytes(100_000 + 1_000 * index))
    const frames = await Promise.all(parts.map(part => slow.compress(part)))
    for (const [index, frame] of frames.entries()) {
      assert.equal(Buffer.compare(slow.decompress(frame, MiB), parts[index] as Uint8Array), 0)
    }
  })

  test('frames after one another and skippable ones are read', async () => {
    const parts = [jsonBytes(500), jsonBytes(300_000)]
    const skippable = Buffer.from('502a4d1803000000616263', 'hex')
    const frames = [skippable, ...(await Promise.all(parts.map(part => kept(codec('zstd').compress(part)))))]
    assert.equal(
      Buffer.compare(codec('zstd').decompress(Buffer.concat(frames), MiB), Buffer.concat(parts)),
      0,
    )
  })
})

describe('what threads compress into', () => {
  for (const type of ['gzip', 'zstd'] as const) {
    test(`is used again once it is given back, and not before: ${type}`, async () => {
      const { compress, release, decompress } = codec(type)
      const input = jsonBytes(MiB)
      const [first, second] = await Promise.all([compress(input), compress(input)])
      assert.ok(first && second && release)
      assert.notEqual(first.buffer, second.buffer)
      release(first)
      const larger = await compress(jsonBytes(2 * MiB))
      assert.notEqual(larger.buffer, first.buffer, 'it has not enough room')
      release(larger)
      assert.equal((await compress(input)).buffer, larger.buffer)
      assert.deepEqual(Buffer.from(decompress(second, MiB)), Buffer.from(input))
    })
  }
})
