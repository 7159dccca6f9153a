import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, serializers } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { read, text, withProducer } from './support.js'

test('serializers are functions or objects, and see topic and headers', async () => {
  await using broker = await startBroker({ quiet: true })
  await using producer = new Producer<number, { id: number }>({
    bootstrapServers: broker.bootstrapServers,
    keySerializer: serializers.integer,
    valueSerializer: { serialize: (topic, data, headers) => JSON.stringify([topic, data, headers]) },
  })
  await producer.send({ topic: 'typed', key: 258, value: { id: 1 }, headers: { a: 'b' } })
  const [record] = Array.from(broker.records('typed'))
  assert.deepEqual([...(record?.key ?? [])], [0, 0, 1, 2])
  assert.equal(Buffer.from(record?.value ?? []).toString(), '["typed",{"id":1},{"a":"b"}]')
})

test('a serializer that throws fails its record with the cause, and no other', async () => {
  await using broker = await startBroker({ quiet: true })
  await using producer = new Producer<string, string>({
    'bootstrap.servers': broker.bootstrapServers,
    'value.serializer': (_topic, data) => {
      if (data === 'bad') throw new RangeError('no')
      return data
    },
  })
  const good = producer.send({ topic: 't', value: 'good' })
  await assert.rejects(producer.send({ topic: 't', value: 'bad' }), error => {
    assert.ok(error instanceof Error && 'code' in error)
    assert.equal(error.code, 'SERIALIZATION_FAILED')
    assert.ok(error.cause instanceof RangeError)
    return true
  })
  await good
})

test('a custom partitioner is asked with bytes and the cluster, for waiting records too', () =>
  withProducer(
    {
      partitioner: (topic, key, value, cluster) => {
        assert.equal(cluster.partitionCountForTopic(topic), 3)
        assert.ok(key instanceof Uint8Array && text(key) === 'k')
        return Number(value)
      },
    },
    async (producer, broker) => {
      await producer.sendMany(['2', '0', '1', '2'].map(value => ({ topic: 'custom', key: 'k', value })))
      const later = await producer.send({ topic: 'custom', key: 'k', value: '1' })
      assert.equal(later.partition, 1)
      for (const { partition, value } of read(broker, 'custom')) assert.equal(`${partition}`, value)
      await assert.rejects(producer.send({ topic: 'custom', key: 'k', value: '3' }), {
        code: 'RECORD_INVALID',
      })
      await assert.rejects(producer.send({ topic: 'custom', key: 'k', value: '-1' }), {
        code: 'RECORD_INVALID',
      })
    },
  ))

test('interceptors change records and hear of every outcome before the application does', async () => {
  const heard: unknown[] = []
  const interceptor = {
    onSend: (record: object) => ({ ...(record as { topic: string }), topic: 'renamed' }),
    onAcknowledgement: (metadata: { topic: string; offset: bigint }, error: Error | null) => {
      heard.push(error === null ? metadata.offset : (error as { code?: string }).code)
    },
  }
  const broken = {
    onSend: () => {
      throw new Error('broken')
    },
  }
  const silent = () => {}
  await withProducer(
    {
      interceptors: [broken, interceptor] as never,
      logger: { debug: silent, info: silent, warn: silent, error: silent },
    },
    async (producer, broker) => {
      await producer.send({ topic: 'original', partition: 0, value: 'a' })
      assert.deepEqual(heard, [0n])
      await producer.sendMany([
        { topic: 'original', partition: 0, value: 'b' },
        { topic: 'original', partition: 0, value: 'c' },
      ])
      assert.deepEqual(heard, [0n, 1n, 2n])
      await assert.rejects(producer.send({ topic: 'original', timestamp: -1, value: 'd' }))
      assert.deepEqual(heard.at(-1), 'RECORD_INVALID')
      assert.equal(read(broker, 'renamed').length, 3)
    },
  )
})

test('a callback that throws is logged and stops nobody', async () => {
  const logged: string[] = []
  const silent = () => {}
  await withProducer(
    { logger: { debug: silent, info: silent, warn: silent, error: message => logged.push(message) } },
    async producer => {
      producer.send({ topic: 't', partition: 0, value: 'a' }, () => {
        throw new Error('mine')
      })
      await producer.send({ topic: 't', partition: 0, value: 'b' })
      assert.equal(logged.length, 1)
    },
  )
})

test('a callback may send again, and may close', () =>
  withProducer({}, async (producer, broker) => {
    await new Promise<void>((resolve, reject) => {
      producer.send({ topic: 'again', value: '1' }, () => {
        producer.send({ topic: 'again', value: '2' }, error => {
          if (error !== null) reject(error)
          producer.close().then(resolve, reject)
        })
      })
    })
    assert.equal(read(broker, 'again').length, 2)
  }))

test('a Java .properties text makes a producer', async () => {
  await using broker = await startBroker({ quiet: true })
  await using producer = Producer.fromProperties(
    [
      '# as for the Java client',
      `bootstrap.servers=${broker.bootstrapServers}`,
      'key.serializer=org.apache.kafka.common.serialization.StringSerializer',
      'value.serializer=org.apache.kafka.common.serialization.ByteArraySerializer',
      'linger.ms = 0',
    ].join('\n'),
  )
  const metadata = await producer.send({ topic: 'props', key: 'k', value: Buffer.from('v') })
  assert.equal(metadata.offset, 0n)
})
