import { type KafkaError, Producer } from 'millrace'

const producer = new Producer({
  bootstrapServers: Deno.env.get('KAFKA_BROKERS') ?? 'localhost:9092',
  clientId: 'deno',
  lingerMs: 0,
  requestTimeoutMs: 8000,
  deliveryTimeoutMs: 25_000,
  maxBlockMs: 5000,
})
const topic = Deno.env.get('TOPIC') ?? 'events'
const ROOM_BYTES = 4 * 1024 * 1024

const tryLater = (error: string) => Response.json({ error }, { status: 503, headers: { 'retry-after': '1' } })

async function takeEvent(request: Request): Promise<Response> {
  if (producer.bufferAvailableBytes - producer.waitingBytes < ROOM_BYTES) return tryLater('OVERLOADED')
  const event = await request.json().catch(() => null)
  if (typeof event?.user !== 'string') return Response.json({ error: 'user is missing' }, { status: 400 })
  try {
    const { partition, offset } = await producer.send({
      topic,
      key: event.user,
      value: JSON.stringify(event),
    })
    return Response.json({ partition, offset: Number(offset) })
  } catch (error) {
    const { code, retriable, message } = error as KafkaError
    console.error(message)
    return retriable || code === 'PRODUCER_CLOSED'
      ? tryLater(code)
      : Response.json({ error: code }, { status: 422 })
  }
}

function answer(request: Request): Promise<Response> | Response {
  const route = `${request.method} ${new URL(request.url).pathname}`
  if (route === 'POST /events') return takeEvent(request)
  if (route !== 'GET /ready') return new Response(null, { status: 404 })
  const { connected, fatal } = producer.health()
  return new Response(null, { status: connected && fatal === null ? 200 : 503 })
}

const server = Deno.serve(
  { hostname: Deno.env.get('HOST') ?? '0.0.0.0', port: Number(Deno.env.get('PORT') ?? 3000) },
  answer,
)
producer.connect().catch((error: KafkaError) => console.error(error.message))

Deno.addSignalListener('SIGTERM', async () => {
  // Waits for the requests in hand; their records have outcomes then.
  await server.shutdown()
  await producer.close({ timeoutMs: 5000 })
  Deno.exit()
})
