import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutJvmOptions } from '../../dist/config/index.js'
import { Producer } from '../../dist/index.js'
import { RecordingLogger } from '../helpers/cluster-options.js'

test('what only a JVM can follow is passed over in .properties files, with one warning', () => {
  const logger = new RecordingLogger()
  const properties = {
    'ssl.provider': 'BC',
    'security.providers': 'com.example.Providers',
    'ssl.trustmanager.algorithm': 'PKIX',
    'linger.ms': '5',
  }
  assert.deepEqual(withoutJvmOptions(properties, logger), { 'linger.ms': '5' })
  assert.deepEqual(
    logger.lines.map(({ message }) => message),
    ['only a JVM can follow these options, they are passed over: ssl.provider, security.providers'],
  )
})

test('in an options object it is refused', () => {
  const options = { bootstrapServers: '127.0.0.1:1', 'ssl.provider': 'BC' }
  assert.throws(() => new Producer(options as never), { name: 'ConfigError' })
})
