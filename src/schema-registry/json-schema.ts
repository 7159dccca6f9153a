import { SerializationError } from '../errors/index.js'
import { loadPeer } from './peer.js'
import {
  type RegistrySerializer,
  type RegistrySerializerOptions,
  type ResolvedSchema,
  type SchemaEncoder,
  type SchemaFormat,
  schemaSerializer,
} from './serializer.js'

/** What the serializer uses of an Ajv. */
export interface AjvLike {
  addSchema(schema: object, key?: string): unknown
  compile(schema: object | boolean): JsonValidator
}

/** A compiled validator, as ajv makes them. */
export interface JsonValidator {
  (data: unknown): unknown
  errors?: readonly { readonly instancePath: string; readonly message?: string }[] | null
}

export interface JsonSchemaSerializerOptions<T> extends RegistrySerializerOptions<T> {
  /**
   * Makes the validator of one schema, where formats or keywords of your own are needed. Default: the Ajv of
   * the draft that `$schema` names (draft-07 where it names none), not strict, without formats.
   */
  readonly ajv?: () => AjvLike
  /** Whether data is checked against the schema. Default true. */
  readonly validate?: boolean
}

/** Errors that a message names at most. */
const ERRORS_MAX = 5
const OPTIONS = { strict: false, strictNumbers: true, validateFormats: false, logger: false } as const

type AjvClass = new (options: object) => AjvLike

class JsonSchemaFormat<T> implements SchemaFormat<T> {
  readonly name = 'jsonSchema'
  readonly schemaType = 'JSON'
  readonly options = ['ajv', 'validate']
  private readonly given: JsonSchemaSerializerOptions<T>
  private drafts: Record<'draft-07' | '2019-09' | '2020-12', AjvClass> | undefined

  constructor(given: JsonSchemaSerializerOptions<T>) {
    this.given = given
  }

  recordNameIn(schema: string): string | undefined {
    const title = (JSON.parse(schema) as { title?: unknown } | null)?.title
    return typeof title === 'string' ? title : undefined
  }

  async load(): Promise<void> {
    if (this.given.ajv !== undefined || this.given.validate === false) return
    this.drafts ??= await loadPeer('ajv', 'jsonSchemaSerializer', async () => {
      const [draft07, draft2019, draft2020] = await Promise.all([
        import('ajv'),
        import('ajv/dist/2019.js'),
        import('ajv/dist/2020.js'),
      ])
      const classes = { 'draft-07': draft07.Ajv, '2019-09': draft2019.Ajv2019, '2020-12': draft2020.Ajv2020 }
      return classes as unknown as NonNullable<typeof this.drafts>
    })
  }

  compile({ id, schema, referenced }: ResolvedSchema): SchemaEncoder<T> {
    if (this.given.validate === false) return { encode: data => encodeText(textOf(data)) }
    const parsed = JSON.parse(schema)
    const ajv = this.given.ajv?.() ?? this.ajvFor(parsed)
    for (const { name, schema: used } of referenced) ajv.addSchema(JSON.parse(used), name)
    const validate = ajv.compile(parsed)
    return {
      encode(data) {
        const text = textOf(data)
        // What is sent counts: dates and the like are strings there.
        if (!validate(data) && !validate(JSON.parse(text))) {
          throw new SerializationError(`the data does not fit JSON schema ${id}${reasonsOf(validate)}`)
        }
        return encodeText(text)
      },
    }
  }

  private ajvFor(schema: unknown): AjvLike {
    const named = (schema as { $schema?: unknown } | null)?.$schema
    const draft = /draft-07|2019-09|2020-12/.exec(typeof named === 'string' ? named : 'draft-07')?.[0]
    if (draft !== undefined) {
      const Draft = (this.drafts as NonNullable<typeof this.drafts>)[draft as 'draft-07']
      return new Draft(OPTIONS)
    }
    throw new Error(`no validator for ${named}; give one by the option ajv`)
  }
}

/**
 * A serializer of JSON that has a schema, checked by the package `ajv` (an optional peer). `format` is not
 * checked unless `ajv` makes a validator that does.
 */
export function jsonSchemaSerializer<T = unknown>(
  options: JsonSchemaSerializerOptions<T>,
): RegistrySerializer<T> {
  return schemaSerializer<T>(options, new JsonSchemaFormat<T>(options))
}

function textOf(data: unknown): string {
  const text: string | undefined = JSON.stringify(data)
  if (text === undefined) throw new SerializationError(`a ${typeof data} is nothing that JSON can express`)
  return text
}

function encodeText(text: string): Uint8Array {
  return Buffer.from(text)
}

function reasonsOf({ errors }: JsonValidator): string {
  const all = errors ?? []
  if (all.length === 0) return ''
  const shown = all.slice(0, ERRORS_MAX).map(({ instancePath, message }) => {
    return `${instancePath === '' ? 'it' : instancePath} ${message ?? 'is wrong'}`
  })
  return `: ${shown.join(', ')}`
}
