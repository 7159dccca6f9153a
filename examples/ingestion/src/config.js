/** @param {Record<string, string | undefined>} env */
export function readConfig(env) {
  /** @param {string} name @param {number} byDefault */
  const number = (name, byDefault) => {
    const value = Number(env[name] ?? byDefault)
    if (!Number.isInteger(value) || value < 0) throw new Error(`${name} is not a whole number: ${env[name]}`)
    return value
  }
  return {
    host: env.HOST ?? '0.0.0.0',
    port: number('PORT', 3000),
    bootstrapServers: env.KAFKA_BROKERS ?? 'localhost:9092',
    topic: env.TOPIC ?? 'events',
    deadLetterTopic: env.DEAD_LETTER_TOPIC ?? 'events.dead-letters',
    /** Largest body of a request, in bytes. */
    bodyLimit: number('BODY_LIMIT', 256 * 1024),
    maxConnections: number('MAX_CONNECTIONS', 5000),
    /** Records that have no outcome yet hold at most so many bytes… */
    bufferMemory: number('BUFFER_MEMORY', 32 * 1024 * 1024),
    /** … and when fewer than these are left, requests are answered with 503. */
    roomBytes: number('ROOM_BYTES', 4 * 1024 * 1024),
    /** Below the time-out of the load balancer: who gives up first must be the one who knows the outcome. */
    deliveryTimeoutMs: number('DELIVERY_TIMEOUT_MS', 25_000),
    /** A record older than this makes the service not ready. */
    stalledMs: number('STALLED_MS', 10_000),
    /** After SIGTERM: how long requests are still taken, until no balancer sends any more. */
    drainDelayMs: number('DRAIN_DELAY_MS', 2000),
    /** Then: how long the requests in hand may wait for their outcomes. */
    drainMs: number('DRAIN_MS', 5000),
    logLevel: env.LOG_LEVEL ?? 'info',
  }
}

/** @typedef {ReturnType<typeof readConfig>} Config */
