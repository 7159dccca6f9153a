import { isAscii, isUtf8 } from 'node:buffer'
import type { ProducerRecord } from '../index.js'
import type { LineReader, ParsedLine } from './line-reader.js'
import { type Line, LineSplitter, type SplitOptions } from './ndjson.js'

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
  /** The lines as they came, where somebody asked for them. */
  readonly lines?: readonly Uint8Array[]
}

/** The line or event number of the record at `index`. */
export function numberAt(array: RecordArray, index: number): number {
  return array.numbers?.[index] ?? array.firstNumber + index
}

export interface LineRecordsOptions {
  template: RecordTemplate
  /** Field whose value becomes the key: its name, or a path with dots. Of JSON only. */
  keyField: string | undefined
  /** Field whose value is the topic. Of JSON only. */
  topicField?: string | undefined
  /** Reads a line; without it a line is JSON. */
  reader?: LineReader
  /** Key of records that have none of their own. Of JSON only; a reader has its own. */
  fixedKey?: Buffer | null
  /** All topics that get the records, where they are several. */
  topics?: readonly string[]
  split?: SplitOptions
  /** Most lines that become records. */
  maxLines?: number
  /** Whether the arrays have the lines. */
  keepLines?: boolean
  /** Most records of an array. */
  arrayLength: number
  /** An array is handed on when it holds this many bytes, whatever its length. */
  arrayBytes: number
  /** Takes the lines that cannot be sent; no further ones are read if it answers `stop`. */
  onBadLine: (number: number, message: string) => unknown
  /** Takes how many bytes of the input have been turned into records. */
  onBytesRead: (bytes: number) => void
}

/**
 * One record for each line, in arrays. What a chunk leaves is handed on before the next is waited for: lines
 * of a pipe are not held back.
 */
export async function* recordsOfLines(
  chunks: AsyncIterable<Buffer>,
  options: LineRecordsOptions,
): AsyncGenerator<RecordArray, void> {
  const splitter = new LineSplitter(undefined, options.split)
  const arrays = new ArrayBuilder(options)
  for await (const chunk of chunks) {
    for (const line of splitter.push(chunk)) {
      arrays.add(line)
      if (arrays.full) yield arrays.take()
      if (arrays.ended) break
    }
    options.onBytesRead(chunk.length)
    if (!arrays.empty) yield arrays.take()
    if (arrays.ended) return
  }
  for (const line of splitter.end()) arrays.add(line)
  if (!arrays.empty) yield arrays.take()
}

/** Collects the records of lines until they are enough for an array. */
class ArrayBuilder {
  readonly #options: LineRecordsOptions
  readonly #topics: readonly string[]
  #records: ProducerRecord[] = []
  #numbers: number[] = []
  #lines: Uint8Array[] = []
  #bytes = 0
  #read = 0
  #stopped = false

  constructor(options: LineRecordsOptions) {
    this.#options = options
    this.#topics = options.topics ?? [options.template.topic]
  }

  get empty(): boolean {
    return this.#records.length === 0
  }

  get full(): boolean {
    return this.#records.length >= this.#options.arrayLength || this.#bytes >= this.#options.arrayBytes
  }

  /** No further lines are wanted. */
  get ended(): boolean {
    return this.#stopped || this.#read >= (this.#options.maxLines ?? Number.POSITIVE_INFINITY)
  }

  add({ number, bytes }: Line): void {
    const { reader, topicField, keepLines, onBadLine } = this.#options
    if (this.ended) return
    if (reader === undefined && bytes !== null && isBlank(bytes)) return
    let parsed: ParsedLine & { topic?: string }
    try {
      if (bytes === null) throw new Error('the line is too long')
      parsed = reader === undefined ? this.#parseJson(bytes) : reader.read(bytes, number)
    } catch (error) {
      if (onBadLine(number, (error as Error).message) === 'stop') this.#stopped = true
      return
    }
    const { partition, headers } = this.#options.template
    const { key, value } = parsed
    const own = parsed.headers
    const all = own === undefined ? headers : headers === undefined ? own : [...pairsOf(headers), ...own]
    const topics = topicField === undefined || parsed.topic === undefined ? this.#topics : [parsed.topic]
    for (const topic of topics) {
      this.#records.push({ topic, partition, headers: all, key, value })
      this.#numbers.push(number)
      this.#bytes +=
        (value?.length ?? 0) + (typeof key === 'string' ? Buffer.byteLength(key) : (key?.length ?? 0))
    }
    if (keepLines) this.#lines.push(bytes as Uint8Array)
    this.#read++
  }

  take(): RecordArray {
    const lines = this.#options.keepLines ? { lines: this.#lines } : null
    const array = {
      records: this.#records,
      numbers: this.#numbers,
      firstNumber: 0,
      bytes: this.#bytes,
      ...lines,
    }
    this.#records = []
    this.#numbers = []
    this.#lines = []
    this.#bytes = 0
    return array
  }

  #parseJson(bytes: Buffer): ParsedLine & { topic?: string } {
    const { keyField, topicField, fixedKey, template } = this.#options
    const ascii = isAscii(bytes)
    if (!ascii && !isUtf8(bytes)) throw new Error('not valid UTF-8')
    if (keyField === undefined && topicField === undefined) {
      checkJson(bytes)
      return { key: fixedKey ?? null, value: bytes }
    }
    const json = parseJson(bytes.toString(ascii ? 'latin1' : 'utf8'))
    const key = keyField === undefined ? null : textOf(json, keyField, 'key')
    const topic = topicField === undefined ? null : textOf(json, topicField, 'topic')
    if (topicField !== undefined && topic === null && template.topic === '') {
      throw new Error(`there is no topic field ${topicField}, and no --topic`)
    }
    const parsed = { key: key ?? fixedKey ?? null, value: bytes }
    return topic === null ? parsed : { ...parsed, topic }
  }
}

type HeaderPairs = Iterable<readonly [string, string | Uint8Array | null]>

/** Headers of a template are pairs: the command line gives no others. */
function pairsOf(headers: ProducerRecord['headers']): HeaderPairs {
  return (headers ?? []) as HeaderPairs
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

/** The field's value as text: strings as they are, numbers and booleans as JSON text; null if missing. */
function textOf(value: unknown, path: string, what: 'key' | 'topic'): string | null {
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
        `the ${what} field ${path} is not a string but an ${Array.isArray(field) ? 'array' : 'object'}`,
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
