// Programs that only have to compile against the packed declarations, and one that reads their hover text.

/** What has to compile, and, under `@ts-expect-error`, what must not. */
export const LEARNED = `
import {
  type AnyKafkaError, type ErrorCode, type KafkaProducer, type ProducerOptions, type ProducerSettings,
  isKafkaError, Producer, SendManyError, serializers,
} from 'millrace'
import { MockProducer } from 'millrace/testing'

interface Order { id: number }
const bootstrapServers = 'localhost:9092'
const orders = { serialize: (_topic: string, order: Order) => JSON.stringify(order) }
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

// What is required.
new Producer({ bootstrapServers })
new Producer({ 'bootstrap.servers': [bootstrapServers], 'linger.ms': 5 })
// @ts-expect-error nothing says where the cluster is
new Producer({ lingerMs: 5 })
// @ts-expect-error nor here
new Producer()
const settings: ProducerSettings = { lingerMs: 5, acks: 'all' }
new Producer({ bootstrapServers, ...settings })
// @ts-expect-error parts alone are not enough
const whole: ProducerOptions = settings

// What turns values into bytes.
const typed = new Producer<string, Order>({ bootstrapServers, valueSerializer: orders })
// @ts-expect-error an order is not bytes
new Producer<string, Order>({ bootstrapServers })
// @ts-expect-error a number is not bytes
new Producer<number, Order>({ bootstrapServers, 'value.serializer': orders })
// @ts-expect-error a serializer of something else
new Producer<string, Order>({ bootstrapServers, valueSerializer: serializers.integer })
const inferred = new Producer({ bootstrapServers, valueSerializer: orders })
inferred.send({ topic: 't', value: { id: 1 } })
// @ts-expect-error not an order
inferred.send({ topic: 't', value: 'text' })
// @ts-expect-error a value must be given, if only null
typed.send({ topic: 't', key: 'k' })
typed.send({ topic: 't', key: 'k', value: null })

// What the constructor refuses.
new Producer({
  bootstrapServers,
  // @ts-expect-error no such codec
  compressionType: 'brotli',
})
new Producer({
  bootstrapServers,
  // @ts-expect-error no such option
  lingerMillis: 5,
})
new Producer({
  bootstrapServers,
  // @ts-expect-error only its default is accepted
  'ssl.provider': 'BC',
})
new Producer({
  bootstrapServers,
  // @ts-expect-error no class names
  partitionerClass: 'org.example.Partitioner',
})
new Producer({
  bootstrapServers,
  securityProtocol: 'SSL',
  // @ts-expect-error no such store
  sslTruststoreType: 'BKS',
})

// Nobody needs to make these.
// @ts-expect-error a private member
typed.accumulator
declare const metadata: import('millrace').RecordMetadata
const offset: bigint = metadata.offset
// @ts-expect-error read only
metadata.offset = offset

// One interface for the producer and its double.
async function sendOrder(producer: KafkaProducer<string, Order>): Promise<bigint> {
  return (await producer.send({ topic: 'orders', key: '1', value: { id: 1 } })).offset
}
sendOrder(typed)
sendOrder(new MockProducer<string, Order>({ valueSerializer: orders }))

// Errors, told apart by their codes.
const all: Same<AnyKafkaError['code'], ErrorCode> = true
function told(error: unknown): string {
  if (!isKafkaError(error)) return 'not of this library'
  switch (error.code) {
    case 'BROKER_ERROR':
    case 'AUTHORIZATION_FAILED':
      return error.errorName + error.errorCode.toFixed()
    case 'CONFIG_INVALID':
      return error.key ?? ''
    case 'TRANSACTION_FAILED':
    case 'PRODUCER_FENCED':
      return error.fatal ? 'close' : error.abortable ? 'abort' : 'go on'
    case 'SEND_MANY_FAILED':
      return [...error.errors].map(([index, { code }]) => index.toFixed() + code).join()
    case 'TIMED_OUT':
      // @ts-expect-error a time-out has no number
      return error.errorCode
    // @ts-expect-error no such code
    case 'TIMEOUT':
      return ''
    default:
      return error.topic ?? ''
  }
}
typed.send({ topic: 't', value: null }, (error, { partition }) => {
  if (error?.code === 'BROKER_ERROR') told(error.errorName + partition.toFixed())
})
export const kept = [whole, all, told, SendManyError]
`

/** Every entry, so that every declaration is compiled. */
export const ENTRIES = `
import * as index from 'millrace'
import * as testing from 'millrace/testing'
import * as prometheus from 'millrace/prometheus'
import * as opentelemetry from 'millrace/opentelemetry'
import * as registry from 'millrace/schema-registry'
import * as kafkajs from 'millrace/kafkajs'
import * as streams from 'millrace/streams'
export const entries = [index, testing, prometheus, opentelemetry, registry, kafkajs, streams]
`

/**
 * Prints, as JSON, how many members an editor shows of what \`millrace\` exports, those of them without hover
 * text, and those that are private. Reads the compiler's path, then a source file, from the arguments.
 */
export const HOVERS = `
const ts = require(process.argv[2])
const program = ts.createProgram([process.argv[3]], {
  module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022, strict: true, types: [],
})
const checker = program.getTypeChecker()
const source = program.getSourceFile(process.argv[3])
const entry = checker.getSymbolAtLocation(source.statements[0].moduleSpecifier)
const members = new Map()

/** Members declared in the package; those of Error and of functions are not ours. */
const isOurs = symbol =>
  (symbol.declarations ?? []).some(({ parent }) => parent.getSourceFile().fileName.includes('/millrace/'))

function look(name, type, depth) {
  for (const symbol of checker.getPropertiesOfType(type)) {
    const path = name + '.' + symbol.name.replace(/^__@(\\w+)@\\d+$/, '[$1]')
    if (!isOurs(symbol) || symbol.name === 'prototype') continue
    const hover = ts.displayPartsToString(symbol.getDocumentationComment(checker))
    const flags = ts.getCombinedModifierFlags(symbol.declarations[0])
    const isHidden = Boolean(flags & ts.ModifierFlags.Private) || symbol.name.startsWith('__#')
    members.set(path, { hasHover: hover.length > 3, isHidden })
  }
  if (!type.isUnion() || depth > 0) return
  for (const part of type.types) look(name, part, depth + 1)
}

for (const symbol of checker.getExportsOfModule(entry)) {
  const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  const hover = ts.displayPartsToString(real.getDocumentationComment(checker))
  members.set(symbol.name, { hasHover: hover.length > 3, isHidden: false })
  if (real.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) {
    const type = checker.getDeclaredTypeOfSymbol(real)
    if (!(type.flags & ts.TypeFlags.StringLike)) look(symbol.name, type, 0)
  }
  if (real.flags & ts.SymbolFlags.Variable || real.flags & ts.SymbolFlags.Class) {
    look(symbol.name, checker.getTypeOfSymbol(real), 0)
  }
}
const names = test => [...members].filter(([, member]) => test(member)).map(([name]) => name)
console.log(JSON.stringify({
  shown: [...members.keys()],
  withoutHover: names(({ hasHover }) => !hasHover),
  hidden: names(({ isHidden }) => isHidden),
}))
`
