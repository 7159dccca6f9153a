import { isAscii, isUtf8 } from 'node:buffer'
import type { ProducerRecord } from '../index.js'
import { type Line, LineSplitter } from './ndjson.js'

/** What every record of a run has in common. */
export interface RecordTemplate {
  readonly topic: string
  readonly partition?: number | undefined
  readonly headers?: ProducerRecord['headers']
}

/** Records that are handed to the producer in one call. */
export interface RecordArray {
  readonly records: ProducerRecord[]
  /** Line or event number of each record; null if they follow `firstNumber` without a gap. */
  readonly numbers: readonly number[] | null
  readonly firstNumber: number
  /** Of keys and values. */
  readonly bytes: number
}

/** The line or event number of the record at `index`. */
export function numberAt(array: RecordArray, index: number): number {
  return array.numbers?.[index] ?? array.firstNumber + index
}

export interface LineRecordsOptions {
  template: RecordTemplate
  /** Field whose value becomes the key: its name, or a path with dots. */
  keyField: string | undefined
  /** Most records of an array. */
  arrayLength: number
  /** An array is handed on when it holds this many bytes, whatever its length. */
  arrayBytes: number
  /** Takes the lines that cannot be sent. */
  onBadLine: (number: number, message: string) => void
  /** Takes how many bytes of the input have been turned into records. */
  onBytesRead: (bytes: number) => void
}

/**
 * One record for each line of NDJSON, in arrays. What a chunk leaves is handed on before the next is waited
 * for: lines of a pipe are not held back.
 */
export async function* recordsOfLines(
  chunks: AsyncIterable<Buffer>,
  options: LineRecordsOptions,
): AsyncGenerator<RecordArray, void> {
  const splitter = new LineSplitter()
  const arrays = new ArrayBuilder(options)
  for await (const chunk of chunks) {
    for (const line of splitter.push(chunk)) {
      arrays.add(line)
      if (arrays.full) yield arrays.take()
    }
    options.onBytesRead(chunk.length)
    if (!arrays.empty) yield arrays.take()
  }
  for (const line of splitter.end()) arrays.add(line)
  if (!arrays.empty) yield arrays.take()
}

/** Collects the records of lines until they are enough for an array. */
class ArrayBuilder {
  readonly #options: LineRecordsOptions
  #records: ProducerRecord[] = []
  #numbers: number[] = []
  #bytes = 0

  constructor(options: LineRecordsOptions) {
    this.#options = options
  }

  get empty(): boolean {
    return this.#records.length === 0
  }

  get full(): boolean {
    return this.#records.length >= this.#options.arrayLength || this.#bytes >= this.#options.arrayBytes
  }

  add({ number, bytes }: Line): void {
    const { keyField, onBadLine } = this.#options
    if (bytes === null) {
      onBadLine(number, 'the line is too long')
      return
    }
    if (isBlank(bytes)) return
    const ascii = isAscii(bytes)
    let key: string | null = null
    try {
      if (!ascii && !isUtf8(bytes)) throw new Error('not valid UTF-8')
      if (keyField === undefined) checkJson(bytes)
      else key = keyOf(parseJson(bytes.toString(ascii ? 'latin1' : 'utf8')), keyField)
    } catch (error) {
      onBadLine(number, (error as Error).message)
      return
    }
    const { topic, partition, headers } = this.#options.template
    this.#records.push({ topic, partition, headers, key, value: bytes })
    this.#numbers.push(number)
    this.#bytes += bytes.length + (key === null ? 0 : ascii ? key.length : Buffer.byteLength(key))
  }

  take(): RecordArray {
    const array = { records: this.#records, numbers: this.#numbers, firstNumber: 0, bytes: this.#bytes }
    this.#records = []
    this.#numbers = []
    this.#bytes = 0
    return array
  }
}

/** Whether there is nothing but spaces and tabs. Such lines are passed over. */
function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x09) return false
  return true
}

/**
 * Throws unless the bytes, known to be UTF-8, are a JSON text. They are read as Latin-1, which is quicker and
 * makes no difference: above 127 all is allowed within strings and nothing outside of them, in both.
 */
function checkJson(bytes: Buffer): void {
  try {
    JSON.parse(bytes.toString('latin1'))
  } catch {
    // For the words of the message: they may quote the text.
    parseJson(bytes.toString('utf8'))
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`not JSON: ${(error as Error).message}`)
  }
}

/** The field's value as a key: strings as they are, numbers and booleans as JSON text; null if missing. */
function keyOf(value: unknown, path: string): string | null {
  const field = fieldAt(value, path)
  switch (typeof field) {
    case 'string':
      return field
    case 'number':
    case 'boolean':
      return String(field)
    case 'undefined':
      return null
    default:
      if (field === null) return null
      throw new Error(
        `the key field ${path} is not a string but an ${Array.isArray(field) ? 'array' : 'object'}`,
      )
  }
}

/** A field whose own name has dots goes before the path they may stand for. */
function fieldAt(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  if (Object.hasOwn(value, path)) return (value as Record<string, unknown>)[path]
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
    const head = path.slice(0, dot)
    if (!Object.hasOwn(value, head)) continue
    const found = fieldAt((value as Record<string, unknown>)[head], path.slice(dot + 1))
    if (found !== undefined) return found
  }
  return undefined
}
