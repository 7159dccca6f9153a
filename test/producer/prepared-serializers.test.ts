import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type Headers,
  type KafkaError,
  Producer,
  type ProducerOptions,
  type ProducerSettings,
  SendManyError,
  SerializationError,
  type Serializer,
} from '../../dist/index.js'
import { startBroker, type TestBroker } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'

/** A serializer that is ready for a topic when told so. */
class Prepared implements Serializer<unknown> {
  readonly asked: string[] = []
  readonly seen: (Headers | undefined)[] = []
  private readonly waiting = new Map<string, PromiseWithResolvers>()
  private readonly ready = new Set<string>()

  prepare(topic: string): Promise<void> {
    this.asked.push(topic)
    let resolve: () => void = () => {}
    let reject: (error: unknown) => void = () => {}
    const promise = new Promise<void>((resolved, rejected) => {
      resolve = resolved
      reject = rejected
    })
    this.waiting.set(topic, { resolve, reject })
    return promise
  }

  finish(topic = 't'): void {
    this.ready.add(topic)
    this.waiting.get(topic)?.resolve()
  }

  refuse(error: unknown, topic = 't'): void {
    this.waiting.get(topic)?.reject(error)
  }

  serialize(topic: string, data: unknown, headers?: Headers) {
    assert.ok(this.ready.has(topic), 'serialized before it was ready')
    this.seen.push(headers)
    return data instanceof Uint8Array ? data : data === null ? null : `<${data}>`
  }
}

interface PromiseWithResolvers {
  resolve: () => void
  reject: (error: unknown) => void
}

async function withPrepared(
  work: (producer: Producer<unknown, unknown>, serializer: Prepared, broker: TestBroker) => Promise<void>,
  options: ProducerSettings<unknown, unknown> = {},
): Promise<void> {
  await using broker = await startBroker({ partitions: 1, quiet: true })
  const valueSerializer = new Prepared()
  await using producer = new Producer<unknown, unknown>({
    bootstrapServers: broker.bootstrapServers,
    lingerMs: 0,
    valueSerializer,
    ...options,
  } as ProducerOptions<unknown, unknown>)
  await work(producer, valueSerializer, broker)
}

function values(broker: TestBroker, topic = 't'): (string | null)[] {
  return Array.from(broker.records(topic), ({ value }) =>
    value === null ? null : Buffer.from(value).toString(),
  )
}

function calledBack(producer: Producer<unknown, unknown>, value: unknown, topic = 't'): Promise<bigint> {
  return new Promise((resolve, reject) => {
    producer.send({ topic, value }, (error, metadata) => {
      if (error === null) resolve(metadata.offset)
      else reject(error)
    })
  })
}

const isRefused = (cause: unknown) => (error: unknown) => {
  assert.ok(error instanceof SerializationError, String(error))
  assert.equal(error.code, 'SERIALIZATION_FAILED')
  assert.equal(error.cause, cause)
  assert.equal(error.topic, 't')
  return true
}

