import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Outcomes } from '../client/outcomes.js'
import { FrameKind, FrameReader, FrameWriter, ReadFlag } from '../frames.js'
import { placeName, placeOf } from '../place.js'
import { FREE_PARTITION, parseRecord, RECORD_HEADER_BYTES, RecordFactory, textOf } from '../record.js'
import { Checker, CLASS_NAMES, type Classes } from './checker.js'
import { RunEncoder } from './run-encoder.js'
import { SettlementLog } from './settlement-log.js'

type Outcome = [kind: FrameKind, sequence: number, count: number, place: number]
type Reading = [sequence: number, count: number, place: number, flags?: number]

const { ACKED, REFUSED, AMBIGUOUS } = FrameKind

function check(
  sent: number,
  outcomes: readonly Outcome[],
  readings: readonly Reading[],
  floors?: readonly number[],
) {
  const log = new SettlementLog(1)
  const frame = { flags: 0, slot: 0, count: 0, sequence: 0, place: 0, atMs: 0 }
  log.take({ ...frame, kind: FrameKind.SENT, sequence: sent })
  for (const [kind, sequence, count, place] of outcomes) log.take({ ...frame, kind, sequence, count, place })
  const checker = new Checker(log, undefined, floors)
  for (const [sequence, count, place, flags = 0] of readings) {
    checker.take({ ...frame, kind: FrameKind.READ, sequence, count, place, flags })
  }
  checker.take({ ...frame, kind: FrameKind.END })
  return checker.verdict()
}

function assertClasses(actual: Classes, expected: Partial<Classes>): void {
  const zeros = Object.fromEntries(CLASS_NAMES.map(name => [name, 0]))
  assert.deepEqual(actual, { ...zeros, ...expected })
}

