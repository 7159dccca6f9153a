// A broker that answers every Produce with a leader nobody has heard of.
import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { Producer } from '../../dist/index.js'
import { ApiVersions } from '../../dist/protocol/api-versions.js'
import { ErrorCodes } from '../../dist/protocol/error-codes.js'
import { Metadata } from '../../dist/protocol/metadata.js'
import { Produce } from '../../dist/protocol/produce.js'
import { RecordingLogger } from '../helpers/cluster-options.js'
import {
  apiVersionsResponse,
  type IncomingRequest,
  metadataResponse,
  ScriptedBroker,
} from '../helpers/scripted-broker.js'

/** More addresses than any client should try. */
const PORTS = 60

describe('leader hints without end', () => {
  let broker: ScriptedBroker
  const doors: Server[] = []
  const open = new Set<Socket>()
  let accepted = 0
  let mostOpen = 0
  let epoch = 0
  let metadataPerHint = false

  /** The next leader, at one of many ports that all lead here. */
  function answer(request: IncomingRequest): boolean {
    if (request.apiKey === ApiVersions.key) {
      request.reply(
        ApiVersions,
        apiVersionsResponse([
          [0, 10, 10],
          [3, 9, 9],
          [18, 0, 3],
        ]),
      )
    } else if (request.apiKey === Metadata.key) {
      const id = metadataPerHint ? 1 + (++epoch % PORTS) : 0
      const port = metadataPerHint ? portOf(id - 1) : broker.port
      request.reply(
        Metadata,
        metadataResponse({
          brokers: [{ id, host: '127.0.0.1', port }],
          topics: { t: { leaders: [id], epoch } },
        }),
      )
    } else if (request.apiKey === Produce.key) {
      const leaderId = 1 + (++epoch % PORTS)
      const { topicData } = Produce.readRequest(request.body, request.version)
      request.reply(Produce, {
        responses: topicData.map(({ name, topicId }) => ({
          name,
          topicId,
          partitionResponses: [
            {
              index: 0,
              errorCode: ErrorCodes.NOT_LEADER_OR_FOLLOWER,
              baseOffset: -1n,
              logAppendTimeMs: -1n,
              logStartOffset: -1n,
              recordErrors: [],
              errorMessage: null,
              currentLeader: { leaderId, leaderEpoch: epoch },
            },
          ],
        })),
        throttleTimeMs: 0,
        nodeEndpoints: [{ nodeId: leaderId, host: '127.0.0.1', port: portOf(leaderId - 1), rack: null }],
      })
    }
    return true
  }

  const portOf = (index: number) => ((doors[index] as Server).address() as AddressInfo).port

  before(async () => {
    broker = await ScriptedBroker.start(answer)
    for (let i = 0; i < PORTS; i++) {
      const door = createServer(socket => {
        accepted++
        open.add(socket)
        mostOpen = Math.max(mostOpen, open.size)
        socket.on('close', () => open.delete(socket)).on('error', () => {})
        broker.take(socket)
      })
      await new Promise<void>(resolve => door.listen(0, '127.0.0.1', resolve))
      doors.push(door)
    }
  })
  after(async () => {
    for (const door of doors) door.close()
    for (const socket of open) socket.destroy()
    await broker.close()
  })

  async function run() {
    accepted = 0
    mostOpen = 0
    const logger = new RecordingLogger()
    const producer = new Producer({
      bootstrapServers: `127.0.0.1:${broker.port}`,
      enableIdempotence: false,
      deliveryTimeoutMs: 1_500,
      requestTimeoutMs: 1_000,
      retryBackoffMs: 100,
      retryBackoffMaxMs: 100,
      lingerMs: 0,
      logger,
    })
    await assert.rejects(producer.send({ topic: 't', value: 'v' }))
    const warnings = logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
    await producer.close({ timeoutMs: 100 })
    return warnings
  }

  test('open a bounded number of connections, and are warned of once', async () => {
    const warnings = await run()
    assert.ok(accepted > 4, `${accepted} connections`)
    assert.ok(mostOpen <= 12, `${mostOpen} connections at once`)
    const told = warnings.filter(message => /answers of brokers name ever new leaders/.test(message))
    assert.equal(told.length, 1, warnings.join('\n'))
  })

  test('and so do metadata that name another broker each time', async () => {
    metadataPerHint = true
    await run()
    assert.ok(accepted > 4, `${accepted} connections`)
    assert.ok(mostOpen <= 14, `${mostOpen} connections at once`)
  })
})

describe('allowedBrokerHosts', () => {
  test('lets a broker send the client only where the application says', async () => {
    const decoy = await ScriptedBroker.start()
    const broker: ScriptedBroker = await ScriptedBroker.start(request => {
      if (request.apiKey !== Metadata.key) return false
      const brokers = [{ id: 1, host: '127.0.0.1', port: decoy.port }]
      request.reply(Metadata, metadataResponse({ brokers, topics: { t: { leaders: [1] } } }))
      return true
    })
    const attempt = async (allowedBrokerHosts: string | string[]) => {
      const logger = new RecordingLogger()
      const bootstrapServers = `127.0.0.1:${broker.port}`
      const producer = new Producer({
        bootstrapServers,
        allowedBrokerHosts,
        maxBlockMs: 500,
        deliveryTimeoutMs: 600,
        requestTimeoutMs: 300,
        lingerMs: 0,
        logger,
      })
      await assert.rejects(producer.send({ topic: 't', value: 'v' }))
      await producer.close({ timeoutMs: 100 })
      return logger.lines.map(({ message }) => message).join('\n')
    }
    try {
      const refused = await attempt(['.kafka.example', 'b1.example'])
      assert.match(refused, /names the host 127\.0\.0\.1, which allowedBrokerHosts does not allow/)
      assert.equal(decoy.sockets.length, 0)
      await attempt('127.0.0.1, .kafka.example')
      assert.ok(decoy.sockets.length > 0)
    } finally {
      await broker.close()
      await decoy.close()
    }
  })
})
