import { createRequire } from 'node:module'
import { join } from 'node:path'
import { CompressionCodecs } from './compression.js'
import { CompressionTypes } from './enums.js'
import { KafkaJSNotImplemented } from './errors.js'
import type { KafkaConfig } from './types.js'
import type { Admin, AdminConfig } from './types-admin.js'
import type {
  Assigner,
  Consumer,
  ConsumerConfig,
  ISerializer,
  MemberAssignment,
  MemberMetadata,
} from './types-consumer.js'

interface KafkaJSModule {
  Kafka: new (
    config: KafkaConfig,
  ) => {
    consumer(config?: ConsumerConfig): Consumer
    admin(config?: AdminConfig): Admin
  }
  CompressionCodecs: { [type: number]: unknown }
  PartitionAssigners: { roundRobin(config: unknown): Assigner }
  AssignerProtocol: {
    MemberMetadata: ISerializer<MemberMetadata>
    MemberAssignment: ISerializer<MemberAssignment>
  }
}

/** The second is for applications in which `kafkajs` itself is an alias of this. */
const NAMES = ['kafkajs', 'kafkajs-original']
/** Set on our own `Kafka`, which an alias may have put in the other's place. */
export const IS_MILLRACE = Symbol.for('millrace.kafkajs')

let found: KafkaJSModule | null = null

/** The kafkajs that the application or this package can see; consumers and admin clients are its business. */
export function installedKafkaJS(purpose: string): KafkaJSModule {
  found ??= find()
  if (found === null) {
    throw new KafkaJSNotImplemented(
      `${purpose} needs the package kafkajs, which is not installed: npm install kafkajs@2 ` +
        '(or, where kafkajs is an alias of millrace, kafkajs-original@npm:kafkajs@2)',
    )
  }
  return found
}

function find(): KafkaJSModule | null {
  for (const base of [join(process.cwd(), 'package.json'), import.meta.url]) {
    const require = createRequire(base)
    for (const name of NAMES) {
      try {
        const module = require(name) as KafkaJSModule
        if (!(IS_MILLRACE in module.Kafka)) return withCodecs(module)
      } catch (error) {
        if ((error as { code?: string }).code !== 'MODULE_NOT_FOUND') throw error
      }
    }
  }
  return null
}

/** Consumers decompress with the codecs that stand in {@link CompressionCodecs}. */
function withCodecs(module: KafkaJSModule): KafkaJSModule {
  for (const type of Object.values(CompressionTypes)) {
    if (type === CompressionTypes.None || type === CompressionTypes.GZIP) continue
    Object.defineProperty(module.CompressionCodecs, type, {
      get: () => CompressionCodecs[type],
      set: codec => {
        CompressionCodecs[type] = codec
      },
      enumerable: true,
      configurable: true,
    })
  }
  return module
}

/** For `ConsumerConfig.partitionAssigners`. */
export const PartitionAssigners = {
  roundRobin: (config: unknown): Assigner =>
    installedKafkaJS('PartitionAssigners.roundRobin').PartitionAssigners.roundRobin(config),
}

function serializerOf<Name extends keyof KafkaJSModule['AssignerProtocol']>(
  name: Name,
): KafkaJSModule['AssignerProtocol'][Name] {
  const of = () => installedKafkaJS('AssignerProtocol').AssignerProtocol[name] as ISerializer<unknown>
  return {
    encode: (value: unknown) => of().encode(value),
    decode: (buffer: Buffer) => of().decode(buffer),
  } as KafkaJSModule['AssignerProtocol'][Name]
}

/** For partition assigners of the application's own. */
export const AssignerProtocol = {
  MemberMetadata: serializerOf('MemberMetadata'),
  MemberAssignment: serializerOf('MemberAssignment'),
}
