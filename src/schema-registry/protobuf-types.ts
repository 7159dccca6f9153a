/** A message type of protobufjs: by reflection, or a static class that `pbjs` has written. */
export interface ProtobufjsType {
  encode(message: never): { finish(): Uint8Array }
  verify(message: Record<string, unknown>): string | null
  fromObject(object: Record<string, unknown>): unknown
  /** Of reflected types. */
  readonly fullName?: string
  /** Of static classes. */
  getTypeUrl?(prefix: string): string
}

/** A message as `protoc-gen-es` describes it: the part by which it is known. */
export interface BufbuildMessage {
  readonly kind: 'message'
  readonly typeName: string
}

/**
 * A description of `@bufbuild/protobuf`, a type of `protobufjs`, or the full name of a message of the
 * schema.
 */
export type ProtobufType = BufbuildMessage | ProtobufjsType | string
