import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProtocolError } from '../../dist/errors/index.js'
import { ApiVersions } from '../../dist/protocol/api-versions.js'
import { apis } from '../../dist/protocol/apis.js'
import {
  decodeResponse,
  encodeRequest,
  encodeResponse,
  readRequestHeader,
  requestHeaderVersion,
  responseCorrelationId,
  responseHeaderVersion,
} from '../../dist/protocol/header.js'
import { InitProducerId } from '../../dist/protocol/init-producer-id.js'
import { Reader } from '../../dist/protocol/reader.js'

const request = {
  ...{ transactionalId: null, transactionTimeoutMs: 1000, producerId: -1n, producerEpoch: -1 },
  ...{ enable2Pc: false, keepPreparedTxn: false },
}
const response = {
  ...{ throttleTimeMs: 0, errorCode: 0, producerId: 4000n, producerEpoch: 0 },
  ...{ ongoingTxnProducerId: -1n, ongoingTxnProducerEpoch: -1 },
}

describe('headers', () => {
  it('are flexible from the first flexible version of an API on, but for ApiVersions responses', () => {
    for (const api of apis) {
      for (let version = api.minVersion; version <= api.maxVersion; version++) {
        const flexible = version >= api.flexibleFrom
        assert.equal(requestHeaderVersion(api, version), flexible ? 2 : 1)
        assert.equal(responseHeaderVersion(api, version), flexible && api !== ApiVersions ? 1 : 0)
      }
    }
  })

  it('of requests are read back, up to the body', () => {
    for (const version of [0, 1, 2, 5]) {
      const fields = version >= 3 ? request : { ...request }
      for (const clientId of [null, '', 'cliënt']) {
        const frame = encodeRequest(InitProducerId, version, -7, clientId, fields)
        assert.equal(Buffer.from(frame).readInt32BE(0), frame.length - 4)
        const r = new Reader(frame, 4)
        assert.deepEqual(readRequestHeader(r), {
          apiKey: 22,
          apiVersion: version,
          correlationId: -7,
          clientId,
        })
        assert.deepEqual(InitProducerId.readRequest(r, version), request)
        r.expectEnd()
      }
    }
  })

  it('of an unknown API are read as far as they are the same for all', () => {
    const r = new Reader(Buffer.from('7fff0063000000010001630505', 'hex'))
    assert.deepEqual(readRequestHeader(r), {
      apiKey: 0x7fff,
      apiVersion: 99,
      correlationId: 1,
      clientId: 'c',
    })
    assert.equal(r.remaining, 2)
  })

  it('of an ApiVersions request newer than any known are flexible', () => {
    const r = new Reader(Buffer.from('00120063000000010001630005', 'hex'))
    assert.equal(readRequestHeader(r).apiVersion, 99)
    assert.equal(r.remaining, 1)
  })

  it('of responses give the correlation id before the API is known', () => {
    const frame = encodeResponse(InitProducerId, 5, 123456, response)
    assert.equal(Buffer.from(frame).readInt32BE(0), frame.length - 4)
    assert.equal(responseCorrelationId(frame.subarray(4)), 123456)
    assert.deepEqual(decodeResponse(InitProducerId, 5, frame.subarray(4)), response)
  })

  it('with tagged fields in a response are passed over', () => {
    const frame = encodeResponse(InitProducerId, 5, 1, response).subarray(4)
    const tagged = Buffer.concat([
      frame.subarray(0, 4),
      Buffer.from([1, 3, 2, 0xaa, 0xbb]),
      frame.subarray(5),
    ])
    assert.deepEqual(decodeResponse(InitProducerId, 5, tagged), response)
  })

  it('of a frame too short for one are refused', () => {
    assert.throws(() => responseCorrelationId(new Uint8Array(3)), ProtocolError)
    assert.throws(() => decodeResponse(InitProducerId, 5, new Uint8Array(4)), ProtocolError)
    assert.throws(() => readRequestHeader(new Reader(new Uint8Array(9))), ProtocolError)
  })
})
