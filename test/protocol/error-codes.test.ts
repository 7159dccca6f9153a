import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ErrorCodes,
  errorJavaClass,
  errorName,
  isKnownError,
  isRetriable,
  refreshesMetadata,
} from '../../dist/protocol/error-codes.js'

const codes = Array.from({ length: 135 }, (_, i) => i - 1)

describe('error codes', () => {
  it('cover -1 to 133 without gap, each with a name of its own', () => {
    assert.deepEqual(
      Object.values(ErrorCodes).sort((a, b) => a - b),
      codes,
    )
    for (const [name, code] of Object.entries(ErrorCodes)) assert.equal(errorName(code), name)
  })

  it('are retriable where Java throws a RetriableException', () => {
    assert.deepEqual(
      codes.filter(isRetriable),
      [
        2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88, 89, 100,
        103, 106, 122, 123, 133,
      ],
    )
  })

  it('refresh metadata where Java throws an InvalidMetadataException', () => {
    assert.deepEqual(codes.filter(refreshesMetadata), [3, 5, 6, 9, 13, 56, 72, 74, 80, 83, 84, 100, 103])
  })

  it('know the class Java throws', () => {
    assert.equal(errorJavaClass(ErrorCodes.NONE), '')
    assert.equal(errorJavaClass(ErrorCodes.NOT_LEADER_OR_FOLLOWER), 'NotLeaderOrFollowerException')
    assert.equal(errorJavaClass(ErrorCodes.INVALID_CONFIG), 'InvalidConfigurationException')
    assert.equal(codes.filter(code => errorJavaClass(code) === '').length, 1)
  })

  it('unknown to the client are treated as UNKNOWN_SERVER_ERROR', () => {
    for (const code of [134, 32767, -2, -32768]) {
      assert.equal(isKnownError(code), false)
      assert.equal(errorName(code), 'UNKNOWN_SERVER_ERROR')
      assert.equal(errorJavaClass(code), 'UnknownServerException')
      assert.equal(isRetriable(code), false)
      assert.equal(refreshesMetadata(code), false)
    }
  })
})
