import assert from 'node:assert/strict'
import { before, describe, mock, test } from 'node:test'
import { Producer } from '../../dist/index.js'
import type { Api } from '../../dist/protocol/api.js'
import { apis } from '../../dist/protocol/apis.js'
import { Produce, type ProduceResponse } from '../../dist/protocol/produce.js'
import { projectFiles } from '../house/files.js'
import {
  type CapturedReply,
  captureReplies,
  coverageOf,
  madeReplies,
  NOT_OF_PRODUCERS,
} from './captured-replies.js'
import { ReplyDelivery } from './reply-delivery.js'
import { ReplyParsing } from './reply-parsing.js'

const SEED = Number(process.env.HOSTILE_SEED ?? 20_261_121)
const PARSED = 297_000
const DELIVERED = 3_000

let captured: CapturedReply[] = []
let replies: CapturedReply[] = []
before(async () => {
  captured = await captureReplies()
  replies = [...captured, ...madeReplies(captured)]
})

describe('the replies that are changed', () => {
  test('are of every API of src/protocol, in every version', async () => {
    const parsers: string[] = []
    for (const { path } of projectFiles(/^src\/protocol\/.*\.ts$/)) {
      const module: object = await import(`../../${path.replace('src', 'dist').replace('.ts', '.js')}`)
      for (const each of Object.values(module) as (Partial<Api<unknown, unknown>> | null)[]) {
        if (typeof each?.readResponse === 'function') parsers.push(each.name as string)
      }
    }
    assert.deepEqual(parsers.sort(), apis.map(({ name }) => name).sort())
    const every = apis.map(({ name, minVersion, maxVersion }) => [
      name,
      Array.from({ length: maxVersion - minVersion + 1 }, (_, i) => minVersion + i),
    ])
    assert.deepEqual(coverageOf(replies), Object.fromEntries(every))
  })

  test('are real ones where a producer asks for them', () => {
    const coverage = coverageOf(captured)
    const asked = apis.map(({ name }) => name).filter(name => !NOT_OF_PRODUCERS.has(name))
    assert.deepEqual(Object.keys(coverage).sort(), asked.sort())
    assert.deepEqual(coverage.Produce, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
    assert.deepEqual(coverage.Metadata, [4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
    const rooms = /^src\/(cluster|sender|transactions|producer|accumulator|security)\//
    for (const { path, text } of projectFiles(rooms)) {
      assert.doesNotMatch(text, /protocol\/(fetch|list-offsets|create-topics)[\w-]*\.js/, path)
    }
  })
})

test(`${PARSED} changed replies are read or refused as malformed, each in 50 ms at most`, async () => {
  const { byApi, parsed, refused } = await new ReplyParsing(SEED, replies).run(PARSED)
  assert.equal(parsed + refused, PARSED)
  assert.ok(parsed > 20_000 && refused > 20_000, `${parsed} read, ${refused} refused`)
  const names = [...apis.map(({ name }) => name), 'SCRAM', 'OAUTHBEARER', 'PLAIN']
  assert.deepEqual([...byApi.keys()].sort(), names.sort())
})

test(`producers that get ${DELIVERED} changed replies settle all records and recover`, async () => {
  const { byApi, mutated, sent, settled } = await ReplyDelivery.run(SEED, DELIVERED)
  assert.ok(mutated >= DELIVERED)
  assert.equal(settled, sent)
  const asked = apis.map(({ name }) => name).filter(name => !NOT_OF_PRODUCERS.has(name))
  assert.deepEqual([...byApi.keys()].sort(), asked.sort())
})

/** Reading a response takes 60 ms of CPU where it `isSlow`. */
function holdUp<Request, Response>(
  api: Api<Request, Response>,
  isSlow: (response: Response) => boolean,
): { mock: { restore(): void } } {
  const { readResponse } = api
  return mock.method(api, 'readResponse', (...args: Parameters<typeof readResponse>) => {
    const response = readResponse.apply(api, args)
    const before = process.cpuUsage()
    if (isSlow(response)) while (cpuMsSince(before) < 60) for (let i = 0; i < 1e5; i++) Math.sqrt(i)
    return response
  })
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const isRefusal = ({ responses }: ProduceResponse) =>
  responses.some(({ partitionResponses }) => partitionResponses.some(({ errorCode }) => errorCode !== 0))

describe('what these tests are to find is found:', () => {
  test('a parser that is slow', async () => {
    const slow = holdUp(Produce, () => true)
    try {
      await assert.rejects(new ReplyParsing(SEED, replies).run(1_000), /Produce took [\d.]+ ms for \d+ bytes/)
    } finally {
      slow.mock.restore()
    }
  })

  test('a parser that throws what it should not', async () => {
    const broken = mock.method(Produce, 'readResponse', () => assert.fail('broken'))
    try {
      await assert.rejects(new ReplyParsing(SEED, replies).run(1_000), /Produce threw .*broken/)
    } finally {
      broken.mock.restore()
    }
  })

  test('a reply that holds up a producer', async () => {
    const slow = holdUp(Produce, isRefusal)
    try {
      await assert.rejects(ReplyDelivery.run(SEED, 50), /a reply takes [\d.]+ ms: Produce v\d+/)
    } finally {
      slow.mock.restore()
    }
  })

  test('but not what was in the way of one once', async () => {
    let left = 6
    const slow = holdUp(Produce, () => left-- > 0)
    try {
      const { cleared } = await ReplyDelivery.run(SEED, 50)
      assert.ok(cleared > 0)
    } finally {
      slow.mock.restore()
    }
  })

  test('a record without an outcome', async () => {
    const lost = mock.method(Producer.prototype, 'send', () => new Promise(() => {}))
    try {
      await assert.rejects(ReplyDelivery.run(SEED, 50, 500), /no outcome within/)
    } finally {
      lost.mock.restore()
    }
  })
})