describe('records wait for prepare, in the order of their sends', () => {
  test('send with a promise', () =>
    withPrepared(async (producer, serializer, broker) => {
      const sent = [0, 1, 2].map(value => producer.send({ topic: 't', value }))
      serializer.finish()
      assert.deepEqual(
        (await Promise.all(sent)).map(({ offset }) => offset),
        [0n, 1n, 2n],
      )
      assert.equal((await producer.send({ topic: 't', value: 3 })).offset, 3n)
      assert.deepEqual(values(broker), ['<0>', '<1>', '<2>', '<3>'])
      assert.deepEqual(serializer.asked, ['t'])
    }))

  test('send with a callback', () =>
    withPrepared(async (producer, serializer, broker) => {
      const sent = [0, 1, 2].map(value => calledBack(producer, value))
      serializer.finish()
      assert.deepEqual(await Promise.all(sent), [0n, 1n, 2n])
      assert.deepEqual(values(broker), ['<0>', '<1>', '<2>'])
    }))

  test('sendMany, of several topics', () =>
    withPrepared(async (producer, serializer, broker) => {
      const records = Array.from({ length: 100 }, (_, i) => ({ topic: i % 3 === 0 ? 'u' : 't', value: i }))
      const sent = producer.sendMany(records)
      serializer.finish('t')
      await eventually('t is stored', () => values(broker).length === 66)
      assert.equal(values(broker, 'u').length, 0)
      serializer.finish('u')
      const report = await sent
      assert.deepEqual(
        Array.from(report, ({ topic, offset }) => `${topic} ${offset}`),
        records.map(({ topic }, i) => `${topic} ${topic === 'u' ? i / 3 : i - Math.floor(i / 3) - 1}`),
      )
    }))

  test('all ways mixed, before, while and after it becomes ready', () =>
    withPrepared(async (producer, serializer, broker) => {
      const sent: Promise<unknown>[] = []
      const expected: string[] = []
      const sendSome = (from: number) => {
        sent.push(producer.send({ topic: 't', value: from }))
        sent.push(calledBack(producer, from + 1))
        sent.push(producer.sendMany([from + 2, from + 3].map(value => ({ topic: 't', value }))))
        for (let i = 0; i < 4; i++) expected.push(`<${from + i}>`)
      }
      for (let round = 0; round < 10; round++) sendSome(round * 4)
      serializer.finish()
      sendSome(40)
      await null
      sendSome(44)
      await new Promise(setImmediate)
      sendSome(48)
      await Promise.all(sent)
      assert.deepEqual(values(broker), expected)
    }))

  test('in transactions: the commit waits for them', () =>
    withPrepared(
      async (producer, serializer, broker) => {
        await producer.initTransactions()
        producer.beginTransaction()
        const sent = [producer.send({ topic: 't', value: 0 }), calledBack(producer, 1)]
        const many = producer.sendMany([{ topic: 't', value: 2 }])
        const committed = producer.commitTransaction()
        await new Promise(resolve => setTimeout(resolve, 20))
        assert.equal(values(broker).length, 0)
        serializer.finish()
        await committed
        await Promise.all([...sent, many])
        assert.deepEqual(values(broker), ['<0>', '<1>', '<2>'])
        await producer.transaction(tx => tx.send({ topic: 't', value: 3 }))
        assert.equal(values(broker).length, 4)
      },
      { transactionalId: 'prepared' },
    ))

  test('in transactions: an abort fails them, and the next transaction goes on', () =>
    withPrepared(
      async (producer, serializer, broker) => {
        await producer.initTransactions()
        producer.beginTransaction()
        const sent = producer.send({ topic: 't', value: 0 })
        const many = producer.sendMany([{ topic: 't', value: 1 }])
        const failed = Promise.allSettled([sent, many])
        await producer.abortTransaction()
        for (const { status } of await failed) assert.equal(status, 'rejected')
        await assert.rejects(sent, { code: 'TRANSACTION_FAILED' })
        serializer.finish()
        await producer.transaction(tx => tx.send({ topic: 't', value: 2 }))
        assert.deepEqual(values(broker), ['<2>'])
      },
      { transactionalId: 'prepared' },
    ))

  test('a prepare that fails leaves its transaction alive, for the record never was part of it', () =>
    withPrepared(
      async (producer, serializer, broker) => {
        await producer.initTransactions()
        producer.beginTransaction()
        const sent = producer.send({ topic: 't', value: 0 })
        const cause = new Error('no schema')
        serializer.refuse(cause)
        await assert.rejects(sent, isRefused(cause))
        const again = producer.send({ topic: 't', value: 1 })
        await eventually('it is asked again', () => serializer.asked.length === 2)
        serializer.finish()
        await again
        await producer.commitTransaction()
        assert.deepEqual(values(broker), ['<1>'])
      },
      { transactionalId: 'prepared' },
    ))

  test('a prepare that fails makes its transaction fail once the end was asked for', () =>
    withPrepared(
      async (producer, serializer, broker) => {
        await producer.initTransactions()
        producer.beginTransaction()
        const sent = producer.send({ topic: 't', value: 0 })
        const committed = assert.rejects(producer.commitTransaction(), { abortable: true })
        const cause = new Error('no schema')
        serializer.refuse(cause)
        await assert.rejects(sent, isRefused(cause))
        await committed
        await producer.abortTransaction()
        const again = producer.transaction(tx => tx.send({ topic: 't', value: 1 }))
        await eventually('it is asked again', () => serializer.asked.length === 2)
        serializer.finish()
        await again
        assert.deepEqual(values(broker), ['<1>'])
      },
      { transactionalId: 'prepared' },
    ))

  test('with interceptors', () =>
    withPrepared(
      async (producer, serializer, broker) => {
        const sent = [0, 1].map(value => producer.send({ topic: 't', value }))
        const many = producer.sendMany([{ topic: 't', value: 2 }])
        serializer.finish()
        await Promise.all([...sent, many])
        assert.deepEqual(values(broker), ['<0!>', '<1!>', '<2!>'])
      },
      { interceptors: [{ onSend: record => ({ ...record, value: `${record.value}!` }) }] },
    ))

  test('keys and values: both are asked at once, and both must be ready', async () => {
    const keySerializer = new Prepared()
    await withPrepared(
      async (producer, valueSerializer, broker) => {
        const sent = producer.send({ topic: 't', key: 'k', value: 'v' })
        assert.deepEqual([keySerializer.asked, valueSerializer.asked], [['t'], ['t']])
        valueSerializer.finish()
        await new Promise(resolve => setTimeout(resolve, 20))
        keySerializer.finish()
        await sent
        const [record] = Array.from(broker.records('t'))
        assert.equal(Buffer.from(record?.key as Uint8Array).toString(), '<k>')
      },
      { keySerializer },
    )
  })

  test('one topic does not hold up another', () =>
    withPrepared(async (producer, serializer, broker) => {
      const waits = producer.send({ topic: 't', value: 0 })
      const goes = producer.send({ topic: 'u', value: 1 })
      serializer.finish('u')
      await goes
      serializer.finish('t')
      await waits
      assert.deepEqual([values(broker), values(broker, 'u')], [['<0>'], ['<1>']])
    }))

  test('a prepare without a promise keeps nobody waiting, whether it is a promise is seen each time', async () => {
    const asked: string[] = []
    const valueSerializer = {
      prepare: (topic: string) => {
        asked.push(topic)
      },
      serialize: (_topic: string, data: unknown) => `${data}`,
    }
    await withPrepared(
      async (producer, _, broker) => {
        await Promise.all([0, 1].map(value => producer.send({ topic: 't', value })))
        await producer.send({ topic: 'u', value: 2 })
        assert.deepEqual(asked, ['t', 'u'])
        assert.deepEqual(values(broker), ['0', '1'])
      },
      { valueSerializer },
    )
  })
})

