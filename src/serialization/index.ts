/**
 * What turns an application's keys and values into bytes, and the built-in serializers, whose output is that
 * of the Java client's (big-endian numbers, one byte for a boolean, text for a UUID).
 */
export { listSerializer, stringSerializer } from './composed.js'
export { guardSerializer } from './guard.js'
export { RecordHeaders } from './record-headers.js'
export { serializerOfJavaClass, serializers } from './serializers.js'
export { storedBytes } from './stored-bytes.js'
export type {
  Bytes,
  GuardedSerializer,
  Headers,
  Prepare,
  Serialize,
  Serializer,
  SerializerLike,
} from './types.js'
