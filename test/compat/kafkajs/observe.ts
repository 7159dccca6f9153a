// What a scenario saw, in a form that two libraries can be compared by.

/** How a call ended. */
export async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return { resolved: plain(await call()) }
  } catch (error) {
    return { rejected: describeError(error) }
  }
}

interface AnyError extends Error {
  retriable?: unknown
  type?: unknown
  code?: unknown
  helpUrl?: unknown
  retryCount?: unknown
  broker?: unknown
}

const isKafkaJS = (error: unknown): error is AnyError =>
  error instanceof Error && error.constructor.name.startsWith('KafkaJS')

/** Names of the classes of an error, the most special first. */
export function classesOf(error: object): string[] {
  const names: string[] = []
  for (let each = Object.getPrototypeOf(error); each !== null; each = Object.getPrototypeOf(each)) {
    names.push(each.constructor.name)
  }
  return names
}

/**
 * An error by all that code decides on. Messages of brokers' errors are left out, and causes that are not of
 * KafkaJS's classes: both are different on purpose, and looked at by a scenario of their own.
 */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { thrown: plain(error) }
  const { name, message, retriable, type, code, helpUrl, retryCount } = error as AnyError
  const { cause } = error
  return {
    classes: classesOf(error),
    name,
    retriable,
    ...(type === undefined ? {} : { type }),
    ...(code === undefined ? {} : { code }),
    ...(helpUrl === undefined ? {} : { helpUrl }),
    ...(retryCount === undefined ? {} : { retryCount }),
    ...(isBrokers(error) ? {} : { message: message.replace(/127\.0\.0\.1:\d+/g, 'HOST:PORT') }),
    keys: Object.keys(error),
    ...(isKafkaJS(cause) ? { cause: describeError(cause) } : {}),
  }
}

/** Whether the message tells of what a broker, a connection or the metadata said. */
function isBrokers(error: Error): boolean {
  const names = ['KafkaJSProtocolError', 'KafkaJSSASLAuthenticationError', 'KafkaJSMetadataNotLoaded']
  return (
    classesOf(error).some(name => names.includes(name)) || (isKafkaJS(error.cause) && isBrokers(error.cause))
  )
}

/**
 * Answers of sends come in the order in which brokers answer: by topic and partition they can be compared.
 */
function inOrder(values: readonly unknown[]): readonly unknown[] {
  const keyOf = (value: unknown) => {
    const { topicName, partition } = (value ?? {}) as { topicName?: string; partition?: number }
    return topicName === undefined ? null : `${topicName} ${String(partition).padStart(6, '0')}`
  }
  if (!values.every(value => keyOf(value) !== null)) return values
  return [...values].sort((left, right) => ((keyOf(left) as string) < (keyOf(right) as string) ? -1 : 1))
}

/** Bytes as text that shows them, bigints as text, functions by their kind. */
export function plain(value: unknown): unknown {
  if (value === undefined) return '(undefined)'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return '(function)'
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (value instanceof Error) return describeError(value)
  if (Array.isArray(value)) return inOrder(value).map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]))
}
