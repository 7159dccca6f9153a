import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, Producer } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { RecordingLogger } from '../helpers/cluster-options.js'

/** A plug-in that keeps what it is called with. */
function plugin<More extends object>(name: string, seen: unknown[], more: More) {
  return {
    configure: (configs: Record<string, unknown>, ...rest: unknown[]) =>
      seen.push([name, 'configure', configs['client.id'], configs['linger.ms'], ...rest]),
    onUpdate: (cluster: { clusterId: string | null }) => seen.push([name, 'onUpdate', cluster.clusterId]),
    close: () => {
      seen.push([name, 'close'])
    },
    ...more,
  }
}

describe('plug-ins', () => {
  test('are configured in Java’s order, hear of the cluster, and are closed once', async () => {
    await using broker = await startBroker({ quiet: true })
    const seen: unknown[] = []
    const serializer = plugin('serializer', seen, { serialize: (_: string, data: string) => data })
    await using producer = new Producer({
      bootstrapServers: broker.bootstrapServers,
      lingerMs: 3,
      clientId: 'the-client',
      keySerializer: serializer,
      valueSerializer: serializer,
      partitioner: plugin('partitioner', seen, { partition: () => 0 }),
      interceptors: [plugin('interceptor', seen, { onSend: (record: object) => record })] as never,
      metricReporters: [plugin('reporter', seen, { metricChange() {} })],
    })
    const configured = (name: string, ...rest: unknown[]) => [name, 'configure', 'the-client', 3, ...rest]
    assert.deepEqual(seen.splice(0), [
      configured('reporter'),
      configured('partitioner'),
      configured('serializer', true),
      configured('serializer', false),
      configured('interceptor'),
    ])
    await producer.send({ topic: 't', value: 'v' })
    const updates = seen.splice(0) as string[][]
    assert.ok(updates.length >= 4)
    assert.deepEqual(
      new Set(updates.map(([name]) => name)),
      new Set(['reporter', 'serializer', 'interceptor']),
    )
    for (const [, what, clusterId] of updates) {
      assert.equal(what, 'onUpdate')
      assert.equal(typeof clusterId, 'string')
    }
    await Promise.all([producer.close(), producer.close()])
    const closed = (seen as string[][]).filter(([, what]) => what === 'close').map(([name]) => name)
    assert.deepEqual(closed.sort(), ['interceptor', 'partitioner', 'reporter', 'serializer'])
  })

  test('that throw in configure refuse the options, and those before are closed', () => {
    const seen: unknown[] = []
    const bad = plugin('bad', seen, {
      onSend: (record: object) => record,
      configure: () => {
        throw new Error('no registry')
      },
    })
    assert.throws(
      () =>
        new Producer({
          bootstrapServers: '127.0.0.1:1',
          keySerializer: plugin('key', seen, { serialize: () => 'k' }) as never,
          interceptors: [bad] as never,
        }),
      (error: Error) =>
        error instanceof ConfigError &&
        /interceptor\.classes: its configure threw: no registry/.test(error.message) &&
        (error.cause as Error).message === 'no registry',
    )
    assert.deepEqual(
      (seen as string[][]).map(([name, what]) => `${name} ${what}`),
      ['key configure', 'key close'],
    )
  })

  test('that throw in onUpdate or close are logged, and nothing else changes', async () => {
    await using broker = await startBroker({ quiet: true })
    const logger = new RecordingLogger()
    const thrower = () => {
      throw new Error('of the plug-in')
    }
    await using producer = new Producer({
      bootstrapServers: broker.bootstrapServers,
      logger,
      valueSerializer: { serialize: (_: string, data: string) => data, onUpdate: thrower, close: thrower },
    })
    await producer.send({ topic: 't', value: 'v' })
    await producer.close()
    const warnings = logger.lines.filter(line => /value\.serializer: a plug-in threw in/.test(line.message))
    assert.ok(
      warnings.some(line => /onUpdate/.test(line.message)),
      JSON.stringify(logger.lines),
    )
    assert.ok(warnings.some(line => /close/.test(line.message)))
  })
})
