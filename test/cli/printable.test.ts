import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonLine, printable } from '../../dist/cli/printable.js'

test('what a terminal would take for a command is escaped, the rest is left alone', () => {
  assert.equal(printable('grüße 日本 🙂 a\\b'), 'grüße 日本 🙂 a\\b')
  assert.equal(printable('\x1b[2J\r\n\t\x00\x7f'), '\\u001b[2J\\r\\n\\t\\u0000\\u007f')
  assert.equal(printable('\x9b31m\x85'), '\\u009b31m\\u0085', 'C1 controls are commands, too')
  assert.equal(printable('a\u202eb\u2066c\ufeff\u2028'), 'a\\u202eb\\u2066c\\ufeff\\u2028')
  for (let code = 0; code < 0x2100; code++) {
    const shown = printable(String.fromCharCode(code))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    assert.doesNotMatch(shown, /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/, code.toString(16))
  }
})

test('JSON for a terminal parses to what it was made of', () => {
  const value = { a: '\x1b\x9b\x7f\u202e"\\\u{e0041}\ud800', b: [1, null] }
  assert.deepEqual(JSON.parse(jsonLine(value)), value)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
  assert.doesNotMatch(jsonLine(value), /[\x00-\x1f\x7f-\x9f\u202e]/)
})
