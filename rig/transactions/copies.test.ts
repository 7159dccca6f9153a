import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { COPY_CLASSES, CopyChecker, type CopyClasses, copyOf, inputRecord, type Tag } from './copies.js'

const RUN = 7

/** Copies of records of partition 0, by transaction. */
function copies(transactions: Record<Tag, readonly number[]>): string[] {
  return Object.entries(transactions).flatMap(([tag, sequences]) =>
    sequences.map((sequence, i) => copyOf(inputRecord(RUN, 0, sequence), tag as Tag, i, sequences.length)),
  )
}

function classesOf(values: readonly string[], inputs = 4, aborted: readonly Tag[] = []): CopyClasses {
  const checker = new CopyChecker(RUN, [inputs], new Set(aborted))
  for (const value of values) checker.take(0, value)
  return checker.finish().classes
}

function only(classes: Partial<CopyClasses>): CopyClasses {
  const zeros = Object.fromEntries(COPY_CLASSES.map(name => [name, 0])) as CopyClasses
  return { ...zeros, ...classes }
}

describe('the judge of copies', () => {
  const sound = copies({ '1.1': [0, 1], '1.2': [2, 3] })

  it('finds nothing where every record was copied once, in order and by whole transactions', () => {
    assert.deepEqual(classesOf(sound), only({}))
  })

  it('finds input that was not copied', () => {
    assert.deepEqual(classesOf(sound, 6), only({ missing: 2 }))
  })

  it('finds records that were copied twice', () => {
    assert.deepEqual(classesOf([...sound, ...copies({ '2.1': [3] })]), only({ duplicated: 1 }))
  })

  it('finds copies in another order', () => {
    assert.deepEqual(classesOf(copies({ '1.1': [0, 1, 3, 2] })), only({ reordered: 1 }))
  })

  it('finds what was aborted', () => {
    assert.deepEqual(classesOf(sound, 4, ['1.2']), only({ aborted: 2 }))
  })

  it('finds transactions of which a part is missing', () => {
    const torn = copies({ '1.1': [0, 1], '1.2': [2, 3, 4] }).slice(0, 4)
    assert.deepEqual(classesOf(torn), only({ torn: 1 }))
  })

  it('finds what is no copy, or that of another record, partition or run', () => {
    const strangers = [
      'nonsense',
      copyOf(inputRecord(RUN, 1, 0), '1.3', 0, 1),
      copyOf(inputRecord(RUN + 1, 0, 0), '1.3', 0, 1),
      copyOf(inputRecord(RUN, 0, 9), '1.3', 0, 1),
      (sound[0] as string).slice(0, -1),
    ]
    assert.deepEqual(classesOf([...sound, ...strangers]), only({ foreign: strangers.length }))
  })
})
