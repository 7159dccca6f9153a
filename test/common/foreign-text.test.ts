import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { ForeignTexts } from '../../dist/common/foreign-text.js'
import { Secret } from '../../dist/common/secret.js'

const SECRET = 'pa$$ wörd/+?'

function redact(text: string, secrets: readonly string[]): string {
  const texts = new ForeignTexts()
  texts.learn(secrets)
  return texts.shown(text)
}

test('a secret is taken out of a text in every form it is likely to have', () => {
  const bytes = Buffer.from(SECRET)
  const forms = [
    ...[SECRET, encodeURIComponent(SECRET), bytes.toString('hex'), bytes.toString('hex').toUpperCase()],
    ...['', 'u', 'us', 'use'].map(prefix => Buffer.from(`${prefix}${SECRET} and more`).toString('base64')),
    ...['', 'u', 'us', 'use'].map(prefix => Buffer.from(`${prefix}${SECRET} and more`).toString('base64url')),
  ]
  for (const form of forms) {
    const redacted = redact(`before ${form} after`, [SECRET])
    assert.match(redacted, /^before .*\[hidden\].* after$/, form)
    assert.ok(!redacted.includes(form), form)
  }
})

test('a text without a secret stays as it is', () => {
  assert.equal(redact('Invalid user name or password', [SECRET, '', 'ab']), 'Invalid user name or password')
})

test('a secret value is not printed, however deep it lies', () => {
  const secret = new Secret('hunter2')
  const holder = { deep: { deeper: [{ secret }] } }
  const printed = [
    inspect(holder, { depth: null, showHidden: true, getters: true }),
    JSON.stringify(holder),
    String(secret),
    `${secret}`,
    inspect(secret),
  ]
  for (const each of printed) {
    assert.doesNotMatch(each, /hunter2/)
    assert.match(each, /\[hidden\]/)
  }
  assert.equal(secret.reveal(), 'hunter2')
})