describe('when prepare fails', () => {
  test('all that wait fail with its error, and the next record has it asked again', () =>
    withPrepared(async (producer, serializer, broker) => {
      const sent = [producer.send({ topic: 't', value: 0 }), calledBack(producer, 1)]
      const many = producer.sendMany([
        { topic: 't', value: 2 },
        { topic: 't', value: 3 },
      ])
      const cause = Object.assign(new Error('registry is down'), { code: 'X' })
      const settled = Promise.allSettled([...sent, many])
      serializer.refuse(cause)
      await settled
      for (const each of sent) await assert.rejects(each, isRefused(cause))
      await assert.rejects(many, (error: unknown) => {
        assert.ok(error instanceof SendManyError)
        assert.deepEqual([...error.errors.keys()], [0, 1])
        for (const each of error.errors.values()) isRefused(cause)(each)
        return true
      })
      const again = producer.send({ topic: 't', value: 4 })
      serializer.finish()
      assert.equal((await again).offset, 0n)
      assert.deepEqual(serializer.asked, ['t', 't'])
      assert.deepEqual(values(broker), ['<4>'])
    }))

  test('an error that says that it is retriable makes one that does', async () => {
    const refused = new SerializationError('later', { retriable: true })
    await withPrepared(async (producer, serializer) => {
      const sent = producer.send({ topic: 't', value: 0 })
      serializer.refuse(refused)
      await assert.rejects(sent, (error: KafkaError) => error.retriable && error.cause === refused)
      const other = producer.send({ topic: 't', value: 0 })
      serializer.refuse('no Error')
      await assert.rejects(other, (error: KafkaError) => !error.retriable && error.cause === 'no Error')
    })
  })

  test('one that throws at once', async () => {
    const cause = new RangeError('at once')
    let isGood = false
    const valueSerializer = {
      prepare: () => {
        if (!isGood) throw cause
      },
      serialize: (_topic: string, data: unknown) => `${data}`,
    }
    await withPrepared(
      async (producer, _, broker) => {
        await assert.rejects(producer.send({ topic: 't', value: 0 }), isRefused(cause))
        isGood = true
        await producer.send({ topic: 't', value: 1 })
        assert.deepEqual(values(broker), ['1'])
      },
      { valueSerializer },
    )
  })

  test('max.block.ms bounds the wait; what is being prepared goes on', () =>
    withPrepared(
      async (producer, serializer, broker) => {
        const sent = [producer.send({ topic: 't', value: 0 }), calledBack(producer, 1)]
        await Promise.allSettled(sent)
        for (const each of sent) {
          await assert.rejects(each, { code: 'TIMED_OUT', topic: 't', retriable: true })
        }
        await assert.rejects(producer.sendMany([{ topic: 't', value: 2 }]), SendManyError)
        const last = producer.send({ topic: 't', value: 3 })
        serializer.finish()
        assert.equal((await last).offset, 0n)
        assert.deepEqual(serializer.asked, ['t'])
        assert.deepEqual(values(broker), ['<3>'])
      },
      { maxBlockMs: 300 },
    ))

  test('data that cannot be serialized once it is ready fails alone', () =>
    withPrepared(async (producer, serializer, broker) => {
      const good = producer.send({ topic: 't', value: 0 })
      const bad = producer.send({ topic: 't', value: Symbol('bad') })
      const other = producer.send({ topic: 't', value: 1 })
      serializer.finish()
      await assert.rejects(bad, { code: 'SERIALIZATION_FAILED' })
      await Promise.all([good, other])
      assert.deepEqual(values(broker), ['<0>', '<1>'])
    }))

  test('what is wrong with a record that waits is said at once', () =>
    withPrepared(async (producer, serializer) => {
      const wrong: [object, string][] = [
        [{ topic: 't', value: 0, partition: -1 }, 'RECORD_INVALID'],
        [{ topic: 't', value: 0, timestamp: 'now' }, 'RECORD_INVALID'],
        [{ topic: 't', value: 0, headers: [['a', {}]] }, 'RECORD_INVALID'],
        [{ topic: 'no topic', value: 0 }, 'TOPIC_INVALID'],
        [{ topic: 't' }, 'RECORD_INVALID'],
      ]
      for (const [record, code] of wrong) await assert.rejects(producer.send(record as never), { code })
      serializer.finish()
    }))

  test('no more records wait than maxBlockBytes allows, a KiB each and their bytes', () =>
    withPrepared(
      async (producer, serializer, broker) => {
        const sent = Array.from({ length: 40 }, (_, value) => producer.send({ topic: 't', value }))
        const outcomes = Promise.allSettled(sent)
        await assert.rejects(sent[32] as Promise<unknown>, { code: 'BUFFER_EXHAUSTED', retriable: true })
        assert.equal(producer.waitingBytes, 32 * 1024)
        serializer.finish()
        const statuses = (await outcomes).map(({ status }) => status)
        assert.deepEqual(statuses.indexOf('rejected'), 32)
        await producer.send({ topic: 't', value: 'more' })
        assert.equal(values(broker).length, 33)
        assert.equal(producer.waitingBytes, 0)
      },
      { maxBlockBytes: 32 * 1024 },
    ))
})

