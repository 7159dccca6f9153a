// Batches that a broker is asked to take and that no producer of good manners writes: what the in-process broker
// does with each, test/kafka/leniency.test.ts has a real Kafka do, too.
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import { crc32c } from '../../dist/testing/crc32c.js'
import { assembleBatch, BASE_TIMESTAMP, encodeBatch, numbered } from './support.js'

const { CORRUPT_MESSAGE, INVALID_RECORD } = ErrorCodes
const one = numbered(1)
const idempotent = { producerId: 5n, producerEpoch: 0, baseSequence: 0 }

function patched(change: (batch: Buffer) => void, fixCrc = true): Buffer {
  const batch = encodeBatch(numbered(2))
  change(batch)
  if (fixCrc) batch.writeUInt32BE(crc32c(batch, 21), 17)
  return batch
}

const region = (...bytes: number[]) => assembleBatch(Uint8Array.from(bytes), one, {})

/** Batches that a broker refuses: name, bytes, error. */
export const refused: readonly [name: string, batch: Uint8Array, error: number][] = [
  ['no bytes at all', new Uint8Array(0), INVALID_RECORD],
  ['60 bytes', encodeBatch(one).subarray(0, 60), INVALID_RECORD],
  ['a last byte missing', encodeBatch(one).subarray(0, -1), INVALID_RECORD],
  ['two batches', Buffer.concat([encodeBatch(one), encodeBatch(one)]), INVALID_RECORD],
  ['a negative batch length', patched(b => b.writeInt32BE(-1, 8)), CORRUPT_MESSAGE],
  ['a batch length below the header', patched(b => b.writeInt32BE(48, 8)), CORRUPT_MESSAGE],
  ['magic 1', encodeBatch(one, { magic: 1 }), INVALID_RECORD],
  [
    'a flipped bit in the records',
    patched(b => b.writeUInt8(b.readUInt8(70) ^ 1, 70), false),
    CORRUPT_MESSAGE,
  ],
  [
    'a flipped bit in the header',
    patched(b => b.writeUInt8(b.readUInt8(30) ^ 1, 30), false),
    CORRUPT_MESSAGE,
  ],
  ['a flipped bit in the CRC', patched(b => b.writeUInt8(b.readUInt8(18) ^ 1, 18), false), CORRUPT_MESSAGE],
  ['codec 5', encodeBatch(one, { attributes: 5 }), INVALID_RECORD],
  ['a control batch', encodeBatch(one, { ...idempotent, attributes: 0x30 }), INVALID_RECORD],
  [
    'no records',
    assembleBatch(new Uint8Array(0), one, { recordCount: 0, lastOffsetDelta: -1 }),
    INVALID_RECORD,
  ],
  [
    'a record count above the records',
    encodeBatch(one, { recordCount: 2, lastOffsetDelta: 1 }),
    INVALID_RECORD,
  ],
  [
    'a record count below the records',
    encodeBatch(numbered(2), { recordCount: 1, lastOffsetDelta: 0 }),
    INVALID_RECORD,
  ],
  ['a last offset delta off by one', encodeBatch(one, { lastOffsetDelta: 1 }), INVALID_RECORD],
  ['a producer id without sequence', encodeBatch(one, { ...idempotent, baseSequence: -1 }), INVALID_RECORD],
  ['a transaction without producer id', encodeBatch(one, { attributes: 0x10 }), INVALID_RECORD],
  ['a record that is longer than the batch', region(0x7e, 0, 0, 0, 1, 1, 0), INVALID_RECORD],
  ['a record of negative length', region(1, 0, 0, 0, 1, 1, 0), INVALID_RECORD],
  ['a record whose fields end early', region(0x0e, 0, 0, 0, 1, 1, 0, 0), INVALID_RECORD],
  ['a record whose fields run over its length', region(0x0a, 0, 0, 0, 1, 1, 0), INVALID_RECORD],
  ['a key beyond the end', region(0x0c, 0, 0, 0, 0x7e, 1, 0), INVALID_RECORD],
  ['a negative header count', region(0x0c, 0, 0, 0, 1, 1, 1), INVALID_RECORD],
  ['a huge header count', region(0x14, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f), INVALID_RECORD],
  ['a header without name', region(0x10, 0, 0, 0, 1, 1, 2, 1, 1), INVALID_RECORD],
  ['a varint of six bytes', region(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0), INVALID_RECORD],
  [
    'a varlong of eleven bytes',
    region(0x28, 0, ...new Array(10).fill(0x80), 0, 0, 0, 1, 1, 0, 0, 0, 0, 0),
    INVALID_RECORD,
  ],
  ['a gzip stream that is none', encodeBatch(one, { attributes: 1 }), CORRUPT_MESSAGE],
  ['a snappy stream that is none', encodeBatch(one, { attributes: 2 }), CORRUPT_MESSAGE],
  ['an lz4 frame that is none', encodeBatch(one, { attributes: 3 }), CORRUPT_MESSAGE],
  ['a zstd frame that is none', encodeBatch(one, { attributes: 4 }), CORRUPT_MESSAGE],
]

/** Batches that Kafka takes, and the in-process broker with it: name, bytes. */
export const taken: readonly [name: string, batch: Uint8Array][] = [
  ['epoch 0 without producer id', encodeBatch(one, { producerEpoch: 0 })],
  ['sequence 0 without producer id', encodeBatch(one, { baseSequence: 0 })],
  ['epoch 0 and sequence 0 without producer id', encodeBatch(one, { producerEpoch: 0, baseSequence: 0 })],
  ['producer id -2', encodeBatch(one, { producerId: -2n })],
  ['a producer id without epoch', encodeBatch(one, { ...idempotent, producerEpoch: -1 })],
  ['a byte after it', Buffer.concat([encodeBatch(one), Buffer.alloc(1)])],
  ['the begin of another after it', Buffer.concat([encodeBatch(one), encodeBatch(one).subarray(0, -1)])],
  ['unused attribute bits', encodeBatch(one, { attributes: 0x80 })],
  ['a delete horizon', encodeBatch(one, { attributes: 0x40 })],
  ['LogAppendTime', encodeBatch(one, { attributes: 8 })],
  ['a max timestamp too low', encodeBatch(one, { maxTimestamp: BASE_TIMESTAMP - 1n })],
  ['a max timestamp too high', encodeBatch(one, { maxTimestamp: BASE_TIMESTAMP + 1n })],
  ['record attributes', region(0x0c, 1, 0, 0, 1, 1, 0)],
  ['a key of length -2', region(0x0c, 0, 0, 0, 3, 1, 0)],
  ['a value of length -2', region(0x0c, 0, 0, 0, 1, 3, 0)],
  ['a header value of length -2', region(0x12, 0, 0, 0, 1, 1, 2, 2, 0x61, 3)],
]

/** Those that Kafka takes and the in-process broker does not, and why. */
export const refusedHereOnly: readonly [name: string, batch: Uint8Array, reason: string][] = [
  [
    'offset deltas with a gap',
    encodeBatch([{}, { offsetDelta: 2 }]),
    'two records would have one offset: the last of it and the first of the next batch',
  ],
]
