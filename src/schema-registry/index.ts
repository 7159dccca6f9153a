/** `millrace/schema-registry`: serializers whose schemas are in a registry with Confluent's interface. */

export { type AvroSerializerOptions, avroSerializer } from './avro.js'
export { SchemaRegistryClient } from './client.js'
export {
  type CloudEventLike,
  type CloudEventMessage,
  type CloudEventRecordOptions,
  cloudEventRecord,
  recordOfCloudEventMessage,
} from './cloud-events.js'
export {
  type AsyncSerializer,
  type ConfluentClient,
  type ConfluentSchemaInfo,
  confluentRegistry,
  withAsyncSerializers,
} from './confluent-adapter.js'
export { SchemaRegistryError, type SchemaRegistryErrorName } from './errors.js'
export {
  type AjvLike,
  type JsonSchemaSerializerOptions,
  type JsonValidator,
  jsonSchemaSerializer,
} from './json-schema.js'
export {
  type KafkajsRegistryOptions,
  type KafkajsSchema,
  type KafkajsSchemaRegistry,
  kafkajsRegistrySerializer,
} from './kafkajs-adapter.js'
export type {
  Fetch,
  FetchInit,
  FetchResponse,
  SchemaRegistryAuth,
  SchemaRegistryClientOptions,
} from './options.js'
export { type ProtobufSerializerOptions, protobufSerializer } from './protobuf.js'
export type { BufbuildMessage, ProtobufjsType, ProtobufType } from './protobuf-types.js'
export type { RegistrySerializer, RegistrySerializerOptions } from './serializer.js'
export type { SubjectContext, SubjectNameFunction, SubjectNameStrategy } from './subject.js'
export type {
  RecordField,
  RegisteredSchema,
  RegisterOptions,
  Schema,
  SchemaReference,
  SchemaRegistry,
  SchemaType,
} from './types.js'
export type { WireFormat } from './wire-format.js'
