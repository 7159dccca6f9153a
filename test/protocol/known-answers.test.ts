import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ApiVersions } from '../../dist/protocol/api-versions.js'
import { decodeResponse, encodeRequest, encodeResponse } from '../../dist/protocol/header.js'
import { Metadata, OPERATIONS_UNKNOWN } from '../../dist/protocol/metadata.js'
import { NO_LEADER } from '../../dist/protocol/node-endpoint.js'
import { Produce } from '../../dist/protocol/produce.js'
import { Reader } from '../../dist/protocol/reader.js'
import { ZERO_UUID } from '../../dist/protocol/uuid.js'
import { withPlainBytes } from './schema-codec.js'

/** Bytes written by hand after the protocol's grammar, one field a piece. */
function bytes(...pieces: string[]): string {
  return pieces.join('').replaceAll(' ', '')
}

function hex(frame: Uint8Array): string {
  return Buffer.from(frame).toString('hex')
}

const ID = Uint8Array.from({ length: 16 }, (_, i) => i + 1)
const ID_HEX = '0102030405060708090a0b0c0d0e0f10'

describe('ApiVersions on the wire', () => {
  it('v0 has a request without a body and header version 1', () => {
    const frame = encodeRequest(ApiVersions, 0, 1, 'c', {
      clientSoftwareName: 'n',
      clientSoftwareVersion: 'v',
    })
    assert.equal(hex(frame), bytes('0000000b', '0012 0000 00000001', '0001 63'))
  })

  it('v3 has header version 2 with the client id not compact', () => {
    const frame = encodeRequest(ApiVersions, 3, 66051, 'cli', {
      clientSoftwareName: 'millrace',
      clientSoftwareVersion: '0.1.0',
    })
    assert.equal(
      hex(frame),
      bytes(
        '0000001e',
        '0012 0003 00010203',
        '0003 636c69',
        '00',
        '09 6d696c6c72616365',
        '06 302e312e30',
        '00',
      ),
    )
  })

  it('v3 and v4 have a response with header version 0 and features as tagged fields', () => {
    const body = {
      errorCode: 0,
      apiKeys: [
        { apiKey: 0, minVersion: 3, maxVersion: 13 },
        { apiKey: 18, minVersion: 0, maxVersion: 4 },
      ],
      throttleTimeMs: 5,
      supportedFeatures: [{ name: 'kraft.version', minVersion: 0, maxVersion: 1 }],
      finalizedFeaturesEpoch: 7n,
      finalizedFeatures: [{ name: 'transaction.version', maxVersionLevel: 2, minVersionLevel: 1 }],
      zkMigrationReady: true,
    }
    const expected = bytes(
      '00000059',
      '00000009',
      '0000',
      '03 0000 0003 000d 00 0012 0000 0004 00',
      '00000005',
      '04',
      '00 14 02 0e 6b726166742e76657273696f6e 0000 0001 00',
      '01 08 0000000000000007',
      '02 1a 02 14 7472616e73616374696f6e2e76657273696f6e 0002 0001 00',
      '03 01 01',
    )
    for (const version of [3, 4]) {
      const frame = encodeResponse(ApiVersions, version, 9, body)
      assert.equal(hex(frame), expected)
      assert.deepEqual(decodeResponse(ApiVersions, version, frame.subarray(4)), body)
    }
  })

  it('UNSUPPORTED_VERSION is answered in the layout of v0 and understood in either', () => {
    const body = {
      errorCode: 35,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 3 }],
      throttleTimeMs: 0,
      supportedFeatures: [],
      finalizedFeaturesEpoch: -1n,
      finalizedFeatures: [],
      zkMigrationReady: false,
    }
    const frame = encodeResponse(ApiVersions, 4, 2, body)
    assert.equal(hex(frame), bytes('00000010', '00000002', '0023', '00000001', '0012 0000 0003'))
    assert.deepEqual(decodeResponse(ApiVersions, 4, frame.subarray(4)), body)
    const empty = Buffer.from(bytes('00000002', '0023', '00000000'), 'hex')
    assert.deepEqual(decodeResponse(ApiVersions, 4, empty), { ...body, apiKeys: [] })
    const asAsked = Buffer.from(bytes('00000002', '0023', '02 0012 0000 0003 00', '00000000', '00'), 'hex')
    assert.deepEqual(decodeResponse(ApiVersions, 4, asAsked), body)
  })
})