describe('flush and close', () => {
  test('flush waits for what waits, not for what is sent later', () =>
    withPrepared(async (producer, serializer, broker) => {
      let isFlushed = false
      const sent = producer.send({ topic: 't', value: 0 })
      const flushed = producer.flush().then(() => {
        isFlushed = true
      })
      const later = producer.send({ topic: 'u', value: 1 })
      await new Promise(resolve => setTimeout(resolve, 20))
      assert.equal(isFlushed, false)
      serializer.finish()
      await flushed
      assert.deepEqual(values(broker), ['<0>'])
      await sent
      serializer.finish('u')
      await later
    }))

  test('flush ends when what it waited for has failed', () =>
    withPrepared(async (producer, serializer) => {
      const sent = producer.send({ topic: 't', value: 0 })
      const flushed = producer.flush()
      serializer.refuse(new Error('no'))
      await assert.rejects(sent)
      await flushed
    }))

  test('close sends what waits', () =>
    withPrepared(async (producer, serializer, broker) => {
      const sent = producer.send({ topic: 't', value: 0 })
      const closed = producer.close()
      serializer.finish()
      await Promise.all([sent, closed])
      assert.deepEqual(values(broker), ['<0>'])
    }))

  test('close with a time-out fails what waits; what becomes ready later changes nothing', () =>
    withPrepared(async (producer, serializer, broker) => {
      const sent = producer.send({ topic: 't', value: 0 })
      const failed = assert.rejects(sent, { code: 'PRODUCER_CLOSED' })
      await producer.close({ timeoutMs: 0 })
      await failed
      serializer.finish()
      await new Promise(setImmediate)
      assert.deepEqual(values(broker), [])
    }))
})

