// @platformatic/kafka under measurement: see bench/support/commands.js for what it is told. Modes: `many`
// (arrays of 1,000 records) and `record` (arrays of one). It has no linger, no batch size and no compression
// levels. Headers are strings; keys and values are passed as they are where they are Buffers.
import { readFileSync } from 'node:fs'
import { Producer, stringSerializer, stringSerializers } from '@platformatic/kafka'
import { isText, tlsOptions } from '../../support/client-options.js'
import { givenArguments, obey } from '../../support/commands.js'
import { runOf } from './sends.js'

const given = givenArguments()
const tls = tlsOptions(given)
const producer = new Producer({
  clientId: 'bench',
  bootstrapBrokers: given.bootstrapServers.split(','),
  idempotent: true,
  compression: given.compression,
  serializers: isText(given)
    ? stringSerializers
    : { headerKey: stringSerializer, headerValue: stringSerializer },
  ...(tls ? { tls } : {}),
})
const manifest = new URL('node_modules/@platformatic/kafka/package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(manifest, 'utf8'))
const run = runOf(given, messages => producer.send({ messages }), { topic: given.topic })
await obey(`@platformatic/kafka ${version}`, run)
await producer.close()
