// A small NestJS application over Kafka: `node app.mjs producer-only | with-consumers`. The name kafkajs is
// an
// alias of millrace here. On stdout, one line of JSON: what it has seen.
import 'reflect-metadata'
import { setTimeout } from 'node:timers/promises'
import { Controller, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ClientKafka, MessagePattern, Payload, Transport } from '@nestjs/microservices'
import { Kafka } from 'kafkajs'
import { firstValueFrom, lastValueFrom } from 'rxjs'

const brokers = process.env.KAFKA_BROKERS.split(',')
const topic = process.env.KAFKA_TOPIC
const client = { brokers, clientId: 'nest' }
const isOurs = Symbol.for('millrace.kafkajs') in Kafka
const saw = process.argv[2] === 'producer-only' ? await produceOnly() : await requestAndReply()
console.log(JSON.stringify({ isOurs, ...saw }))

async function produceOnly() {
  const kafka = new ClientKafka({ client, producerOnlyMode: true, send: { acks: -1 } })
  await kafka.connect()
  const emit = message => lastValueFrom(kafka.emit(topic, message), { defaultValue: null })
  await emit({ hello: 'world' })
  await emit({ key: 'k', value: 'v', headers: { a: 'b' } })
  const unwraps = kafka.unwrap() instanceof Kafka
  await kafka.close()
  return { unwraps }
}

async function requestAndReply() {
  await createTopics()
  const server = await NestFactory.createMicroservice(appModule(), {
    transport: Transport.KAFKA,
    options: { client, consumer: { groupId: `${topic}-server` }, subscribe: { fromBeginning: true } },
    logger: false,
  })
  await server.listen()
  const kafka = new ClientKafka({ client, consumer: { groupId: `${topic}-client` } })
  kafka.subscribeToResponseOf(topic)
  await kafka.connect()
  const sum = Number(await firstValueFrom(kafka.send(topic, [1, 2, 39])))
  await kafka.close()
  await server.close()
  return { sum }
}

/** By the admin client of kafkajs itself, as it is asked for here. */
async function createTopics() {
  const admin = new Kafka({ brokers }).admin()
  await admin.connect()
  const reply = `${topic}.reply`
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic }, { topic: reply }] })
  while (!(await admin.listTopics()).includes(reply)) await setTimeout(100)
  await admin.disconnect()
}

function appModule() {
  class MathController {
    sum(numbers) {
      return numbers.reduce((left, right) => left + right, 0)
    }
  }
  const { prototype } = MathController
  Payload()(prototype, 'sum', 0)
  MessagePattern(topic)(prototype, 'sum', Object.getOwnPropertyDescriptor(prototype, 'sum'))
  Controller()(MathController)
  class AppModule {}
  Module({ controllers: [MathController] })(AppModule)
  return AppModule
}
