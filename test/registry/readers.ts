import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { ReadRecord } from '../kafka/java-client.js'
import { ROOT } from './apicurio.js'

const require = createRequire(join(ROOT, 'test/registry/peers/package.json'))

/** Decodes the values of a topic's records. */
export type Reader = (topic: string, records: readonly ReadRecord[]) => Promise<unknown[]>

export type Format = 'AVRO' | 'JSON' | 'PROTOBUF'
export type Strategy = 'topic' | 'record' | 'topic-record' | 'associated'

/** `@kafkajs/confluent-schema-registry`, which knows wire format v0. */
export function kafkajsReader(host: string): Reader {
  const { SchemaRegistry } = require('@kafkajs/confluent-schema-registry')
  const registry = new SchemaRegistry({ host })
  return async (_topic, records) =>
    Promise.all(records.map(async ({ value }) => plain(await registry.decode(value))))
}

/** The deserializers of `@confluentinc/schemaregistry`, which look at headers first, then at the prefix. */
export function confluentReader(url: string, format: Format, strategy: Strategy): Reader {
  const peer = require('@confluentinc/schemaregistry')
  const client = peer.SchemaRegistryClient.newClient({ baseURLs: [url] })
  const Deserializer = {
    AVRO: peer.AvroDeserializer,
    JSON: peer.JsonDeserializer,
    PROTOBUF: peer.ProtobufDeserializer,
  }[format]
  const subjectNameStrategyType = {
    topic: 'TOPIC',
    record: 'RECORD',
    'topic-record': 'TOPIC_RECORD',
    associated: 'ASSOCIATED',
  }[strategy]
  const deserializer = new Deserializer(client, peer.SerdeType.VALUE, { subjectNameStrategyType })
  return async (topic, records) =>
    Promise.all(
      records.map(async ({ value, headers }) =>
        plain(await deserializer.deserialize(topic, value, Object.fromEntries(headers))),
      ),
    )
}

/** Data as JSON has it, so that what three languages have read can be compared. */
export function plain(data: unknown): unknown {
  const text = JSON.stringify(data, (name, value) => {
    if (name === '$typeName' || name === '$unknown') return undefined
    return typeof value === 'bigint' ? Number(value) : value
  })
  return JSON.parse(text)
}

/** The package `cloudevents`, through `Kafka.toEvent`. */
export function cloudEvents() {
  const { CloudEvent, Kafka } = require('cloudevents')
  return { CloudEvent, Kafka } as {
    CloudEvent: new (event: object) => Record<string, unknown>
    Kafka: {
      binary(event: unknown): object
      structured(event: unknown): object
      toEvent(message: object): Record<string, unknown>
    }
  }
}

export const confluentVersion: string = require('@confluentinc/schemaregistry/package.json').version
export const kafkajsVersion: string = require('@kafkajs/confluent-schema-registry/package.json').version
export const cloudEventsVersion: string = require('cloudevents/package.json').version
export const confluentPeer = () => require('@confluentinc/schemaregistry')
export const kafkajsPeer = () => require('@kafkajs/confluent-schema-registry')
