import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventText, generateEvents } from '../../dist/cli/generate.js'
import type { RecordArray } from '../../dist/cli/records.js'
import { type StoredRecord, Verification } from '../../dist/cli/verify.js'

const headers = [['h', Buffer.from('1')]] as const
const PARTITIONS = 3
const EVENTS = 60

/** A faithful log of generated events: what the verification of the untouched copy has to accept. */
function scenario(count = EVENTS): { verification: Verification; stored: StoredRecord[] } {
  const verification = new Verification(headers, count)
  const ends = new Array<number>(PARTITIONS).fill(0)
  const stored: StoredRecord[] = []
  let next = 0
  for (const array of generateEvents({ topic: 't' }, count, 7)) {
    const places = array.records.map(({ key, value }) => {
      const partition = next++ % PARTITIONS
      const offset = BigInt(ends[partition] as number)
      ends[partition] = Number(offset) + 1
      stored.push({ partition, offset, key: key as Uint8Array, value: value as Uint8Array, headers })
      return { partition, offset }
    })
    verification.delivered(array, { at: index => places[index] }, new Map())
  }
  stored.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset))
  return { verification, stored }
}

async function problemsAfter(
  change: (stored: StoredRecord[]) => void,
  failed = 0,
): Promise<readonly string[]> {
  const { verification, stored } = scenario()
  change(stored)
  await verification.read(stored)
  return verification.problems(failed)
}

const renumber = (stored: StoredRecord[]) => {
  const ends = new Map<number, bigint>()
  for (const [index, record] of stored.entries()) {
    const offset = ends.get(record.partition) ?? 0n
    stored[index] = { ...record, offset }
    ends.set(record.partition, offset + 1n)
  }
}

