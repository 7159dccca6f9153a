import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProducerOptions } from '../../dist/config/index.js'
import { ConfigError } from '../../dist/errors/index.js'

const allows = (allowedBrokerHosts: unknown, host: string) =>
  parseProducerOptions({ bootstrapServers: 'a:1', allowedBrokerHosts }).allowsBrokerHost?.(host)

test('hosts are allowed by name, by address and by domain', () => {
  const list = ['B1.example', '10.0.0.1', '::1', '.kafka.example', '*.other.example.']
  const allowed = ['b1.example', 'B1.EXAMPLE.', '10.0.0.1', '::1', 'x.kafka.example', 'a.b.other.example']
  const refused = [
    'b2.example',
    '10.0.0.11',
    'kafka.example',
    'xkafka.example',
    'other.example',
    'b1.example.evil',
    '',
  ]
  for (const host of allowed) assert.equal(allows(list, host), true, host)
  for (const host of refused) assert.equal(allows(list, host), false, host)
  for (const host of allowed) assert.equal(allows(list.join(', '), host), true, host)
  assert.equal(allows(undefined, 'any'), undefined)
})

test('what is no list of hosts is refused', () => {
  for (const wrong of [[], '', 'a b', ['*'], ['*.'], ['.'], ['a*.example'], [5], 5, {}, ['https://x']]) {
    assert.throws(() => allows(wrong, 'x'), ConfigError, String(wrong))
  }
})