describe('what waits is what was sent', () => {
  test('bytes, headers and the time are those of the send', () =>
    withPrepared(async (producer, serializer, broker) => {
      const value = Buffer.from('before')
      const key = Uint8Array.of(1)
      const header = Uint8Array.of(2)
      const headers: [string, Uint8Array][] = [['h', header]]
      const record = { topic: 't', key, value, headers, partition: 0 }
      const beforeMs = Date.now()
      const sent = producer.send(record)
      const afterMs = Date.now()
      value.fill('x')
      key[0] = 9
      header[0] = 9
      headers.push(['other', header])
      Object.assign(record, { topic: 'u', partition: 5 })
      await new Promise(resolve => setTimeout(resolve, 30))
      serializer.finish()
      await sent
      const [stored] = Array.from(broker.records('t'))
      assert.equal(Buffer.from(stored?.value ?? []).toString(), 'before')
      assert.deepEqual(Array.from(stored?.key ?? []), [1])
      assert.equal(stored?.headers.length, 1)
      const timestamp = Number(stored?.timestamp)
      assert.ok(timestamp >= beforeMs && timestamp <= afterMs, `${timestamp}`)
    }))

  test('a serializer sees the headers, and the partitioner the bytes', () =>
    withPrepared(
      async (producer, serializer) => {
        const sent = producer.send({ topic: 't', value: 'v', headers: { a: 'b' } })
        const plain = producer.send({ topic: 't', value: 'v' })
        serializer.finish()
        assert.equal((await sent).partition, 0)
        await plain
        assert.deepEqual(serializer.seen, [[['a', 'b']], undefined])
      },
      {
        partitioner: (_topic, _key, value) => {
          assert.ok(value instanceof Uint8Array && String(value) === '<v>')
          return 0
        },
      },
    ))
})

