// A server that answers requests with acks 0 all the same: such answers are passed over.
import assert from 'node:assert/strict'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { InFlightRequests } from '../../dist/cluster/in-flight.js'
import { Producer } from '../../dist/index.js'
import { startBroker } from '../../dist/testing/index.js'
import { eventually } from '../helpers/eventually.js'

const PRODUCE = 0

test('an answer to a request that has none is known, once, and no other', () => {
  const inFlight = new InFlightRequests()
  for (const id of [1, 2, 5]) inFlight.pushSilent(id)
  assert.equal(inFlight.isToSilent(2), true)
  assert.equal(inFlight.isToSilent(2), false)
  assert.equal(inFlight.isToSilent(1), false)
  assert.equal(inFlight.isToSilent(4), false)
  assert.equal(inFlight.isToSilent(5), true)
  assert.equal(inFlight.isToSilent(6), false)
})

test('records with acks 0 are all stored, over one connection, though the server answers them', async () => {
  const sockets = new Set<Socket>()
  let answers = 0
  /** Answers every Produce request with nothing but its correlation id, and passes it on. */
  const proxy = createServer(client => {
    const target = connect((broker.nodes[0] as { port: number }).port, '127.0.0.1')
    for (const socket of [client, target]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        target.destroy()
      })
    }
    let pending = Buffer.alloc(0)
    client.on('data', (chunk: Buffer) => {
      target.write(chunk)
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
        const end = 4 + pending.readInt32BE(0)
        if (pending.readInt16BE(4) === PRODUCE) {
          const answer = Buffer.alloc(8)
          answer.writeInt32BE(4, 0)
          pending.copy(answer, 4, 8, 12)
          client.write(answer)
          answers++
        }
        pending = pending.subarray(end)
      }
    })
    target.on('data', (chunk: Buffer) => client.write(chunk))
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as AddressInfo
  await using broker = await startBroker({
    partitions: 1,
    quiet: true,
    advertise: () => ({ host: '127.0.0.1', port }),
  })
  const producer = new Producer({ bootstrapServers: `127.0.0.1:${port}`, acks: 0, lingerMs: 0 })
  await producer.partitionsFor('t')
  const before = sockets.size
  for (let i = 0; i < 20; i++) await producer.send({ topic: 't', value: `${i}` })
  await eventually('all are stored', () => broker.records('t').length === 20)
  assert.ok(answers >= 20)
  assert.ok(sockets.size <= before + 2, 'no connection was made again')
  await producer.close()
  for (const socket of sockets) socket.destroy()
  await new Promise(resolve => proxy.close(resolve))
})
