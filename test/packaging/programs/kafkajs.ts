// Programs of applications whose kafkajs is now millrace/kafkajs, with the tools that they bring along.

/** jest replaces modules, and methods in place. */
export const MOCKED = `
jest.mock('millrace/kafkajs')
jest.mock('millrace')
const entry = require('millrace/kafkajs')
const millrace = require('millrace')
const real = jest.requireActual('millrace/kafkajs')

test('an automatic mock of millrace/kafkajs', () => {
  expect(Object.keys(real).filter(name => !(name in entry))).toEqual([])
  const kafka = new entry.Kafka({ brokers: [] })
  expect(entry.Kafka).toHaveBeenCalledTimes(1)
  expect(kafka.producer()).toBeUndefined()
  const send = jest.fn().mockResolvedValue([])
  kafka.producer.mockReturnValue({ send })
  kafka.producer().send({ topic: 't', messages: [] })
  expect(send).toHaveBeenCalledWith({ topic: 't', messages: [] })
  expect(entry.CompressionTypes.GZIP).toBe(1)
})

test('an automatic mock of millrace', async () => {
  const producer = new millrace.Producer({ bootstrapServers: 'localhost:1' })
  expect(producer.send({ topic: 't', value: 'v' })).toBeUndefined()
  producer.send.mockResolvedValue({ offset: 1n })
  expect(await producer.send({ topic: 't', value: 'v' })).toEqual({ offset: 1n })
})

test('send replaced in place', async () => {
  const producer = new real.Kafka({ brokers: ['localhost:1'], logLevel: 0 }).producer()
  const spy = jest.spyOn(producer, 'send').mockResolvedValue([{ partition: 0 }])
  expect(await producer.send({ topic: 't', messages: [{ value: 'v' }] })).toEqual([{ partition: 0 }])
  expect(spy).toHaveBeenCalledTimes(1)
})
`

/** OpenTelemetry's instrumentation of kafkajs, which knows packages by name and version. `PATHS` is prepended. */
export const TRACED = `
const { KafkaJsInstrumentation } = require(PATHS.instrumentation)
const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } = require(PATHS.sdk)
const exporter = new InMemorySpanExporter()
const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
tracerProvider.register()
const instrumentation = new KafkaJsInstrumentation()
instrumentation.setTracerProvider(tracerProvider)
instrumentation.enable()
const { Kafka, logLevel } = require('kafkajs')
const { startBroker } = require('millrace/testing')

async function main() {
  const broker = await startBroker({ quiet: true })
  const client = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING })
  const producer = client.producer()
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ key: 'k', value: 'v' }] })
  await producer.sendBatch({ topicMessages: [{ topic: 'orders', messages: [{ value: 'w' }] }] })
  await producer.disconnect()
  const headers = [...broker.records('orders')].map(record => record.headers.map(([name]) => name).join())
  await broker.close()
  console.log(JSON.stringify({ spans: exporter.getFinishedSpans().map(({ name }) => name), headers }))
}
main()
`
