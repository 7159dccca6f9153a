import type { Schema, SchemaRegistry } from './types.js'

/** A schema that another one uses, under the name that it is used by. */
export interface ReferencedSchema {
  readonly name: string
  readonly schema: string
}

/**
 * All schemas that a schema uses, directly or through others, each once; what is used comes before what uses
 * it. Versions never change, so a client asks for each once.
 */
export async function resolveReferences(client: SchemaRegistry, schema: Schema): Promise<ReferencedSchema[]> {
  const found = new Map<string, ReferencedSchema>()
  const visiting = new Set<string>()
  const visit = async ({ references = [] }: Schema): Promise<void> => {
    for (const { name, subject, version } of references) {
      const key = `${subject}/${version}/${name}`
      if (found.has(key) || visiting.has(key)) continue
      visiting.add(key)
      const used = await client.getVersion(subject, version)
      await visit(used)
      found.set(key, { name, schema: used.schema })
    }
  }
  await visit(schema)
  return [...found.values()]
}
