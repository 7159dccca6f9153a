/** An event as clients post it. What does not fit is answered with 400 and never reaches a topic. */
export const eventSchema = {
  type: 'object',
  required: ['id', 'user', 'type', 'data'],
  additionalProperties: false,
  properties: {
    /** Chosen by the client and the same when it tries again: consumers drop what they have seen. */
    id: { type: 'string', minLength: 1, maxLength: 64 },
    /** The key: events of one user stay in order. */
    user: { type: 'string', minLength: 1, maxLength: 256 },
    type: { type: 'string', minLength: 1, maxLength: 64 },
    data: { type: 'object' },
  },
}
