import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MetadataCache } from '../../dist/cluster/metadata-cache.js'
import { ProtocolError } from '../../dist/errors/index.js'
import type { Api } from '../../dist/protocol/api.js'
import { encodeResponse } from '../../dist/protocol/header.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { Reader } from '../../dist/protocol/reader.js'
import { metadataResponse } from '../helpers/scripted-broker.js'

/** Deterministic, so that a failure can be repeated (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** Offset of the body: size, correlation id, empty tagged fields. */
const BODY_AT = 9

describe('A Metadata response with bytes changed at random', () => {
  it('is applied as something possible or refused, and the cache stays whole', () => {
    const seed = Number(process.env.HOSTILE_SEED ?? 20_261_121)
    const random = randomOf(seed)
    const original = encodeResponse(
      Metadata as Api<never, unknown>,
      13,
      1,
      metadataResponse({
        brokers: [1, 2, 3].map(id => ({ id, host: `broker-${id}`, port: 9092 })),
        topics: { orders: { leaders: [1, 2, 3], epoch: 5 }, clicks: { leaders: [3], epoch: 1 } },
      }),
    )
    const requested = new Set(['orders', 'clicks'])
    let cache = new MetadataCache()
    let applied = 0
    for (let round = 0; round < 30_000; round++) {
      if (round % 100 === 0) cache = new MetadataCache()
      const bytes = Buffer.from(original)
      for (let changes = 1 + random(4); changes > 0; changes--) {
        bytes[BODY_AT + random(bytes.length - BODY_AT)] = random(256)
      }
      const before = cache.version
      try {
        const response = Metadata.readResponse(new Reader(bytes, BODY_AT), 13)
        cache.apply(response, { version: 13, partial: random(2) === 0, requested, isTracked: () => true })
        applied++
        assert.equal(cache.version, before + 1)
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `seed ${seed}, round ${round}: ${error}`)
        assert.equal(cache.version, before)
      }
      for (const name of requested) {
        for (const [index, partition] of (cache.topic(name)?.partitions ?? []).entries()) {
          assert.equal(partition.index, index)
          assert.ok(partition.leaderId === -1 || partition.leaderId >= 0)
        }
      }
      for (const node of cache.nodes()) assert.ok(node.host !== '' && node.port > 0 && node.port < 65_536)
    }
    assert.ok(applied > 1_000, `only ${applied} were applied: the rest of the test saw nothing`)
  })
})