describe('code of the caller’s that sends', () => {
  test('a prepare that sends to its topic is asked once', async () => {
    let producer: Producer<unknown, unknown> | undefined
    const sent: Promise<unknown>[] = []
    let asked = 0
    const valueSerializer = {
      prepare: () => {
        asked++
        sent.push(producer?.send({ topic: 't', value: 'inner' }) as Promise<unknown>)
      },
      serialize: (_topic: string, data: unknown) => `${data}`,
    }
    await withPrepared(
      async (made, _, broker) => {
        producer = made
        await made.send({ topic: 't', value: 'outer' })
        await Promise.all(sent)
        assert.equal(asked, 1)
        assert.deepEqual(values(broker), ['inner', 'outer'])
      },
      { valueSerializer },
    )
  })

  test('a serializer that sends: behind all that wait', async () => {
    let producer: Producer<unknown, unknown> | undefined
    const sent: Promise<unknown>[] = []
    let finish: () => void = () => {}
    const valueSerializer = {
      prepare: () =>
        new Promise<void>(resolve => {
          finish = resolve
        }),
      serialize: (_topic: string, data: unknown) => {
        if (data === 0) sent.push(producer?.send({ topic: 't', value: 'nested' }) as Promise<unknown>)
        return `${data}`
      },
    }
    await withPrepared(
      async (made, _, broker) => {
        producer = made
        sent.push(...[0, 1, 2].map(value => made.send({ topic: 't', value })))
        finish()
        await sent[0]
        await Promise.all(sent)
        assert.deepEqual(values(broker), ['0', '1', '2', 'nested'])
      },
      { valueSerializer },
    )
  })

  test('a serializer that aborts the transaction fails the records that wait, each once', async () => {
    let producer: Producer<unknown, unknown> | undefined
    let aborted: Promise<void> | undefined
    let finish: () => void = () => {}
    const valueSerializer = {
      prepare: () =>
        new Promise<void>(resolve => {
          finish = resolve
        }),
      serialize: (_topic: string, data: unknown) => {
        if (data === 1) aborted = producer?.abortTransaction()
        return `${data}`
      },
    }
    await withPrepared(
      async (made, _, broker) => {
        producer = made
        await made.initTransactions()
        made.beginTransaction()
        const told: string[] = []
        for (const value of [0, 1, 2]) {
          made.send({ topic: 't', value }, error => told.push(`${value} ${error?.code}`))
        }
        finish()
        await eventually('all are told', () => told.length >= 3)
        await aborted
        await new Promise(resolve => setTimeout(resolve, 20))
        assert.deepEqual(
          told.sort(),
          [0, 1, 2].map(value => `${value} TRANSACTION_FAILED`),
        )
        await made.transaction(tx => tx.send({ topic: 't', value: 3 }))
        assert.deepEqual(values(broker), ['3'])
      },
      { valueSerializer, transactionalId: 'prepared' },
    )
  })
})

describe('serializers that add headers', () => {
  const adding = (name: string): Serializer<unknown> => ({
    addsHeaders: true,
    serialize: (_topic, data, headers) => {
      assert.ok(Array.isArray(headers))
      headers.push([name, Uint8Array.of(1, 2)])
      return `${data}`
    },
  })

  test('they get an array of their own, and the record has what they add', () =>
    withPrepared(
      async (producer, _, broker) => {
        const headers = { a: 'b', c: ['d', 'e'] }
        const record = { topic: 't', key: 'k', value: 'v', headers }
        await producer.send(record)
        await producer.sendMany([record, { topic: 't', value: 'no headers' }])
        assert.deepEqual(headers, { a: 'b', c: ['d', 'e'] })
        const names = Array.from(broker.records('t'), each => each.headers.map(([name]) => name).join(' '))
        assert.deepEqual(names, ['a c c key value', 'a c c key value', 'key value'])
      },
      { keySerializer: adding('key'), valueSerializer: adding('value') },
    ))
})
