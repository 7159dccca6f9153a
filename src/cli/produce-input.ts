import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { addAbortSignal, type Readable } from 'node:stream'
import type { ProducerRecord } from '../index.js'
import { generateEvents } from './generate.js'
import type { ProducePlan } from './produce-options.js'
import { type RecordArray, recordsOfLines } from './records.js'

/** Records handed over in one call: with {@link OPEN_ARRAYS} the bound on memory. */
const ARRAY_LENGTH = 1_000
const ARRAY_BYTES = 1024 * 1024
/** Calls whose outcome may be open. */
export const OPEN_ARRAYS = 8
const READ_BYTES = 256 * 1024

interface InputOptions {
  signal: AbortSignal
  /** Takes what cannot be sent, by the number of its line or file; `stop` ends the input. */
  onBad: (number: number, message: string) => 'stop' | undefined
  onBytesRead: (bytes: number) => void
}

type Arrays = AsyncIterable<RecordArray> | Iterable<RecordArray>

/** The records that a plan asks for, in arrays. */
export function inputOf(plan: ProducePlan, options: InputOptions): Arrays {
  const { source } = plan
  if (source.kind === 'events') return eventsOf(plan, source.count)
  if (source.kind === 'whole-files') return filesOf(plan, source.paths, options)
  const input = linesInput(plan, options.signal)
  const { format, template, topics, keyField, topicField, fixedKey, maxMessages, tee } = plan
  return recordsOfLines(input, {
    template,
    keyField,
    topicField,
    fixedKey,
    ...(topics.length > 0 && { topics }),
    ...(format.reader && { reader: format.reader }),
    split: format.split,
    maxLines: maxMessages,
    keepLines: tee,
    arrayLength: plan.sync ? 1 : ARRAY_LENGTH,
    arrayBytes: ARRAY_BYTES,
    onBadLine: options.onBad,
    onBytesRead: options.onBytesRead,
  })
}

function linesInput({ source, format }: ProducePlan, signal: AbortSignal): AsyncIterable<Buffer> {
  if (source.kind === 'files') return chunksOf(source.paths, format.lineEnd, signal)
  const input: Readable =
    source.kind === 'file' ? createReadStream(source.path, { highWaterMark: READ_BYTES }) : process.stdin
  addAbortSignal(signal, input)
  return input
}

/** Files one after the other. The last line of each ends with it, as it does with a single file. */
async function* chunksOf(
  paths: readonly string[],
  lineEnd: Buffer,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  for (const path of paths) {
    const stream = createReadStream(path, { highWaterMark: READ_BYTES })
    addAbortSignal(signal, stream)
    let tail: Buffer = Buffer.alloc(0)
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      tail = Buffer.concat([tail, chunk.subarray(-lineEnd.length)]).subarray(-lineEnd.length)
      yield chunk
    }
    if (tail.length > 0 && !tail.equals(lineEnd)) yield lineEnd
  }
}

function* eventsOf({ template, topics, sync }: ProducePlan, count: number): Generator<RecordArray, void> {
  for (const array of generateEvents(template, count, sync ? 1 : ARRAY_LENGTH)) {
    if (topics.length < 2) yield array
    else
      for (const topic of topics) yield { ...array, records: array.records.map(each => ({ ...each, topic })) }
  }
}

/** Each file is one record, numbered from 1. */
async function* filesOf(
  plan: ProducePlan,
  paths: readonly string[],
  { signal, onBad, onBytesRead }: InputOptions,
): AsyncGenerator<RecordArray, void> {
  const { template, topics, fixedKey, emptyAsNull, maxMessages } = plan
  for (const [index, path] of paths.entries()) {
    if (signal.aborted || index >= maxMessages) return
    let bytes: Buffer
    try {
      bytes = await readFile(path, { signal })
    } catch (error) {
      if (signal.aborted) return
      if (onBad(index + 1, (error as Error).message) === 'stop') return
      continue
    }
    const value = emptyAsNull && bytes.length === 0 ? null : bytes
    const records: ProducerRecord[] = topics.map(topic => ({ ...template, topic, key: fixedKey, value }))
    const size = bytes.length + (fixedKey?.length ?? 0)
    yield { records, numbers: topics.map(() => index + 1), firstNumber: 0, bytes: size * topics.length }
    onBytesRead(bytes.length)
  }
}
