import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DeliveryCallback, Producer, type RecordMetadata } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { read, withProducer } from './support.js'

test('send resolves with the place, the time and the sizes of the record', () =>
  withProducer({}, async (producer, broker) => {
    const before = Date.now()
    const first = await producer.send({ topic: 'orders', partition: 2, key: 'user-42', value: 'né' })
    const second = await producer.send({ topic: 'orders', partition: 2, value: null })
    assert.equal(first.topic, 'orders')
    assert.equal(first.partition, 2)
    assert.equal(first.offset, 0n)
    assert.equal(first.serializedKeySize, 7)
    assert.equal(first.serializedValueSize, 3)
    assert.ok(first.timestamp >= before && first.timestamp <= Date.now())
    assert.equal(second.offset, 1n)
    assert.equal(second.serializedKeySize, -1)
    assert.equal(second.serializedValueSize, -1)
    const stored = read(broker, 'orders')
    assert.deepEqual(
      stored.map(({ key, value }) => [key, value]),
      [
        ['user-42', 'né'],
        [null, null],
      ],
    )
    assert.equal(stored[0]?.timestamp, first.timestamp)
  }))

test('a callback is called on a later turn with the error or null first, and no promise is made', () =>
  withProducer({}, async (producer, broker) => {
    let returned = false
    const outcome = await new Promise<unknown[]>(resolve => {
      const result: unknown = producer.send({ topic: 'clicks', value: 'a' }, (error, metadata) => {
        resolve([returned, error, metadata.topic, metadata.offset])
      })
      assert.equal(result, true)
      returned = true
    })
    assert.deepEqual(outcome, [true, null, 'clicks', 0n])
    const failure = await new Promise<unknown[]>(resolve => {
      producer.send({ topic: '', value: 'a' }, (error, metadata) => resolve([error?.code, metadata.offset]))
    })
    assert.deepEqual(failure, ['TOPIC_INVALID', -1n])
    assert.equal(read(broker, 'clicks').length, 1)
  }))

test('only a callback that is not a function makes send throw', () =>
  withProducer({}, async producer => {
    assert.throws(() => producer.send({ topic: 't', value: 'a' }, 5 as never), TypeError)
  }))

test('records of one partition are stored in the order of the calls, whatever form they take', () =>
  withProducer({ batchSize: 500 }, async (producer, broker) => {
    const expected: string[] = []
    const sends: Promise<unknown>[] = []
    for (let i = 0; i < 2000; i++) {
      const value = `${i}`.padEnd((i * 37) % 90, '.')
      expected.push(value)
      const bytes = i % 3 === 0 ? value : Buffer.from(value)
      const record = { topic: 'ordered', partition: 1, value: bytes }
      if (i % 7 === 0) sends.push(producer.send({ ...record, headers: { n: `${i}` } }))
      else if (i % 11 === 0) producer.send(record, () => {})
      else if (i % 13 === 0) sends.push(producer.sendMany([record]))
      else sends.push(producer.send(record))
      if (i % 500 === 499) await sends.at(-1)
    }
    await Promise.all(sends)
    await producer.flush()
    assert.deepEqual(
      read(broker, 'ordered', 1).map(record => record.value),
      expected,
    )
  }))

test('the caller may overwrite its buffers as soon as send has returned', () =>
  withProducer({}, async (producer, broker) => {
    const small = Buffer.alloc(20, 'a')
    const large = Buffer.alloc(30_000, 'b')
    // The first sends wait for metadata, the later ones go straight into a batch.
    for (let round = 0; round < 2; round++) {
      const sends = [small, large].map(value =>
        producer.send({ topic: 'reuse', partition: 0, key: small, value }),
      )
      small.fill('x')
      large.fill('y')
      await Promise.all(sends)
      small.fill('a')
      large.fill('b')
    }
    for (const { key, value } of read(broker, 'reuse')) {
      assert.equal(key, 'a'.repeat(20))
      assert.ok(value === 'a'.repeat(20) || value === 'b'.repeat(30_000))
    }
  }))

