import { JOINED_CHARACTERS_MAX, writeUtf8 } from '../../common/utf8.js'
import { type NativeBytes, Run } from '../../native/addon.js'

/** Whether both are texts, or one of them is null, and they are cheaper to join than to write. */
export function areJoinable(key: NativeBytes, value: NativeBytes): boolean {
  const characters = charactersOf(key) + charactersOf(value)
  return characters <= JOINED_CHARACTERS_MAX && (typeof key === 'string' || typeof value === 'string')
}

/** Infinity for what is no text. */
function charactersOf(given: NativeBytes): number {
  if (typeof given === 'string') return given.length
  return given === null || given === undefined ? 0 : Number.POSITIVE_INFINITY
}

/**
 * Keys and values of the last records of a run, all of them texts, as one text that is written in one call.
 * Until then their sizes in the descriptors are characters: those are their bytes if all is ASCII, and where
 * it is not, the bytes are more than the characters, and each is written on its own.
 */
export class JoinedTexts {
  private readonly bytes: Buffer
  private readonly descriptors: Int32Array
  private text = ''
  /** The first of the records. */
  private first = 0
  /** Where their bytes go. */
  private at = 0

  constructor(bytes: Buffer, descriptors: Int32Array) {
    this.bytes = bytes
    this.descriptors = descriptors
  }

  get isEmpty(): boolean {
    return this.text === ''
  }

  /** Adds the run's next record, which is joinable, and whose bytes follow `used` others. */
  add(record: number, used: number, key: NativeBytes, value: NativeBytes): void {
    if (this.text === '') {
      this.first = record
      this.at = used
    }
    if (typeof key === 'string') this.text += key
    if (typeof value === 'string') this.text += value
  }

  /** Writes all, up to the record before `end`. Answers where their bytes end. */
  write(end: number): number {
    const { text, at, bytes } = this
    this.text = ''
    const written = bytes.write(text, at)
    return written === text.length ? at + written : this.writeEach(text, end)
  }

  /** One by one: the end of one text and the begin of the next may look like a pair of surrogates. */
  private writeEach(text: string, end: number): number {
    const { descriptors, bytes } = this
    let from = 0
    let to = this.at
    for (let record = this.first; record < end; record++) {
      for (const size of [Run.KEY_BYTES, Run.VALUE_BYTES]) {
        const word = Run.FIRST + record * Run.WORDS + size
        const characters = descriptors[word] as number
        if (characters <= 0) continue
        const written = writeUtf8(bytes, text.slice(from, from + characters), to)
        descriptors[word] = written
        from += characters
        to += written
      }
    }
    return to
  }
}
