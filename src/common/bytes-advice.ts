/**
 * How to get the bytes of what is no string and no Uint8Array, as the end of a sentence; empty where nothing
 * better is known than a serializer. Looking at a value may run code of the caller's.
 */
export function bytesAdvice(value: unknown): string {
  try {
    return adviceOn(value)
  } catch {
    return ''
  }
}

function adviceOn(value: unknown): string {
  if (typeof value !== 'object' || value === null) return ''
  if (value instanceof Blob) {
    return 'a Blob or file is read first: `await file.bytes()`, or `new Uint8Array(await file.arrayBuffer())`'
  }
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer)
    return 'an ArrayBuffer is sent as a view of it: `new Uint8Array(buffer)`'
  if (ArrayBuffer.isView(value)) {
    return (
      'the bytes of another view are sent as ' +
      '`new Uint8Array(view.buffer, view.byteOffset, view.byteLength)`'
    )
  }
  if (value instanceof Response || value instanceof Request)
    return 'a body is read first: `new Uint8Array(await response.arrayBuffer())`'
  if (value instanceof ReadableStream)
    return 'a stream is read first: `new Uint8Array(await new Response(stream).arrayBuffer())`'
  return 'then' in value && typeof value.then === 'function' ? 'a promise is awaited first' : ''
}
