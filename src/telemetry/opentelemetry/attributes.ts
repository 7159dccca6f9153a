import type { Attributes } from '@opentelemetry/api'

/** Which names attributes have: those of semantic conventions 1.45, those until 1.44, or both. */
export type Conventions = 'current' | 'old' | 'both'

/** Attributes of spans and metrics: their present names, and the older ones where they are others. */
const NAMES = {
  system: ['messaging.system.name', 'messaging.system'],
  operationName: ['messaging.operation.name'],
  operationType: ['messaging.operation.type'],
  topic: ['messaging.destination.name'],
  partition: ['messaging.destination.partition.id'],
  clientId: ['messaging.client.id'],
  batchCount: ['messaging.batch.message_count'],
  bodyBytes: ['messaging.message.body.size'],
  key: ['kafka.message.key', 'messaging.kafka.message.key'],
  tombstone: ['kafka.message.tombstone', 'messaging.kafka.message.tombstone'],
  offset: ['kafka.offset', 'messaging.kafka.offset'],
  errorType: ['error.type'],
} as const satisfies Record<string, readonly [string, string?]>

type AttributeName = keyof typeof NAMES
type Values = Partial<Record<AttributeName, string | number | boolean | undefined>>

/** The conventions that `OTEL_SEMCONV_STABILITY_OPT_IN` asks for; without it the current ones. */
export function conventionsOf(optIn: string | undefined): Conventions {
  const words = (optIn ?? '').split(',').map(word => word.trim())
  return words.includes('messaging/dup') ? 'both' : 'current'
}

/** Attributes under the names of the conventions; what is undefined is left out. */
export function attributesOf(conventions: Conventions, values: Values): Attributes {
  const attributes: Attributes = {}
  for (const name of Object.keys(values) as AttributeName[]) {
    const value = values[name]
    if (value === undefined) continue
    const [current, old]: readonly [string, string?] = NAMES[name]
    if (conventions !== 'old' || old === undefined) attributes[current] = value
    if (conventions !== 'current' && old !== undefined) attributes[old] = value
  }
  return attributes
}

/** A word of few possible values for an error: Kafka's name of it, the library's code, or its class. */
export function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return '_OTHER'
  const { errorName, code } = error as { errorName?: unknown; code?: unknown }
  if (typeof errorName === 'string') return errorName
  return typeof code === 'string' ? code : error.name
}
