import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wholeOf } from '../../dist/accumulator/batch/arena.js'
import { Batch } from '../../dist/accumulator/batch/batch.js'
import { TopicState } from '../../dist/accumulator/partition/topic-state.js'
import { NO_LEADER } from '../../dist/protocol/node-endpoint.js'
import type { ProducePartitionResponse, ProduceResponse } from '../../dist/protocol/produce.js'
import { uuidKey, ZERO_UUID } from '../../dist/protocol/uuid.js'
import { ProduceRequest } from '../../dist/sender/produce-request.js'

const PARTITIONS = 3

function topicOf(name: string, handle: number, idByte: number): TopicState {
  const topic = new TopicState(name, handle)
  const partitions = Array.from({ length: PARTITIONS }, (_, index) => ({
    index,
    leaderId: 1,
    leaderEpoch: 0,
    replicas: [],
    isr: [],
  }))
  topic.update({ name, id: new Uint8Array(16).fill(idByte), partitions } as never)
  return topic
}

const topics = [topicOf('a', 0, 1), topicOf('b', 1, 2)]

/** Batches of all partitions of both topics, by topic or with the topics in turns. */
function requestOf(version: number, byTurns = false) {
  const batches = topics.flatMap(topic =>
    Array.from(
      { length: PARTITIONS },
      (_, index) => new Batch(index, wholeOf(new ArrayBuffer(100)), topic.partition(index), 0, true),
    ),
  )
  if (byTurns) batches.sort((one, other) => one.partition.index - other.partition.index)
  const options = { nodeId: 1, version, clientId: Buffer.from('c'), transactionalId: null, acks: -1 }
  const ignored = () => {}
  return new ProduceRequest({ ...options, timeoutMs: 1, batches, onWritten: ignored, onAnswer: ignored })
}

function answerOf(version: number, entries: readonly (readonly [string, readonly number[]])[]) {
  const responses = entries.map(([name, indexes]) => ({
    name: version >= 13 ? '' : name,
    topicId: version >= 13 ? new Uint8Array(16).fill({ a: 1, b: 2 }[name] ?? 9) : ZERO_UUID,
    partitionResponses: indexes.map(
      (index): ProducePartitionResponse => ({
        index,
        errorCode: 0,
        baseOffset: 0n,
        logAppendTimeMs: -1n,
        logStartOffset: 0n,
        recordErrors: [],
        errorMessage: null,
        currentLeader: NO_LEADER,
      }),
    ),
  }))
  return { responses, throttleTimeMs: 0, nodeEndpoints: [] } satisfies ProduceResponse
}

function matched(request: ProduceRequest, response: ProduceResponse) {
  const answered: string[] = []
  const unanswered: string[] = []
  const stray: string[] = []
  request.match(
    response,
    ({ partition }, entry) => {
      const name = `${partition.topic.name}-${partition.index}`
      if (entry === null) unanswered.push(name)
      else {
        assert.equal(entry.index, partition.index)
        answered.push(name)
      }
    },
    (topic, partition) => stray.push(`${topic}-${partition}`),
  )
  return { answered, unanswered, stray }
}

for (const version of [12, 13]) {
  const strayTopic = version >= 13 ? uuidKey(new Uint8Array(16).fill(9)) : 'c'
  const a = version >= 13 ? uuidKey(new Uint8Array(16).fill(1)) : 'a'

  test(`answers are matched to batches in any order, version ${version}`, () => {
    const all = ['a-0', 'a-1', 'a-2', 'b-0', 'b-1', 'b-2']
    for (const byTurns of [false, true]) {
      for (const [first, second] of [
        [
          [0, 1, 2],
          [0, 1, 2],
        ],
        [
          [2, 0, 1],
          [1, 2, 0],
        ],
      ] as const) {
        for (const entries of [
          [
            ['a', first],
            ['b', second],
          ],
          [
            ['b', second],
            ['a', first],
          ],
        ] as const) {
          const { answered, unanswered, stray } = matched(
            requestOf(version, byTurns),
            answerOf(version, entries),
          )
          assert.deepEqual(answered.sort(), all)
          assert.deepEqual([unanswered, stray], [[], []])
        }
      }
    }
  })

  test(`what an answer leaves out, repeats or makes up is told apart, version ${version}`, () => {
    const answer = answerOf(version, [
      ['c', [0]],
      ['a', [1, 1, 7, 0]],
      ['a', [0, 2]],
    ])
    assert.deepEqual(matched(requestOf(version), answer), {
      answered: ['a-1', 'a-0', 'a-2'],
      unanswered: ['b-0', 'b-1', 'b-2'],
      stray: [`${strayTopic}-0`, `${a}-1`, `${a}-7`, `${a}-0`],
    })
  })
}