describe('Metadata on the wire', () => {
  const request = {
    topics: [{ topicId: ZERO_UUID, name: 'orders' }],
    allowAutoTopicCreation: true,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }

  it('v12 and v13 ask by name with a zero id, and by id with a null name', () => {
    for (const version of [12, 13]) {
      const byName = encodeRequest(Metadata, version, 2, null, request)
      const header = `0003 ${version === 12 ? '000c' : '000d'} 00000002 ffff 00`
      assert.equal(
        hex(byName),
        bytes('00000027', header, '02', '00'.repeat(16), '07 6f7264657273 00', '01', '00', '00'),
      )
      const byId = encodeRequest(Metadata, version, 2, null, {
        ...request,
        topics: [{ topicId: ID, name: null }],
      })
      assert.equal(hex(byId), bytes('00000021', header, '02', ID_HEX, '00 00', '01', '00', '00'))
    }
  })

  it('asks for all topics with null, and in v0 with an empty array', () => {
    const all = { ...request, topics: null }
    assert.equal(
      hex(encodeRequest(Metadata, 0, 2, null, all)),
      bytes('0000000e 0003 0000 00000002 ffff', '00000000'),
    )
    assert.equal(
      hex(encodeRequest(Metadata, 1, 2, null, all)),
      bytes('0000000e 0003 0001 00000002 ffff', 'ffffffff'),
    )
    assert.equal(
      hex(encodeRequest(Metadata, 12, 2, null, all)),
      bytes('0000000f 0003 000c 00000002 ffff 00', '00', '01 00 00'),
    )
    assert.equal(Metadata.readRequest(new Reader(Buffer.alloc(4)), 0).topics, null)
    assert.deepEqual(Metadata.readRequest(new Reader(Buffer.alloc(4)), 1).topics, [])
  })

  it('v12 and v13 have ids and leader epochs in the response, v13 an error of its own', () => {
    const body = {
      throttleTimeMs: 0,
      brokers: [{ nodeId: 1, host: 'kafka', port: 9092, rack: null }],
      clusterId: 'abc',
      controllerId: 1,
      topics: [
        {
          errorCode: 0,
          name: 'orders',
          topicId: ID,
          isInternal: false,
          partitions: [
            {
              errorCode: 0,
              partitionIndex: 0,
              leaderId: 1,
              leaderEpoch: 4,
              replicaNodes: [1, 2],
              isrNodes: [1],
              offlineReplicas: [2],
            },
          ],
          topicAuthorizedOperations: OPERATIONS_UNKNOWN,
        },
      ],
      clusterAuthorizedOperations: OPERATIONS_UNKNOWN,
      errorCode: 0,
    }
    const common = [
      '00000007 00',
      '00000000',
      '02 00000001 06 6b61666b61 00002384 00 00',
      '04 616263',
      '00000001',
      `02 0000 07 6f7264657273 ${ID_HEX} 00`,
      '02 0000 00000000 00000001 00000004 03 00000001 00000002 02 00000001 02 00000002 00',
      '80000000 00',
    ]
    const v12 = encodeResponse(Metadata, 12, 7, body)
    assert.equal(hex(v12.subarray(4)), bytes(...common, '00'))
    assert.deepEqual(decodeResponse(Metadata, 12, v12.subarray(4)), body)
    const v13 = encodeResponse(Metadata, 13, 7, { ...body, errorCode: 129 })
    assert.equal(hex(v13.subarray(4)), bytes(...common, '0081', '00'))
    assert.deepEqual(decodeResponse(Metadata, 13, v13.subarray(4)), { ...body, errorCode: 129 })
  })
})