describe('the checker', () => {
  test('finds nothing wrong where every record stands where it was acknowledged', () => {
    const { classes, acked, read } = check(10, [[ACKED, 0, 10, 100]], [[0, 10, 100]])
    assertClasses(classes, {})
    assert.deepEqual([acked, read], [10, 10])
  })

  test('takes settlements in any order and pieces, and offsets with gaps', () => {
    const outcomes: Outcome[] = [
      [ACKED, 6, 4, 57],
      [ACKED, 0, 3, 50],
      [ACKED, 3, 3, 53],
    ]
    assertClasses(
      check(10, outcomes, [
        [0, 6, 50],
        [6, 4, 57],
      ]).classes,
      {},
    )
  })

  test('an acknowledged record that is not there is lost', () => {
    assertClasses(
      check(
        10,
        [[ACKED, 0, 10, 0]],
        [
          [0, 4, 0],
          [7, 3, 7],
        ],
      ).classes,
      { lost: 3 },
    )
  })

  test('what was acknowledged before a topic was deleted is gone, but for what must be in the new one', () => {
    const outcomes: Outcome[] = [
      [ACKED, 0, 4, 0],
      [ACKED, 4, 6, 0],
    ]
    const verdictWith = (readings: readonly Reading[], floor: number) => {
      const { classes, deleted } = check(10, outcomes, readings, [floor])
      return { lost: classes.lost, deleted }
    }
    assert.deepEqual(verdictWith([[4, 6, 0]], 6), { lost: 0, deleted: 4 })
    // Sent before the new topic was there, but after the first record that it has.
    const hole: Reading[] = [
      [4, 1, 0],
      [6, 4, 2],
    ]
    assert.deepEqual(verdictWith(hole, 6), { lost: 1, deleted: 4 })
    // Sent when the new topic was there, and not in it.
    assert.deepEqual(verdictWith([[7, 3, 3]], 6), { lost: 1, deleted: 6 })
    assert.deepEqual(verdictWith([], 6), { lost: 4, deleted: 6 })
  })

  test('a record that is there again is duplicated, not reordered', () => {
    assertClasses(
      check(
        4,
        [[ACKED, 0, 4, 0]],
        [
          [0, 4, 0],
          [1, 2, 4],
        ],
      ).classes,
      { duplicated: 2 },
    )
  })

  test('a record after a later one is reordered', () => {
    const outcomes: Outcome[] = [
      [ACKED, 2, 2, 0],
      [ACKED, 0, 2, 2],
    ]
    assertClasses(
      check(4, outcomes, [
        [2, 2, 0],
        [0, 2, 2],
      ]).classes,
      { reordered: 2 },
    )
  })

  test('flags of the reader are counted, and do not fill the place of a record', () => {
    const readings: Reading[] = [
      [0, 1, 0],
      [7, 1, 1, ReadFlag.FOREIGN],
      [0, 1, 2, ReadFlag.TORN],
      [0, 1, 3, ReadFlag.STRANGER],
    ]
    const { classes } = check(2, [[ACKED, 0, 2, 0]], readings)
    assertClasses(classes, { foreign: 1, torn: 1, phantom: 1, lost: 1 })
  })

  test('a refused record that is there is a phantom, and so is one that was never sent', () => {
    assertClasses(
      check(
        3,
        [
          [ACKED, 0, 2, 0],
          [REFUSED, 2, 1, -1],
        ],
        [[0, 3, 0]],
      ).classes,
      { phantom: 1 },
    )
    assertClasses(check(2, [[ACKED, 0, 2, 0]], [[0, 5, 0]]).classes, { phantom: 3 })
  })

  test('an ambiguous record may be there or not, but once at most', () => {
    const verdict = check(4, [[AMBIGUOUS, 0, 4, -1]], [[0, 2, 0]])
    assertClasses(verdict.classes, {})
    assert.deepEqual([verdict.ambiguous, verdict.ambiguousRead], [4, 2])
    assertClasses(
      check(
        2,
        [[AMBIGUOUS, 0, 2, -1]],
        [
          [0, 2, 0],
          [0, 2, 2],
        ],
      ).classes,
      { duplicated: 2 },
    )
  })

  test('an offset that holds something else is a lie, one that is not told is none', () => {
    assertClasses(check(4, [[ACKED, 0, 4, 1]], [[0, 4, 0]]).classes, { offsetLie: 4 })
    const verdict = check(4, [[ACKED, 0, 4, -1]], [[0, 4, 0]])
    assertClasses(verdict.classes, {})
    assert.equal(verdict.offsetUnknown, 4)
  })

  test('either place of a duplicated record makes its offset true', () => {
    const { classes } = check(
      2,
      [[ACKED, 0, 2, 2]],
      [
        [0, 2, 0],
        [0, 2, 2],
      ],
    )
    assertClasses(classes, { duplicated: 2 })
  })

  test('the same offset of another partition is a lie', () => {
    const { classes, examples } = check(2, [[ACKED, 0, 2, placeOf(3, 7)]], [[0, 2, placeOf(2, 7)]])
    assertClasses(classes, { offsetLie: 2 })
    assert.equal(examples[0], 'slot 0: record 0 was acknowledged at 3@7, where it is not')
  })

  test('records of a free lane are in order where those of each partition are', () => {
    const outcomes: Outcome[] = [
      [ACKED, 0, 1, placeOf(1, 50)],
      [ACKED, 1, 2, placeOf(0, 9)],
      [ACKED, 3, 1, placeOf(1, 51)],
    ]
    const [first, middle, last] = [
      [0, 1, placeOf(1, 50)],
      [1, 2, placeOf(0, 9)],
      [3, 1, placeOf(1, 51)],
    ] as [Reading, Reading, Reading]
    assertClasses(check(4, outcomes, [first, last, middle]).classes, {})
    assertClasses(check(4, outcomes, [middle, last, first]).classes, { reordered: 1 })
  })

  test('a record of a free lane that two partitions hold is duplicated', () => {
    const place = placeOf(1, 50)
    const { classes } = check(
      1,
      [[ACKED, 0, 1, place]],
      [
        [0, 1, placeOf(0, 50)],
        [0, 1, place],
      ],
    )
    assertClasses(classes, { duplicated: 1 })
  })

  test('takes the end of a lane that the client does not have', () => {
    const checker = new Checker(new SettlementLog(1))
    const end = { kind: FrameKind.END, flags: 0, count: 0, sequence: 0, place: 0, atMs: 0 }
    checker.take({ ...end, slot: 1 })
    assert.throws(() => checker.verdict(), /did not reach the end of slot 0/)
    checker.take({ ...end, slot: 0 })
    assertClasses(checker.verdict().classes, {})
    assert.throws(() => checker.take({ ...end, kind: FrameKind.READ, slot: 1, count: 1 }), /slot 1/)
  })

  test('what is not settled, or settled twice, is counted', () => {
    assertClasses(check(5, [[ACKED, 0, 3, 0]], [[0, 5, 0]]).classes, { unsettled: 2 })
    assertClasses(
      check(
        2,
        [
          [ACKED, 0, 2, 0],
          [ACKED, 1, 1, 1],
        ],
        [[0, 2, 0]],
      ).classes,
      { unsettled: 1 },
    )
  })

  test('a reader that stops early is no verdict', () => {
    assert.throws(() => new Checker(new SettlementLog(1)).verdict(), /did not reach the end/)
  })

  test('agrees with a naive judge over random histories', () => {
    let state = 1
    const random = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return (state >>> 8) % below
    }
    for (let round = 0; round < 300; round++) {
      const stored = Array.from({ length: 30 }, (_, i) => (random(8) === 0 ? random(30) : i)).filter(
        () => random(10) > 0,
      )
      const outcomes = Array.from({ length: 30 }, (_, sequence): Outcome => {
        const at = stored.indexOf(sequence)
        return random(9) === 0
          ? [AMBIGUOUS, sequence, 1, -1]
          : [ACKED, sequence, 1, at + random(6) * (at % 7 === 0 ? 1 : 0)]
      })
      const expected = { lost: 0, duplicated: 0, reordered: 0, offsetLie: 0 }
      let highest = -1
      stored.forEach((sequence, at) => {
        if (stored.indexOf(sequence) < at) expected.duplicated++
        else if (sequence < highest) expected.reordered++
        highest = Math.max(highest, sequence)
      })
      for (const [kind, sequence, , offset] of outcomes) {
        if (kind !== ACKED) continue
        if (!stored.includes(sequence)) expected.lost++
        else if (offset >= 0 && stored[offset] !== sequence) expected.offsetLie++
      }
      const readings = stored.map((sequence, at): Reading => [sequence, 1, at])
      assertClasses(check(30, outcomes, readings).classes, expected)
    }
  })
})

