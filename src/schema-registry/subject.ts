import { ConfigError, SerializationError } from '../errors/index.js'
import type { RecordField, SchemaRegistry } from './types.js'

/** What a subject may be named after. */
export interface SubjectContext {
  readonly topic: string
  readonly field: RecordField
  /** Full name of the Avro record or Protobuf message, or `title` of the JSON schema, where there is one. */
  readonly recordName: string | undefined
}

/** Names the subject of a schema; asked once for every topic and record name. */
export type SubjectNameFunction = (context: SubjectContext) => string | Promise<string>

/**
 * - `topic` (Confluent: `TopicNameStrategy`): `TOPIC-key` or `TOPIC-value`.
 * - `record` (`RecordNameStrategy`): the record's full name.
 * - `topic-record` (`TopicRecordNameStrategy`): `TOPIC-FULL.NAME`.
 * - `associated`: the subject that the registry has associated with the topic, else as `topic`.
 */
export type SubjectNameStrategy = 'topic' | 'record' | 'topic-record' | 'associated' | SubjectNameFunction

const STRATEGIES: readonly unknown[] = ['topic', 'record', 'topic-record', 'associated']

export function checkStrategy(strategy: unknown): SubjectNameStrategy {
  if (typeof strategy === 'function' || STRATEGIES.includes(strategy)) return strategy as SubjectNameStrategy
  throw new ConfigError(
    `subjectNameStrategy must be one of ${STRATEGIES.join(', ')} or a function.`,
    'subjectNameStrategy',
  )
}

export async function subjectOf(
  strategy: SubjectNameStrategy,
  context: SubjectContext,
  client: SchemaRegistry,
): Promise<string> {
  const { topic, field } = context
  if (typeof strategy === 'function') {
    const subject: unknown = await strategy(context)
    if (typeof subject === 'string' && subject !== '') return subject
    throw new SerializationError(`the subject name strategy gave no name for topic '${topic}'`, { topic })
  }
  if (strategy === 'record') return nameFor(strategy, context)
  if (strategy === 'topic-record') return `${topic}-${nameFor(strategy, context)}`
  const associated = strategy === 'associated' ? await client.getAssociatedSubject(topic, field) : undefined
  return associated ?? `${topic}-${field}`
}

function nameFor(strategy: string, { topic, recordName }: SubjectContext): string {
  if (recordName !== undefined) return recordName
  throw new SerializationError(
    `subject name strategy ${strategy} needs the record's name: give a schema that has one, or recordName ` +
      `(topic '${topic}')`,
    { topic },
  )
}
