/** What the schemas of a registry are written in. A registry that names none means Avro. */
export type SchemaType = 'AVRO' | 'JSON' | 'PROTOBUF'

/** Another schema that a schema uses: the name it uses it by, and where it is registered. */
export interface SchemaReference {
  readonly name: string
  readonly subject: string
  readonly version: number
}

/** A schema as text. */
export interface Schema {
  readonly schema: string
  readonly schemaType: SchemaType
  readonly references?: readonly SchemaReference[]
}

/**
 * A schema that is registered under an id. `guid`, `subject` and `version` are there if the registry told
 * them.
 */
export interface RegisteredSchema extends Schema {
  readonly id: number
  readonly guid?: string
  readonly subject?: string
  readonly version?: number
}

/** How a schema is registered or looked up. */
export interface RegisterOptions {
  /** Has the registry bring the schema into a normal form first. Default false. */
  readonly normalize?: boolean
}

/** Whether a serializer is for the keys or for the values of records. */
export type RecordField = 'key' | 'value'

/**
 * What the serializers ask of a registry. {@link SchemaRegistryClient} implements it, and so does what
 * {@link confluentRegistry} makes of another client.
 */
export interface SchemaRegistry {
  /** How long the latest version of a subject may be used before it is asked for again. */
  readonly latestTtlMs: number
  getSchemaById(id: number, subject?: string): Promise<RegisteredSchema>
  getLatest(subject: string): Promise<RegisteredSchema>
  getVersion(subject: string, version: number): Promise<RegisteredSchema>
  /** Registers a schema, or finds it if it is registered under the subject already. */
  register(subject: string, schema: Schema, options?: RegisterOptions): Promise<RegisteredSchema>
  /** Finds a schema under a subject. */
  lookup(subject: string, schema: Schema, options?: RegisterOptions): Promise<RegisteredSchema>
  /**
   * The subject that is associated with a topic, if any. Registries without associations answer undefined.
   */
  getAssociatedSubject(topic: string, field: RecordField): Promise<string | undefined>
}
