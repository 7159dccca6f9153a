import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  AuthenticationError,
  AuthorizationError,
  BrokerError,
  InvalidRecordError,
  RecordTooLargeError,
  TimeoutError,
  UnsupportedVersionError,
} from '../../dist/errors/index.js'
import { brokerError } from '../../dist/protocol/broker-error.js'
import { ErrorCodes, errorName, isRetriable } from '../../dist/protocol/error-codes.js'

const BROKER = 'localhost:9092 (id 1)'

describe('brokerError', () => {
  it('chooses the class that tells what kind of matter it is', () => {
    const classes = new Map<number, [new (...args: never[]) => Error, string]>([
      [ErrorCodes.TOPIC_AUTHORIZATION_FAILED, [AuthorizationError, 'AUTHORIZATION_FAILED']],
      [ErrorCodes.GROUP_AUTHORIZATION_FAILED, [AuthorizationError, 'AUTHORIZATION_FAILED']],
      [ErrorCodes.CLUSTER_AUTHORIZATION_FAILED, [AuthorizationError, 'AUTHORIZATION_FAILED']],
      [ErrorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, [AuthorizationError, 'AUTHORIZATION_FAILED']],
      [ErrorCodes.DELEGATION_TOKEN_AUTHORIZATION_FAILED, [AuthorizationError, 'AUTHORIZATION_FAILED']],
      [ErrorCodes.MESSAGE_TOO_LARGE, [RecordTooLargeError, 'RECORD_TOO_LARGE']],
      [ErrorCodes.RECORD_LIST_TOO_LARGE, [RecordTooLargeError, 'RECORD_TOO_LARGE']],
      [ErrorCodes.REQUEST_TIMED_OUT, [TimeoutError, 'TIMED_OUT']],
      [ErrorCodes.UNSUPPORTED_VERSION, [UnsupportedVersionError, 'UNSUPPORTED_VERSION']],
      [ErrorCodes.INVALID_TOPIC_EXCEPTION, [InvalidRecordError, 'TOPIC_INVALID']],
      [ErrorCodes.SASL_AUTHENTICATION_FAILED, [AuthenticationError, 'AUTHENTICATION_FAILED']],
    ])
    for (const code of Object.values(ErrorCodes)) {
      const [expected, expectedCode] = classes.get(code) ?? [BrokerError, 'BROKER_ERROR']
      const error = brokerError(code)
      assert.equal(error.constructor, expected, errorName(code))
      assert.equal(error.code, expectedCode)
      assert.equal(error.retriable, isRetriable(code))
    }
  })

  it('says what happened, where, what the broker said and what to do', () => {
    const context = { topic: 'orders', partition: 3, broker: BROKER, message: 'ISR is {1}' }
    const error = brokerError(ErrorCodes.NOT_ENOUGH_REPLICAS, context)
    assert.equal(
      error.message,
      'NOT_ENOUGH_REPLICAS (19) for orders-3 from broker localhost:9092 (id 1): fewer replicas are in sync than ' +
        'min.insync.replicas asks for; nothing was written; the broker says "ISR is {1}". ' +
        'Bring replicas back, or lower min.insync.replicas of the topic.',
    )
    assert.equal(error.topic, 'orders')
    assert.equal(error.partition, 3)
    assert.equal(error.broker, BROKER)
    assert.ok(error instanceof BrokerError)
    assert.equal(error.errorCode, 19)
    assert.equal(error.errorName, 'NOT_ENOUGH_REPLICAS')
  })

  it('leaves out what is not known', () => {
    const error = brokerError(ErrorCodes.TOPIC_AUTHORIZATION_FAILED, { topic: 'orders', message: null })
    assert.match(error.message, /^TOPIC_AUTHORIZATION_FAILED \(29\) for topic orders: not authorized/)
    assert.equal('partition' in error, false)
    assert.equal('broker' in error, false)
    assert.match(brokerError(ErrorCodes.CORRUPT_MESSAGE).message, /^CORRUPT_MESSAGE \(2\): /)
  })

  it('keeps the number of an error it does not know', () => {
    const error = brokerError(32767, { broker: BROKER })
    assert.ok(error instanceof BrokerError)
    assert.equal(error.errorCode, 32767)
    assert.equal(error.errorName, 'UNKNOWN_SERVER_ERROR')
    assert.match(
      error.message,
      /^UNKNOWN_SERVER_ERROR \(32767, a number this client does not know\) from broker/,
    )
  })

  it('has a whole sentence for every error', () => {
    for (const code of Object.values(ErrorCodes)) {
      assert.match(
        brokerError(code).message,
        /^[A-Z_]+ \(-?\d+\): [a-z].+[^.]\. [A-Z].+[^.]\.$/,
        errorName(code),
      )
    }
  })
})