describe('self-describing records', () => {
  const factory = new RecordFactory(7, { min: 32, max: 64 })
  const record = (sequence: number, topicId = 1, partition = 2) => {
    const bytes = Buffer.alloc(factory.sizeOf(partition, sequence))
    assert.equal(factory.write(bytes, 0, topicId, partition, sequence), bytes.length)
    return bytes
  }

  test('are read back with their sequence, also beyond 2³²', () => {
    for (const sequence of [0, 1, 12345, 2 ** 32 + 5, 2 ** 40]) {
      assert.deepEqual(parseRecord(record(sequence), 7, 1, 2), { flags: 0, sequence, isFree: false })
      const text = Buffer.from(textOf(record(sequence)))
      assert.deepEqual(parseRecord(text, 7, 1, 2), { flags: 0, sequence, isFree: false })
    }
  })

  test('have payloads of every size of the range', () => {
    const sizes = new Set(Array.from({ length: 33 }, (_, i) => record(i).length - RECORD_HEADER_BYTES))
    assert.deepEqual([Math.min(...sizes), Math.max(...sizes), sizes.size], [32, 64, 33])
  })

  test('of a free lane are large now and then, where that is wanted', () => {
    const wanting = new RecordFactory(7, { min: 32, max: 64, large: 5000 })
    const sizes = (from: RecordFactory, partition: number) =>
      Array.from({ length: 256 }, (_, i) => from.sizeOf(partition, i)).filter(size => size > 1000)
    const large = RECORD_HEADER_BYTES + 5000
    assert.deepEqual(sizes(wanting, FREE_PARTITION), [large, large])
    assert.deepEqual(sizes(wanting, 2), [])
    assert.deepEqual(sizes(factory, FREE_PARTITION), [])
  })

  test('are torn by any changed bit, a missing byte, or their absence', () => {
    const bytes = record(9)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      assert.equal(parseRecord(changed, 7, 1, 2).flags, ReadFlag.TORN, `bit ${bit}`)
    }
    assert.equal(parseRecord(bytes.subarray(1), 7, 1, 2).flags, ReadFlag.TORN)
    assert.equal(parseRecord(bytes.subarray(0, 40), 7, 1, 2).flags, ReadFlag.TORN)
    assert.equal(parseRecord(null, 7, 1, 2).flags, ReadFlag.TORN)
  })

  test('say when they are read in another place or run', () => {
    assert.equal(parseRecord(record(9, 0, 2), 7, 1, 2).flags, ReadFlag.FOREIGN)
    assert.equal(parseRecord(record(9, 1, 3), 7, 1, 2).flags, ReadFlag.FOREIGN)
    assert.equal(parseRecord(record(9), 8, 1, 2).flags, ReadFlag.STRANGER)
  })

  test('of a free lane are at home in every partition of their topic, and of no other', () => {
    const free = record(9, 1, FREE_PARTITION)
    for (const partition of [0, 2]) {
      assert.deepEqual(parseRecord(free, 7, 1, partition), { flags: 0, sequence: 9, isFree: true })
    }
    assert.equal(parseRecord(free, 7, 0, 2).flags, ReadFlag.FOREIGN)
    assert.equal(parseRecord(free, 8, 1, 2).flags, ReadFlag.STRANGER)
  })

  /** What an encoder tells of two topics with three partitions each. */
  function encoded(feed: (encoder: RunEncoder) => void): string[] {
    const runs: string[] = []
    const layout = { topics: ['a', 'b'], partitions: 3 }
    const encoder = new RunEncoder(7, layout, ({ kind, slot, sequence, count, place, flags }) => {
      if (kind === FrameKind.END) runs.push(`end ${slot}`)
      else runs.push(`${slot} ${sequence}+${count} at ${placeName(place)} flags ${flags}`)
    })
    feed(encoder)
    return runs
  }

  test('are joined to runs only while sequence and offset go on', () => {
    const runs = encoded(encoder => {
      const sequences = [0, 1, 2, 4, 5, 5]
      for (const [at, sequence] of sequences.entries()) encoder.add(1, 2, at, record(sequence))
      encoder.add(1, 2, 8, record(6))
      encoder.add(1, 2, 9, record(7, 0, 0))
      encoder.endPartition(1, 2)
    })
    assert.deepEqual(runs, [
      '5 0+3 at 2@0 flags 0',
      '5 4+2 at 2@3 flags 0',
      '5 5+1 at 2@5 flags 0',
      '5 6+1 at 2@8 flags 0',
      '5 7+1 at 2@9 flags 2',
      'end 5',
    ])
  })

  test('of a free lane count for a slot of their own, in the partition where they stand', () => {
    const runs = encoded(encoder => {
      const free = (sequence: number) => record(sequence, 1, FREE_PARTITION)
      encoder.add(1, 1, 0, free(0))
      encoder.add(1, 1, 1, free(1))
      encoder.add(1, 1, 2, record(0, 1, 1))
      encoder.add(1, 1, 3, free(4))
      encoder.endPartition(1, 1)
      encoder.add(1, 2, 4, free(5))
      encoder.endPartition(1, 2)
      encoder.endTopic(1)
    })
    assert.deepEqual(runs, [
      '7 0+2 at 1@0 flags 0',
      '4 0+1 at 1@2 flags 0',
      'end 4',
      '7 4+1 at 1@3 flags 0',
      'end 5',
      '7 5+1 at 2@4 flags 0',
      'end 7',
    ])
  })
})

