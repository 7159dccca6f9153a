import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineSplitter } from '../../dist/cli/ndjson.js'

type Plain = [number: number, text: string | null]

function split(chunks: readonly Buffer[], maxLineBytes?: number): Plain[] {
  const splitter = new LineSplitter(maxLineBytes)
  const lines: Plain[] = []
  for (const chunk of chunks) {
    for (const { number, bytes } of splitter.push(chunk)) lines.push([number, bytes?.toString() ?? null])
  }
  for (const { number, bytes } of splitter.end()) lines.push([number, bytes?.toString() ?? null])
  return lines
}

/** The same bytes in chunks of `size`. */
function chunked(bytes: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = []
  for (let start = 0; start < bytes.length; start += size) chunks.push(bytes.subarray(start, start + size))
  return chunks
}

const mixed = Buffer.from('{"a":1}\r\n\n{"b":"grüße"}\n\r\n{"c":"\\r"}\r\r\nlast')
const mixedLines: Plain[] = [
  [1, '{"a":1}'],
  [2, ''],
  [3, '{"b":"grüße"}'],
  [4, ''],
  [5, '{"c":"\\r"}\r'],
  [6, 'last'],
]

test('lines are the same wherever one chunk ends and the next begins', () => {
  for (let cut = 0; cut <= mixed.length; cut++) {
    assert.deepEqual(split([mixed.subarray(0, cut), mixed.subarray(cut)]), mixedLines, `cut at ${cut}`)
  }
})

test('lines are the same in chunks of any size, empty ones among them', () => {
  for (let size = 1; size <= mixed.length; size++) {
    const chunks = chunked(mixed, size).flatMap(chunk => [Buffer.alloc(0), chunk])
    assert.deepEqual(split(chunks), mixedLines, `chunks of ${size}`)
  }
})

test('a line end at the end of the file begins no further line', () => {
  assert.deepEqual(split([Buffer.from('a\nb\n')]), [
    [1, 'a'],
    [2, 'b'],
  ])
  assert.deepEqual(split([Buffer.from('\n')]), [[1, '']])
  assert.deepEqual(split([]), [])
})

test('a byte order mark is dropped before the first line only', () => {
  const text = Buffer.from('\ufeff{"a":1}\n\ufeff2\n')
  for (let cut = 0; cut <= text.length; cut++) {
    assert.deepEqual(split([text.subarray(0, cut), text.subarray(cut)]), [
      [1, '{"a":1}'],
      [2, '\ufeff2'],
    ])
  }
})

test('a line of many chunks comes whole', () => {
  const long = Buffer.alloc(1_000_000, 'x')
  const lines = split(chunked(Buffer.concat([Buffer.from('short\n'), long, Buffer.from('\nend')]), 4_093))
  assert.deepEqual(
    lines.map(([number, text]) => [number, text?.length]),
    [
      [1, 5],
      [2, 1_000_000],
      [3, 3],
    ],
  )
})

test('a line over the limit is passed over, its neighbours are not', () => {
  const text = Buffer.from('12345\r\n123456\n123456\r\n12345\n1234567890123\n12345')
  const expected: Plain[] = [
    [1, '12345'],
    [2, null],
    [3, null],
    [4, '12345'],
    [5, null],
    [6, '12345'],
  ]
  for (let size = 1; size <= text.length; size++) {
    assert.deepEqual(split(chunked(text, size), 5), expected, `chunks of ${size}`)
  }
  assert.deepEqual(split([Buffer.from('1234567')], 5), [[1, null]])
  assert.deepEqual(split(chunked(Buffer.from('1234567'), 1), 5), [[1, null]])
})
