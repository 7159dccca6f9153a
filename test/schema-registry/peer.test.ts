import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '../../dist/index.js'
import { commonJs, loadPeer } from '../../dist/schema-registry/peer.js'

test('a package that is not installed is named, with how to install it', async () => {
  const missing = 'no-such-codec'
  await assert.rejects(
    loadPeer(missing, 'avroSerializer', () => import(missing)),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError)
      assert.equal(error.code, 'FEATURE_NOT_AVAILABLE')
      assert.match(error.message, /avroSerializer needs the package no-such-codec: npm install no-such-codec/)
      return true
    },
  )
})

test('a CommonJS package is what require gives, whether its names were seen or not', () => {
  const whole = { parse: 1, later: 2 }
  assert.equal(commonJs({ default: whole, parse: 1 } as object), whole)
  assert.equal(commonJs(whole), whole)
})