describe('outcomes', () => {
  type Settled = [sequence: number, kind: FrameKind, place: number]

  /** The frames for records that are settled in this order; null stands for a call of `tell`. */
  function framesFor(settled: readonly (Settled | null)[]): Outcome[] {
    const frames: Outcome[] = []
    const reader = new FrameReader(
      ({ kind, sequence, count, place }) => frames.push([kind, sequence, count, place]),
      () => {},
    )
    const writer = new FrameWriter(bytes => reader.push(bytes))
    const outcomes = new Outcomes(0, writer)
    for (const each of settled) {
      if (each === null) outcomes.tell()
      else outcomes.add(...each)
    }
    writer.flush()
    return frames
  }

  test('make long frames, in whatever order records were settled', () => {
    const evenThenOdd = [0, 2, 4, 1, 3].map((sequence): Settled => [sequence, ACKED, 10 + sequence])
    assert.deepEqual(framesFor([...evenThenOdd, null, null]), [[ACKED, 0, 5, 10]])
  })

  test('make frames of their own where kinds differ or places do not go on', () => {
    const settled: Settled[] = [
      [0, ACKED, 5],
      [1, ACKED, 7],
      [2, ACKED, -1],
      [3, ACKED, -1],
      [4, AMBIGUOUS, -1],
      [6, AMBIGUOUS, -1],
    ]
    assert.deepEqual(framesFor([...settled, null]), [
      [ACKED, 0, 1, 5],
      [ACKED, 1, 1, 7],
      [ACKED, 2, 2, -1],
      [AMBIGUOUS, 4, 1, -1],
      [AMBIGUOUS, 6, 1, -1],
    ])
  })

  test('make one frame, and a second one only where a record is settled again', () => {
    const again: Settled = [1, ACKED, 1]
    const settled = [[1, ACKED, 1], null, again, null, [0, ACKED, 0], null, again, null] as const
    assert.deepEqual(framesFor(settled as readonly (Settled | null)[]), [
      [ACKED, 1, 1, 1],
      [ACKED, 1, 1, 1],
      [ACKED, 0, 1, 0],
      [ACKED, 1, 1, 1],
    ])
  })

  test('of thousands of records behind an unsettled one are kept apart', () => {
    const settled = Array.from({ length: 5000 }, (_, i): Settled => [i + 1, ACKED, i + 1])
    const half = 2500
    const expected = [
      [ACKED, 1, half, 1],
      [ACKED, 0, 1, 0],
      [ACKED, half + 1, half, half + 1],
    ]
    const order = [
      ...settled.slice(0, half),
      null,
      [0, ACKED, 0] as Settled,
      null,
      ...settled.slice(half),
      null,
    ]
    assert.deepEqual(framesFor(order), expected)
  })
})

test('frames and notes survive a pipe that cuts them anywhere', () => {
  const bytes: Buffer[] = []
  const writer = new FrameWriter(chunk => bytes.push(Buffer.from(chunk)))
  writer.frame(FrameKind.ACKED, 3, 70_000, 2 ** 40, 2 ** 41, 1, 5.5)
  writer.note({ text: 'é' })
  writer.frame(FrameKind.SENT, 65535, 0, 12, 0)
  writer.flush()
  const stream = Buffer.concat(bytes)
  for (let size = 1; size <= stream.length; size++) {
    const seen: unknown[] = []
    const reader = new FrameReader(
      frame => seen.push({ ...frame }),
      note => seen.push(note),
    )
    for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size))
    assert.deepEqual(seen, [
      { kind: 1, flags: 1, slot: 3, count: 70_000, sequence: 2 ** 40, place: 2 ** 41, atMs: 5.5 },
      { text: 'é' },
      { kind: 4, flags: 0, slot: 65535, count: 0, sequence: 12, place: 0, atMs: 0 },
    ])
  }
})