test('views of shared, resizable and offset buffers are copied as they are', () =>
  withProducer({}, async (producer, broker) => {
    const shared = new Uint8Array(new SharedArrayBuffer(8)).fill(65)
    const whole = new TextEncoder().encode('..middle..')
    const values: Uint8Array[] = [shared, whole.subarray(2, 8), new Uint8Array(0)]
    const Resizable = ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer
    values.push(new Uint8Array(new Resizable(4, { maxByteLength: 16 })).fill(66))
    await producer.sendMany(values.map(value => ({ topic: 'views', partition: 0, key: value, value })))
    const expected = ['AAAAAAAA', 'middle', '', 'BBBB']
    assert.deepEqual(
      read(broker, 'views').map(({ key, value }) => [key, value]),
      expected.map(value => [value, value]),
    )
  }))

test('headers keep their order, repeats and null values, given as pairs or as an object', () =>
  withProducer({}, async (producer, broker) => {
    const binary = Uint8Array.of(0, 255)
    await producer.send({
      topic: 'headed',
      value: 'v',
      headers: [
        ['trace', 'α'],
        ['n', null],
        ['trace', binary],
        ['', ''],
      ],
    })
    await producer.send({ topic: 'headed', value: 'v', headers: { a: ['1', '2'], b: null, c: binary } })
    await producer.send({ topic: 'headed', value: 'v', headers: new Map([['m', 'map']]) })
    const names = Array.from({ length: 1000 }, (_, i) => [`h${i}`, `${i}`] as const)
    await producer.send({ topic: 'headed', value: 'v', headers: names })
    const headers = read(broker, 'headed').map(record =>
      record.headers.map(([name, value]) => [
        name,
        value === null ? null : Buffer.from(value).toString('latin1'),
      ]),
    )
    const alpha = Buffer.from('α').toString('latin1')
    assert.deepEqual(
      new Set(headers.map(list => JSON.stringify(list))),
      new Set(
        [
          [
            ['trace', alpha],
            ['n', null],
            ['trace', '\x00\xff'],
            ['', ''],
          ],
          [
            ['a', '1'],
            ['a', '2'],
            ['b', null],
            ['c', '\x00\xff'],
          ],
          [['m', 'map']],
          names,
        ].map(list => JSON.stringify(list)),
      ),
    )
  }))

test('sends of one turn of the event loop share a batch although nothing lingers', () =>
  withProducer({}, async (producer, broker) => {
    await producer.partitionsFor('turn')
    const sends = Array.from({ length: 50 }, (_, i) =>
      producer.send({ topic: 'turn', partition: 0, value: `${i}` }),
    )
    await Promise.all(sends)
    assert.equal(broker.counters().batches, 1)
  }))

test('keys decide the partition as in Java, strings and bytes alike', () =>
  withProducer({}, async (producer, broker) => {
    // toPositive(murmur2(key)) mod 3, computed with kafka-clients 4.3.0
    const expected = { '21': 0, foobar: 0, 'a-little-bit-long-string': 2, abc: 0, a: 1, ab: 2, key: 1, '': 0 }
    const keys = Object.keys(expected)
    const asText = await producer.sendMany(keys.map(key => ({ topic: 'keyed', key, value: '' })))
    const asBytes = await producer.sendMany(
      keys.map(key => ({ topic: 'keyed', key: Buffer.from(key), value: '' })),
    )
    for (const report of [asText, asBytes]) {
      assert.deepEqual(
        Array.from(report, metadata => metadata.partition),
        Object.values(expected),
      )
    }
    assert.equal(read(broker, 'keyed').length, 2 * keys.length)
  }))

test('records without a key stay with one partition until it has had its share', () =>
  withProducer({ batchSize: 2000 }, async (producer, broker) => {
    await producer.partitionsFor('sticky')
    const sends = Array.from({ length: 1000 }, () =>
      producer.send({ topic: 'sticky', value: 'x'.repeat(100) }),
    )
    const partitions = (await Promise.all(sends)).map(metadata => metadata.partition)
    const runs = partitions.filter((partition, i) => partition !== partitions[i - 1]).length
    assert.equal(new Set(partitions).size, 3)
    assert.ok(runs < 100, `${runs} runs`)
    assert.equal(read(broker, 'sticky').length, 1000)
  }))

