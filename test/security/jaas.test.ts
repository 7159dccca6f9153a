import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '../../dist/errors/index.js'
import { parseJaasConfig } from '../../dist/security/sasl/jaas.js'

const options = (text: string) => Object.fromEntries(parseJaasConfig(text).options)

test('the entries of the usual login modules are read', () => {
  const plain =
    'org.apache.kafka.common.security.plain.PlainLoginModule required username="a" password="b c";'
  assert.equal(parseJaasConfig(plain).module, 'PlainLoginModule')
  assert.deepEqual(options(plain), { username: 'a', password: 'b c' })
  const lines = `
    // a comment
    org.apache.kafka.common.security.scram.ScramLoginModule  Required
      username = 'alice' /* and another */ password=unquoted-1_$.x
      tokenauth="true" ;
  `
  assert.equal(parseJaasConfig(lines).module, 'ScramLoginModule')
  assert.deepEqual(options(lines), { username: 'alice', password: 'unquoted-1_$.x', tokenauth: 'true' })
  assert.deepEqual(options('OAuthBearerLoginModule required;'), {})
})

test('quotations keep what would end them elsewhere, and escapes mean what they do in Java', () => {
  assert.deepEqual(options(`M required a="; = ' // /* x */" b='"';`), { a: `; = ' // /* x */`, b: '"' })
  assert.deepEqual(options(String.raw`M required a="q\"q" b="b\\s" c="t\tn\n" d="\101\60\0" e="\q";`), {
    a: 'q"q',
    b: 'b\\s',
    c: 't\tn\n',
    d: 'A0\0',
    e: 'q',
  })
  assert.deepEqual(options('M required p="";'), { p: '' })
})

const malformed: [title: string, text: string, reason: RegExp][] = [
  ['nothing', '', /login module/],
  ['no flag', 'M;', /one of required/],
  ['an unknown flag', 'M always a="hunter2";', /one of required/],
  ['no semicolon', 'M required a="hunter2"', /semicolon/],
  ['no value', 'M required hunter2;', /option 1 is not/],
  ['no value after the equals sign', 'M required a=;', /option 1 is not/],
  ['an open quotation', 'M required a="hunter2;', /character 14 has no end/],
  ['a quotation over a line end', 'M required a="hunter2\n";', /has no end/],
  ['two entries', 'M required a="hunter2"; N required b="hunter2";', /only one/],
  ['a quoted equals sign', 'M required a "=" hunter2;', /option 1 is not/],
]
for (const [title, text, reason] of malformed) {
  test(`a malformed entry is refused without being shown: ${title}`, () => {
    assert.throws(
      () => parseJaasConfig(text),
      (error: Error) => {
        assert.ok(error instanceof ConfigError)
        assert.match(error.message, reason)
        assert.doesNotMatch(error.message, /hunter2/)
        return true
      },
    )
  })
}