describe('Produce on the wire', () => {
  const records = Buffer.from('beef', 'hex')
  const request = {
    transactionalId: null,
    acks: -1,
    timeoutMs: 30000,
    topicData: [{ name: 'orders', topicId: ID, partitionData: [{ index: 3, records }] }],
  }

  it('v3 and v8 have the same request', () => {
    for (const version of [3, 8]) {
      assert.equal(
        hex(encodeRequest(Produce, version, 5, 'c', request)),
        bytes(
          `0000002d 0000 000${version} 00000005 0001 63`,
          'ffff ffff 00007530',
          '00000001 0006 6f7264657273',
          '00000001 00000003 00000002 beef',
        ),
      )
    }
  })

  it('v9 is compact, v13 names the topic by id', () => {
    assert.equal(
      hex(encodeRequest(Produce, 9, 5, 'c', request)),
      bytes(
        '00000026 0000 0009 00000005 0001 63 00',
        '00 ffff 00007530',
        '02 07 6f7264657273',
        '02 00000003 03 beef 00',
        '00 00',
      ),
    )
    assert.equal(
      hex(encodeRequest(Produce, 13, 5, 'c', { ...request, transactionalId: 'tx', acks: 1 })),
      bytes(
        '00000031 0000 000d 00000005 0001 63 00',
        '03 7478 0001 00007530',
        `02 ${ID_HEX}`,
        '02 00000003 03 beef 00',
        '00 00',
      ),
    )
  })

  const partition = {
    index: 3,
    errorCode: 0,
    baseOffset: 258n,
    logAppendTimeMs: -1n,
    logStartOffset: -1n,
    recordErrors: [] as { batchIndex: number; batchIndexErrorMessage: string | null }[],
    errorMessage: null as string | null,
    currentLeader: NO_LEADER,
  }

  it('v3 has a response of offsets alone', () => {
    const frame = Buffer.from(
      bytes(
        '00000005',
        '00000001 0006 6f7264657273',
        '00000001 00000003 0000 0000000000000102 ffffffffffffffff',
        '0000000a',
      ),
      'hex',
    )
    assert.deepEqual(decodeResponse(Produce, 3, frame), {
      responses: [{ name: 'orders', topicId: ZERO_UUID, partitionResponses: [partition] }],
      throttleTimeMs: 10,
      nodeEndpoints: [],
    })
  })

  it('v8 has errors of single records in the response', () => {
    const frame = Buffer.from(
      bytes(
        '00000005',
        '00000001 0006 6f7264657273',
        '00000001 00000003 0057 ffffffffffffffff ffffffffffffffff 0000000000000000',
        '00000002 00000000 0003 626164 00000002 ffff',
        '0004 6e6f7065',
        '00000000',
      ),
      'hex',
    )
    const refused = {
      ...partition,
      errorCode: 87,
      baseOffset: -1n,
      logStartOffset: 0n,
      recordErrors: [
        { batchIndex: 0, batchIndexErrorMessage: 'bad' },
        { batchIndex: 2, batchIndexErrorMessage: null },
      ],
      errorMessage: 'nope',
    }
    assert.deepEqual(decodeResponse(Produce, 8, frame), {
      responses: [{ name: 'orders', topicId: ZERO_UUID, partitionResponses: [refused] }],
      throttleTimeMs: 0,
      nodeEndpoints: [],
    })
  })

  it('v9 is compact without tagged fields', () => {
    const frame = Buffer.from(
      bytes(
        '00000005 00',
        '02 07 6f7264657273',
        '02 00000003 0000 0000000000000102 ffffffffffffffff ffffffffffffffff 01 00 00',
        '00',
        '00000000 00',
      ),
      'hex',
    )
    assert.deepEqual(decodeResponse(Produce, 9, frame), {
      responses: [{ name: 'orders', topicId: ZERO_UUID, partitionResponses: [partition] }],
      throttleTimeMs: 0,
      nodeEndpoints: [],
    })
  })

  it('v13 names the new leader and where it is', () => {
    const frame = Buffer.from(
      bytes(
        '00000005 00',
        `02 ${ID_HEX}`,
        '02 00000003 0006 ffffffffffffffff ffffffffffffffff ffffffffffffffff 01 00',
        '01 00 09 00000002 00000009 00',
        '00',
        '00000000',
        '01 00 13 02 00000002 06 6b61666b61 00002385 03 7231 00',
      ),
      'hex',
    )
    const moved = {
      ...partition,
      errorCode: 6,
      baseOffset: -1n,
      currentLeader: { leaderId: 2, leaderEpoch: 9 },
    }
    const body = {
      responses: [{ name: '', topicId: ID, partitionResponses: [moved] }],
      throttleTimeMs: 0,
      nodeEndpoints: [{ nodeId: 2, host: 'kafka', port: 9093, rack: 'r1' }],
    }
    assert.deepEqual(withPlainBytes(decodeResponse(Produce, 13, frame)), body)
    assert.equal(hex(encodeResponse(Produce, 13, 5, body).subarray(4)), hex(frame))
  })
})
