import { ProtocolError } from '../errors/index.js'

/** A batch a broker refuses, with the protocol's number of the error it answers with. */
export class BatchError extends ProtocolError {
  readonly errorCode: number
  constructor(errorCode: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.errorCode = errorCode
  }
}
