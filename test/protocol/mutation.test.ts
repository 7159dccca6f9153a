import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProtocolError } from '../../dist/errors/index.js'
import { ZERO_UUID } from '../../dist/protocol/uuid.js'
import { everyMessage, type Message } from './every-message.js'
import { randomOf } from './schema-codec.js'

const MUTATIONS = 50_000
const MS_PER_FRAME_MAX = 50
/** A frame is slow only if it always is: collections and other processes are in the way of some attempts. */
const ATTEMPTS = 10

/**
 * Array elements plus bytes of strings and byte arrays: none may be there without a byte of the frame for it.
 * The zero id that stands in where a version has no ids is shared, and weighs nothing.
 */
function weightOf(value: unknown): number {
  // Texts for people have their controls escaped.
  if (typeof value === 'string') return value.replaceAll(/\\(?:u(?:\{\w+\}|\w{4})|[nrt])/g, '.').length
  if (value === ZERO_UUID) return 0
  if (value instanceof Uint8Array) return value.length
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + 1 + weightOf(each), 0)
  if (value === null || typeof value !== 'object') return 0
  return Object.values(value).reduce((sum: number, each) => sum + weightOf(each), 0)
}

/** Bytes that a length, a count, a varint or a sign are likely to stumble over. */
const NASTY = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff]

function mutate(random: () => number, bytes: Buffer): Buffer {
  let mutated = Buffer.from(bytes)
  const edits = 1 + Math.floor(random() * 6)
  for (let i = 0; i < edits; i++) {
    const at = Math.floor(random() * mutated.length)
    const nasty = NASTY[Math.floor(random() * NASTY.length)] as number
    const byte = random() < 0.5 ? nasty : Math.floor(random() * 256)
    const kind = random()
    if (kind < 0.7) mutated[at] = byte
    else if (kind < 0.8) mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(at + 1)])
    else if (kind < 0.9)
      mutated = Buffer.concat([mutated.subarray(0, at), Buffer.from([byte]), mutated.subarray(at)])
    else mutated.fill(0xff, at, Math.min(at + 5, mutated.length))
    if (mutated.length === 0) mutated = Buffer.from([byte])
  }
  return mutated
}

function readOrRefuse(message: Message, bytes: Buffer): unknown {
  try {
    return message.read(bytes).body
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw new Error(`${message.title} threw ${error} for ${bytes.toString('hex')}`, { cause: error })
  }
}

/** How long the work takes, of several attempts where the first took too long. */
function shortestMs(work: () => void): number {
  let ms = Number.POSITIVE_INFINITY
  for (let attempt = 0; ms >= MS_PER_FRAME_MAX && attempt < ATTEMPTS; attempt++) {
    const from = performance.now()
    work()
    ms = Math.min(ms, performance.now() - from)
  }
  return ms
}

describe('a mutated frame', () => {
  it(`is a value no larger than itself or a ProtocolError, ${MUTATIONS} times`, () => {
    const random = randomOf(6)
    const messages = everyMessage.filter(message => !message.isRequest)
    const wholes = messages.map(message => [1, 2, 3, 4].map(() => message.bytes(message.random(random))))
    let refused = 0
    let slowestMs = 0
    for (let i = 0; i < MUTATIONS; i++) {
      const which = i % messages.length
      const message = messages[which] as Message
      const bytes = mutate(random, wholes[which]?.[Math.floor(random() * 4)] as Buffer)
      let value: unknown
      const read = () => {
        value = readOrRefuse(message, bytes)
      }
      slowestMs = Math.max(slowestMs, shortestMs(read))
      if (value === null) refused++
      else assert.ok(weightOf(value) <= bytes.length, `${message.title}: ${bytes.toString('hex')}`)
    }
    assert.ok(refused > MUTATIONS / 20, `only ${refused} were refused`)
    assert.ok(refused < MUTATIONS, 'all were refused')
    assert.ok(slowestMs < MS_PER_FRAME_MAX, `one took ${slowestMs} ms`)
  })

  it('of bytes that are no Kafka frame at all is refused or read, and nothing else', () => {
    const random = randomOf(7)
    let refused = 0
    const tryOne = (message: Message, bytes: Buffer) => {
      if (readOrRefuse(message, bytes) === null) refused++
    }
    for (const message of everyMessage) {
      for (const fill of [0x00, 0x01, 0x7f, 0x80, 0xff]) tryOne(message, Buffer.alloc(1000, fill))
      tryOne(message, Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n'))
      for (let i = 0; i < 20; i++) {
        tryOne(message, Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256))))
      }
    }
    assert.ok(refused > everyMessage.length * 10, `only ${refused} were refused`)
  })
})
