// The records of a consume-transform-produce loop, which say themselves what they are copies of and to which
// transaction they belong, and the judge of what a read_committed consumer sees of them.

/** What a transaction calls itself: which life of the client, and which transaction of that life. */
export type Tag = `${number}.${number}`

export interface Copy {
  readonly tag: Tag
  /** Place among the records of the transaction. */
  readonly index: number
  /** How many records the transaction has. */
  readonly count: number
  /** Partition and place in it of the record that was copied. */
  readonly partition: number
  readonly sequence: number
  readonly text: string
}

const INPUT_WORDS = 3
const COPY_WORDS = 6

/** A text that only this record has. */
function textOf(run: number, partition: number, sequence: number): string {
  return (Math.imul(run ^ (partition << 24), 0x9e3779b1) + Math.imul(sequence + 1, 0x85ebca6b))
    .toString(36)
    .repeat(3)
}

function transformed(text: string): string {
  return [...text].reverse().join('')
}

export function inputRecord(run: number, partition: number, sequence: number): string {
  return [partition, sequence, textOf(run, partition, sequence)].join(' ')
}

/** What the client makes of an input record. */
export function copyOf(input: string, tag: Tag, index: number, count: number): string {
  const [partition, sequence, text] = input.split(' ', INPUT_WORDS) as [string, string, string]
  return [tag, index, count, partition, sequence, transformed(text)].join(' ')
}

/** Null for what is no copy. */
export function parseCopy(value: string): Copy | null {
  const words = value.split(' ')
  if (words.length !== COPY_WORDS) return null
  const [tag, index, count, partition, sequence, text] = words as [string, ...string[]]
  return {
    tag: tag as Tag,
    index: Number(index),
    count: Number(count),
    partition: Number(partition),
    sequence: Number(sequence),
    text: text as string,
  }
}

export const COPY_CLASSES = [
  /** Input of which no copy is visible. */
  'missing',
  /** Copies beyond the first. */
  'duplicated',
  /** Copies behind one of a later record of their partition. */
  'reordered',
  /** Visible records of transactions that their producer has not committed. */
  'aborted',
  /** Transactions of which some records are visible and others are not. */
  'torn',
  /** Records that are no copies, or not of the input, or not in their partition. */
  'foreign',
] as const
export type CopyClasses = Record<(typeof COPY_CLASSES)[number], number>

const EXAMPLES_MAX = 10

/** Judges what is visible: feed every record, per partition in the order of offsets, then ask for the verdict. */
export class CopyChecker {
  readonly classes = Object.fromEntries(COPY_CLASSES.map(name => [name, 0])) as CopyClasses
  readonly examples: string[] = []
  private readonly run: number
  /** How often each input record was seen, by partition. */
  private readonly seen: Uint8Array[]
  private readonly highest: number[]
  private readonly aborted: ReadonlySet<Tag>
  private readonly transactions = new Map<Tag, { count: number; indexes: Set<number> }>()

  /** `inputs`: records of each partition of the input. `aborted`: transactions that were never to be committed. */
  constructor(run: number, inputs: readonly number[], aborted: ReadonlySet<Tag>) {
    this.run = run
    this.seen = inputs.map(count => new Uint8Array(count))
    this.highest = inputs.map(() => -1)
    this.aborted = aborted
  }

  take(partition: number, value: string): void {
    const copy = parseCopy(value)
    const expected = copy === null ? '' : transformed(textOf(this.run, copy.partition, copy.sequence))
    const seen = this.seen[partition]
    const times = copy === null ? undefined : seen?.[copy.sequence]
    if (copy === null || times === undefined || copy.partition !== partition || copy.text !== expected) {
      this.find('foreign', `${partition}: ${value}`)
      return
    }
    const { tag, index, count, sequence } = copy
    const where = `${partition}-${sequence} in transaction ${tag}`
    if (this.aborted.has(tag)) this.find('aborted', where)
    if (times > 0) this.find('duplicated', where)
    else if (sequence < (this.highest[partition] as number)) this.find('reordered', where)
    ;(seen as Uint8Array)[sequence] = Math.min(times + 1, 255)
    this.highest[partition] = Math.max(this.highest[partition] as number, sequence)
    const transaction = this.transactions.get(tag)
    if (transaction === undefined) this.transactions.set(tag, { count, indexes: new Set([index]) })
    else transaction.indexes.add(index)
  }

  /** Counts what only the whole shows; once. */
  finish(): { readonly classes: CopyClasses; readonly examples: readonly string[]; transactions: number } {
    for (const [tag, { count, indexes }] of this.transactions) {
      if (indexes.size !== count) this.find('torn', `${indexes.size} of ${count} in transaction ${tag}`)
    }
    for (const [partition, counts] of this.seen.entries()) {
      for (const [sequence, times] of counts.entries()) {
        if (times === 0) this.find('missing', `${partition}-${sequence}`)
      }
    }
    return { classes: this.classes, examples: this.examples, transactions: this.transactions.size }
  }

  private find(name: keyof CopyClasses, what: string): void {
    this.classes[name]++
    if (this.examples.length < EXAMPLES_MAX) this.examples.push(`${name}: ${what}`)
  }
}
