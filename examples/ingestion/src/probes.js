import { prometheusContentType, prometheusText } from 'millrace/prometheus'

/** `GET /live`, `GET /ready` and `GET /metrics`, for the platform. */
export function addProbes(app, { config, producer, deadLetters, counts, state }) {
  // Only whether this process works: a broker that is down must not have it restarted, with all it holds.
  app.get('/live', async () => 'live')

  app.get('/ready', async (_request, reply) => {
    const { connected, fatal, oldestUnacknowledgedMs } = producer.health()
    const isStalled = (oldestUnacknowledgedMs ?? 0) > config.stalledMs
    if (!state.isDraining && connected && fatal === null && !isStalled) return 'ready'
    const { isDraining } = state
    return reply.code(503).send({ isDraining, connected, fatal: fatal?.code, oldestUnacknowledgedMs })
  })

  app.get('/metrics', async (_request, reply) => {
    const own = Object.entries(counts).map(
      ([outcome, count]) => `ingestion_events_total{outcome="${outcome}"} ${count}\n`,
    )
    reply.type(prometheusContentType)
    return `# TYPE ingestion_events_total counter\n${own.join('')}${prometheusText(producer, deadLetters)}`
  })
}
