import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import test from 'node:test'
import { freePorts } from './free-ports.js'

const RANGE = '/proc/sys/net/ipv4/ip_local_port_range'

test('free ports are told apart, and none that somebody listens on is among them', async () => {
  const [taken] = (await freePorts(1)) as [number]
  const server = createServer()
  await once(server.listen(taken + 1, '127.0.0.1'), 'listening')
  try {
    const { port } = server.address() as AddressInfo
    const ports = await freePorts(20)
    assert.equal(new Set(ports).size, 20)
    assert.ok(!ports.includes(port) && !ports.includes(taken))
  } finally {
    server.close()
  }
})

test('the system gives none of them to a connection meanwhile', {
  skip: process.platform !== 'linux' && 'the range is read on Linux',
}, async () => {
  const [begin] = readFileSync(RANGE, 'utf8').split(/\s+/).map(Number) as [number]
  for (const port of await freePorts(50)) assert.ok(port < begin, `${port} is not below ${begin}`)
})
