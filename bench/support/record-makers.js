// How the JavaScript clients make the record of each `send`: an object of its own, as a user's would be, with
// an object of headers made for it alone where the case has headers.
export const CONTENT_TYPE = 'application/json'

/**
 * A function from a record's number to the record. `topic` undefined: it has none, as where the topic is said
 * once for an array. Each kind is a literal of its own, so that no client pays for another's fields.
 */
export function recordMaker({ topic, keys, values, traces = [] }) {
  const keyMask = keys.length - 1
  const valueMask = values.length - 1
  const traceMask = traces.length - 1
  const headersOf = i => ({ traceparent: traces[i & traceMask], 'content-type': CONTENT_TYPE })
  const hasHeaders = traces.length > 0
  if (topic === undefined) {
    return hasHeaders
      ? i => ({ key: keys[i & keyMask], value: values[i & valueMask], headers: headersOf(i) })
      : i => ({ key: keys[i & keyMask], value: values[i & valueMask] })
  }
  return hasHeaders
    ? i => ({ topic, key: keys[i & keyMask], value: values[i & valueMask], headers: headersOf(i) })
    : i => ({ topic, key: keys[i & keyMask], value: values[i & valueMask] })
}