describe('verification', () => {
  test('accepts what was stored as it was sent', async () => {
    const { verification, stored } = scenario()
    await verification.read(stored)
    assert.deepEqual(verification.problems(0), [])
    assert.match(
      verification.result(),
      /60 records read back from 3 partitions: count, order and content match/,
    )
  })

  test('accepts nothing of nothing', async () => {
    const verification = new Verification([], null)
    await verification.read([])
    assert.deepEqual(verification.problems(0), [])
  })

  test('finds a lost record', async () => {
    const problems = await problemsAfter(stored => {
      stored.splice(5, 1)
      renumber(stored)
    })
    assert.match(problems.join('\n'), /19 records are stored, 20 were acknowledged/)
    assert.match(problems.join('\n'), /1 events are missing/)
  })

  test('finds that all of a partition is gone', async () => {
    const problems = await problemsAfter(stored => {
      stored.splice(0, 20)
    })
    assert.match(problems.join('\n'), /partition 0: 0 records are stored, 20 were acknowledged/)
  })

  test('finds a record that is stored twice', async () => {
    const problems = await problemsAfter(stored => {
      stored.splice(5, 0, stored[4] as StoredRecord)
      renumber(stored)
    })
    assert.match(problems.join('\n'), /event 12 is stored twice/)
    assert.match(problems.join('\n'), /21 records are stored, 20 were acknowledged/)
  })

  test('finds two neighbours that changed places', async () => {
    const problems = await problemsAfter(stored => {
      ;[stored[3], stored[4]] = [stored[4] as StoredRecord, stored[3] as StoredRecord]
      renumber(stored)
    })
    assert.match(problems.join('\n'), /event 9 is stored after 12/)
    assert.match(problems.join('\n'), /partition 0: order or content differs/)
  })

  test('finds a record in another partition', async () => {
    const problems = await problemsAfter(stored => {
      stored[0] = { ...(stored[0] as StoredRecord), partition: 2 }
      renumber(stored)
    })
    assert.match(problems.join('\n'), /partition 0: 19 records are stored, 20 were acknowledged/)
    assert.match(problems.join('\n'), /partition 2: 21 records are stored, 20 were acknowledged/)
  })

  for (const field of ['key', 'value', 'headers'] as const) {
    test(`finds a changed byte in ${field}`, async () => {
      const problems = await problemsAfter(stored => {
        const record = stored[30] as StoredRecord
        const changed = (bytes: Uint8Array | null) => {
          const copy = Buffer.from(bytes as Uint8Array)
          copy.writeUInt8((copy.at(-1) as number) ^ 1, copy.length - 1)
          return copy
        }
        stored[30] = {
          ...record,
          ...(field === 'headers'
            ? { headers: [['h', Buffer.from('2')]] }
            : { [field]: changed(record[field]) }),
        }
      })
      assert.deepEqual(problems, ['partition 1: order or content differs from what was sent'])
    })
  }

  test('tells a null from an empty value, and fields from their neighbours', async () => {
    const one = async (sent: [string | null, string | null], stored: [string | null, string | null]) => {
      const verification = new Verification([], null)
      const bytes = (text: string | null) => (text === null ? null : Buffer.from(text))
      const array: RecordArray = {
        records: [{ topic: 't', key: sent[0], value: bytes(sent[1]) }],
        numbers: [1],
        firstNumber: 1,
        bytes: 0,
      }
      verification.delivered(array, { at: () => ({ partition: 0, offset: 0n }) }, new Map())
      await verification.read([
        { partition: 0, offset: 0n, key: bytes(stored[0]), value: bytes(stored[1]), headers: [] },
      ])
      return verification.problems(0).length
    }
    assert.equal(await one(['ab', 'c'], ['ab', 'c']), 0)
    assert.equal(await one(['ab', 'c'], ['a', 'bc']), 1)
    assert.equal(await one(['', 'c'], [null, 'c']), 1)
    assert.equal(await one(['a', ''], ['a', null]), 1)
  })

  test('finds offsets with gaps, as reported and as read', async () => {
    const gap = await problemsAfter(stored => {
      stored[19] = { ...(stored[19] as StoredRecord), offset: 25n }
    })
    assert.deepEqual(gap, ['partition 0: offset 25 follows 18'])

    const verification = new Verification([], 1)
    for (const array of generateEvents({ topic: 't' }, 1, 1)) {
      verification.delivered(array, { at: () => ({ partition: 0, offset: 3n }) }, new Map())
    }
    assert.match(verification.problems(1).join(), /offset 3 was reported for record 0/)
  })

  test('finds records that are no events of the run', async () => {
    for (const value of [null, Buffer.from('other'), Buffer.from(eventText(EVENTS))]) {
      const problems = await problemsAfter(stored => {
        stored[0] = { ...(stored[0] as StoredRecord), value }
      })
      assert.match(problems.join('\n'), /partition 0: a record that is no event of this run/)
    }
  })

  test('expects failed records to be missing, and no more than those', async () => {
    const verification = new Verification([], 10)
    const failed = new Map([
      [2, new Error('no') as never],
      [5, new Error('no') as never],
    ])
    const stored: StoredRecord[] = []
    for (const array of generateEvents({ topic: 't' }, 10, 10)) {
      const offsets = [0n, 1n, -1n, 2n, 3n, -1n, 4n, 5n, 6n, 7n]
      verification.delivered(
        array,
        { at: index => ({ partition: 0, offset: offsets[index] ?? -1n }) },
        failed,
      )
      for (const [index, { key, value }] of array.records.entries()) {
        const offset = offsets[index] as bigint
        if (offset < 0n) continue
        stored.push({ partition: 0, offset, key: key as Uint8Array, value: value as Uint8Array, headers: [] })
      }
    }
    await verification.read(stored)
    assert.deepEqual(verification.problems(2), [])
    assert.deepEqual(verification.problems(1), ['2 events are missing, 1 failed'])
  })

  test('values larger than its staging area count in full', async () => {
    for (const length of [65_531, 65_532, 65_533, 200_000]) {
      const sent = Buffer.alloc(length, 'v')
      const changed = Buffer.from(sent)
      changed.writeUInt8(0, length >> 1)
      for (const [value, expected] of [
        [sent, 0],
        [changed, 1],
      ] as const) {
        const verification = new Verification([], null)
        const array = {
          records: [{ topic: 't', key: 'k', value: sent }],
          numbers: [1],
          firstNumber: 1,
          bytes: 0,
        }
        verification.delivered(array, { at: () => ({ partition: 0, offset: -1n }) }, new Map())
        await verification.read([{ partition: 0, offset: 0n, key: Buffer.from('k'), value, headers: [] }])
        assert.equal(verification.problems(0).length, expected)
      }
    }
  })
})