test('a full batch does not linger, even if its partition gets no other batch', () =>
  withProducer({ batchSize: 2000, lingerMs: 60_000 }, async (producer, broker) => {
    await producer.partitionsFor('full')
    const sends = Array.from({ length: 200 }, () => producer.send({ topic: 'full', value: 'x'.repeat(100) }))
    const stored = () => read(broker, 'full').length
    // All but the last batch, which holds fewer than 20 records.
    for (let waited = 0; stored() <= 180 && waited < 250; waited++) {
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    assert.ok(stored() > 180, `${stored()} of 200 were stored`)
    await producer.flush()
    await Promise.all(sends)
  }))

for (const acks of ['0', '1', 'all'] as const) {
  test(`acks ${acks}: every record arrives; the offset is known unless nobody answers`, () =>
    withProducer({ acks }, async (producer, broker) => {
      const metadata = await producer.send({ topic: 'acked', partition: 0, value: 'v' })
      assert.equal(metadata.offset, acks === '0' ? -1n : 0n)
      await producer.sendMany(
        Array.from({ length: 100 }, (_, i) => ({ topic: 'acked', partition: 0, value: `${i}` })),
      )
      for (let waited = 0; read(broker, 'acked').length < 101 && waited < 100; waited++) {
        await new Promise(resolve => setTimeout(resolve, 20))
      }
      assert.equal(read(broker, 'acked').length, 101)
    }))
}

for (const compressionType of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
  test(`compression ${compressionType}: small, large and incompressible batches are read back equal`, () =>
    withProducer({ compressionType, batchSize: 40_000 }, async (producer, broker) => {
      const noise = Uint8Array.from({ length: 39_000 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 255)
      const values = ['', 'a', 'b'.repeat(100), 'c'.repeat(35_000), 'd'.repeat(200_000)]
      const sends = values.map((value, i) =>
        producer.send({ topic: 'packed', partition: 0, key: `${i}`, value }),
      )
      sends.push(producer.send({ topic: 'packed', partition: 0, key: 'noise', value: noise }))
      await Promise.all(sends)
      const records = Array.from(broker.records('packed'))
      assert.deepEqual(
        records.slice(0, -1).map(({ value }) => Buffer.from(value ?? []).toString()),
        values,
      )
      assert.deepEqual(Buffer.from(records.at(-1)?.value ?? []), Buffer.from(noise))
    }))
}

test('after flush every byte of buffer.memory is free again', () =>
  withProducer({ bufferMemory: 1_000_000, batchSize: 10_000 }, async (producer, broker) => {
    assert.equal(producer.bufferTotalBytes, 1_000_000)
    for (let i = 0; i < 500; i++)
      producer.send({ topic: 'free', key: `${i}`, value: 'v'.repeat(i * 40) }, () => {})
    await producer.flush()
    assert.equal(producer.bufferAvailableBytes, producer.bufferTotalBytes)
    assert.equal(read(broker, 'free').length, 500)
  }))

test('sends beyond buffer.memory wait their turn and all arrive in order', () =>
  withProducer({ bufferMemory: 60_000, batchSize: 10_000 }, async (producer, broker) => {
    const values = Array.from({ length: 3000 }, (_, i) => `${i}`.padEnd(100, '.'))
    const sends = values.map((value, i) =>
      producer.send({ topic: 'waiting', partition: 0, value: i % 2 ? value : Buffer.from(value) }),
    )
    await Promise.all(sends)
    assert.deepEqual(
      read(broker, 'waiting').map(record => record.value),
      values,
    )
    assert.equal(producer.bufferAvailableBytes, 60_000)
  }))

test('partitionsFor tells the partitions and their leaders', () =>
  withProducer({}, async producer => {
    const partitions = await producer.partitionsFor('described')
    assert.deepEqual(
      partitions.map(({ topic, partition, leader }) => [topic, partition, leader]),
      [
        ['described', 0, 1],
        ['described', 1, 1],
        ['described', 2, 1],
      ],
    )
  }))

test('close sends what has been accepted; later calls are refused and later closes change nothing', async () => {
  await using broker = await startBroker({ quiet: true })
  const producer = new Producer({
    bootstrapServers: broker.bootstrapServers,
    lingerMs: 60_000,
    deliveryTimeoutMs: 120_000,
  })
  const sends = Array.from({ length: 10 }, (_, i) => producer.send({ topic: 'closing', value: `${i}` }))
  await producer.close()
  await Promise.all(sends)
  assert.equal(read(broker, 'closing').length, 10)
  await assert.rejects(producer.send({ topic: 'closing', value: 'late' }), { code: 'PRODUCER_CLOSED' })
  await assert.rejects(producer.partitionsFor('closing'), { code: 'PRODUCER_CLOSED' })
  await producer.close({ timeoutMs: 0 })
})

test('close with a time-out rejects what could not be delivered in time', async () => {
  await using broker = await startBroker({ quiet: true })
  const held = broker.hold({ api: 'Produce' })
  const producer = new Producer({ bootstrapServers: broker.bootstrapServers, lingerMs: 0 })
  const send = producer.send({ topic: 'held', value: 'v' })
  const settled = assert.rejects(send, { code: 'PRODUCER_CLOSED' })
  await producer.close({ timeoutMs: 100 })
  await settled
  held.release()
})

test('many topics and many partitions share one producer', () =>
  withProducer(
    { bufferMemory: 64 * 1024 * 1024 },
    async (producer, broker) => {
      const records = Array.from({ length: 3000 }, (_, i) => ({
        topic: `topic-${i % 30}`,
        partition: i % 100,
        value: `${i}`,
      }))
      const report = await producer.sendMany(records)
      for (const [i, record] of records.entries()) {
        assert.equal(report[i]?.topic, record.topic)
        assert.equal(report[i]?.partition, record.partition)
      }
      let count = 0
      for (let topic = 0; topic < 30; topic++) count += read(broker, `topic-${topic}`).length
      assert.equal(count, 3000)
    },
    { nodes: 3, partitions: 100 },
  ))

test('callbacks of a partition come in the order of the sends, whatever way their records took', () =>
  withProducer(
    { batchSize: 4096 },
    async (producer, broker) => {
      await producer.partitionsFor('mixed')
      const heard: number[] = []
      const wrong: string[] = []
      for (let i = 0; i < 2000; i++) {
        const key = Buffer.from(`${i}`)
        const value = Buffer.alloc(i % 211 === 7 ? 3000 : 20, `${i};`)
        const record = {
          topic: 'mixed',
          // A string is appended directly; a time far from the others' begins a group of its own.
          key: i % 103 === 3 ? `${i}` : key,
          value,
          ...(i % 197 === 5 ? { timestamp: i } : {}),
        }
        producer.send(record, (error, { serializedKeySize, serializedValueSize, timestamp }) => {
          heard.push(i)
          const isRight =
            error === null &&
            serializedKeySize === key.length &&
            serializedValueSize === value.length &&
            timestamp === (record.timestamp ?? timestamp)
          if (!isRight) wrong.push(`${i}: ${error?.message}`)
          if (i === 500) throw new Error('a callback that throws stops no other')
        })
      }
      await producer.flush()
      const numbers = Array.from({ length: 2000 }, (_, i) => i)
      assert.deepEqual(wrong, [])
      assert.deepEqual(heard, numbers)
      assert.deepEqual(
        read(broker, 'mixed').map(({ key }) => Number(key)),
        numbers,
      )
    },
    { partitions: 1 },
  ))

test('what a callback sends comes after it, and callbacks of records without memory are called, too', () =>
  withProducer({ batchSize: 1024, bufferMemory: 8192 }, async (producer, broker) => {
    await producer.partitionsFor('again')
    let heard = 0
    const send = (i: number, depth: number) =>
      producer.send({ topic: 'again', key: Buffer.from(`${i}`), value: Buffer.alloc(90) }, error => {
        if (error === null) heard++
        if (depth > 0) send(i, depth - 1)
      })
    for (let i = 0; i < 400; i++) send(i, 2)
    while (heard < 1200) await producer.flush()
    assert.equal(read(broker, 'again').length, 1200)
    assert.equal(producer.bufferAvailableBytes, producer.bufferTotalBytes)
  }))

for (const [memory, options] of [
  ['ample', { batchSize: 1024 }],
  ['scarce', { batchSize: 512, bufferMemory: 2048 }],
] as const) {
  test(`whatever way each record takes, order and places are right with ${memory} memory`, () =>
    withProducer(options, async (producer, broker) => {
      await producer.partitionsFor('ways')
      const told = new Map<string, string>()
      const tell = (name: string, place: { partition: number; offset: bigint }) =>
        told.set(`${place.partition}-${place.offset}`, name)
      const pending: Promise<void>[] = []
      for (let i = 0; i < 3000; i++) {
        const name = `${i}`
        const plain = { topic: 'ways', key: Buffer.from(`${i % 50}`), value: Buffer.from(name) }
        const alone = (record: Parameters<typeof producer.send>[0]) =>
          producer.send(record).then(metadata => {
            assert.equal(metadata.serializedValueSize, name.length)
            tell(name, metadata)
          })
        // Mostly the same way for a while, now and then another each time.
        const way = i % 700 < 500 ? (Math.floor(i / 90) % 4) * 3 : i % 11
        if (way === 1) pending.push(alone({ ...plain, value: name }))
        else if (way === 2) pending.push(alone({ ...plain, partition: i % 3 }))
        else if (way === 3) pending.push(alone({ topic: 'ways', value: plain.value }))
        else if (way === 4) pending.push(alone({ ...plain, headers: { a: 'b' } }))
        else if (way === 5) pending.push(alone({ ...plain, timestamp: i }))
        else if (way === 6) producer.send(plain, (error, metadata) => error ?? tell(name, metadata))
        else if (way === 7) producer.send({ ...plain, headers: {} }, (_, metadata) => tell(name, metadata))
        else if (way === 8)
          pending.push(
            producer.sendMany([plain]).then(report => void tell(name, report.at(0) as RecordMetadata)),
          )
        else pending.push(alone(plain))
        if (i % 97 === 0) await new Promise<void>(resolve => setImmediate(resolve))
        if (i % 411 === 0) void producer.flush()
      }
      await Promise.all(pending)
      await producer.flush()
      assert.equal(told.size, 3000)
      for (let partition = 0; partition < 3; partition++) {
        const stored = read(broker, 'ways', partition)
        for (const { offset, value } of stored) assert.equal(told.get(`${partition}-${offset}`), value)
        const numbers = stored.map(({ value }) => Number(value))
        assert.deepEqual(
          numbers,
          numbers.toSorted((one, other) => one - other),
        )
      }
      assert.equal(producer.bufferAvailableBytes, producer.bufferTotalBytes)
    }))
}

test('flush and close resolve after the callbacks of records that were refused', () =>
  withProducer({}, async producer => {
    const codes: (string | undefined)[] = []
    const callback: DeliveryCallback = error => codes.push(error?.code)
    producer.send({ topic: 'no such topic!', value: 'a' }, callback)
    await producer.flush()
    assert.deepEqual(codes, ['TOPIC_INVALID'])
    producer.send({ topic: 'orders', value: 'never sent' }, callback)
    producer.send({ topic: 'no such topic!', value: 'b' }, callback)
    await producer.close({ timeoutMs: 0 })
    assert.deepEqual(codes.slice(1).sort(), ['PRODUCER_CLOSED', 'TOPIC_INVALID'])
  }))
