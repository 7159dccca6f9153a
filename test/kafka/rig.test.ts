import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { refused, refusedHereOnly, taken } from '../testing/odd-batches.js'
import { RawClient } from '../testing/support.js'
import { type Kafka, startKafka } from './broker.js'
import { RecordDigest } from './digest.js'
import { kafkaSkip } from './java.js'
import { findKcat, JavaClient } from './java-client.js'

const skip = kafkaSkip()

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('the rig of a real Apache Kafka', { skip, timeout: 120_000 }, () => {
  let kafka: Kafka
  let java: JavaClient

  before(async () => {
    java = new JavaClient()
    kafka = await startKafka({ properties: { 'num.partitions': 3 } })
  })
  after(async () => {
    await java?.close()
    await kafka?.stop()
  })

  test('the Java consumer reads an empty topic as empty', async () => {
    await java.createTopic(kafka.bootstrapServers, 'empty', { partitions: 3 })
    assert.deepEqual(await java.read(kafka.bootstrapServers, 'empty'), [])
    assert.deepEqual(await java.digest(kafka.bootstrapServers, 'empty'), [])
  })

  test('a command that fails rejects with what Java says and the next one is served', async () => {
    await java.createTopic(kafka.bootstrapServers, 'twice')
    await assert.rejects(java.createTopic(kafka.bootstrapServers, 'twice'), /TopicExistsException/)
    assert.deepEqual(await java.partitionsOf([Buffer.from('abc')], 1), [0])
  })

  test("records of kafka's own producer are read back with their bytes, headers and digest", async () => {
    await java.createTopic(kafka.bootstrapServers, 'known')
    const headers: [string, Buffer | null][] = [
      ['é', Buffer.from([0, 255])],
      ['é', null],
      ['', Buffer.alloc(0)],
    ]
    const records = [
      { key: Buffer.from('k'), value: Buffer.from([0, 10, 9, 13]), headers },
      { key: null, value: null, headers: [] },
      { key: Buffer.alloc(0), value: Buffer.alloc(0), headers: [] },
    ]
    for (const record of records) await java.produce(kafka.bootstrapServers, 'known', record)
    const read = await java.read(kafka.bootstrapServers, 'known')
    assert.deepEqual(
      read.map(({ key, value, headers }) => ({ key, value, headers })),
      records,
    )
    assert.deepEqual(
      read.map(record => record.offset),
      [0, 1, 2],
    )
    const expected = new RecordDigest()
    for (const record of records) expected.add(record)
    const [digest] = await java.digest(kafka.bootstrapServers, 'known')
    assert.equal(digest?.sha256, expected.hex())
    assert.equal(digest?.count, 3)
  })

  test('what the in-process broker takes or refuses of odd batches, this Kafka does, too', async () => {
    await java.createTopic(kafka.bootstrapServers, 'odd')
    const nodes = kafka.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
    using client = await RawClient.connect({ nodes })
    const isTaken = async (batch: Uint8Array) =>
      (await client.produce('odd', 0, batch)).errorCode === ErrorCodes.NONE
    const judged = [
      ...refused.map(([name, batch]) => ({ name, batch, want: false })),
      ...[...taken, ...refusedHereOnly].map(([name, batch]) => ({ name, batch, want: true })),
    ]
    for (const { name, batch, want } of judged) assert.equal(await isTaken(batch), want, name)
  })

  test('bytes behind the end of a request are ignored by this Kafka, too', async () => {
    const nodes = kafka.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
    using client = await RawClient.connect({ nodes })
    const longer: typeof Metadata = {
      ...Metadata,
      writeRequest: (w, version, body) => {
        Metadata.writeRequest(w, version, body)
        w.raw(Buffer.alloc(3))
      },
    }
    const { topics } = await client.request(longer, 12, {
      topics: null,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    assert.ok(topics.some(({ name }) => name === 'known'))
  })

  test('kcat lists the topics', { skip: findKcat() === undefined && 'kcat is not installed' }, () => {
    const list = spawnSync(findKcat() as string, ['-L', '-b', kafka.bootstrapServers], { encoding: 'utf8' })
    assert.match(list.stdout, /topic "known"/)
  })

  test('stop ends the process, frees the port and removes the data', async () => {
    const second = await startKafka()
    const [pid] = second.pids
    const [node] = second.nodes
    assert.ok(pid !== undefined && isAlive(pid) && node !== undefined)
    assert.ok(existsSync(second.folder))
    await second.stop()
    assert.equal(isAlive(pid), false)
    assert.equal(existsSync(second.folder), false)
    const error = await new Promise(resolve => connect(node.port, '127.0.0.1').once('error', resolve))
    assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED')
  })

  test('a node does not outlive a test process that is killed', async () => {
    const script = `import { startKafka } from ${JSON.stringify(new URL('broker.js', import.meta.url))}
      const { pids, folder } = await startKafka()
      console.log(JSON.stringify([pids[0], folder]))`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script])
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
    const [pid, folder] = JSON.parse(line) as [number, string]
    assert.ok(isAlive(pid))
    child.kill('SIGKILL')
    for (let tries = 0; isAlive(pid) && tries < 200; tries++) await setTimeout(50)
    assert.equal(isAlive(pid), false)
    rmSync(folder, { recursive: true, force: true })
  })
})
