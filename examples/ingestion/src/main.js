import { setTimeout as sleep } from 'node:timers/promises'
import { buildApp } from './app.js'
import { readConfig } from './config.js'
import { createProducers } from './producers.js'

const config = readConfig(process.env)
const { producer, deadLetters } = createProducers(config)
const { app, drain } = buildApp({ config, producer, deadLetters })
let isStopping = false

/** Until a broker answers, /ready says no. Wrong credentials never get better: the process ends. */
async function connect() {
  while (!isStopping) {
    try {
      await producer.connect()
      await producer.partitionsFor(config.topic)
      return
    } catch (error) {
      if (isStopping) return
      if (!error.retriable) throw error
      app.log.warn({ code: error.code, err: error }, 'no broker yet')
      await sleep(1000)
    }
  }
}

/** Takes what still comes, waits for what is in hand, gives up what has no outcome: all is answered. */
async function stop(reason, exitCode) {
  if (isStopping) return
  isStopping = true
  app.log.info({ reason }, 'stopping')
  drain()
  await sleep(config.drainDelayMs)
  const closed = app.close()
  const timer = new AbortController()
  await Promise.race([closed, sleep(config.drainMs, undefined, { signal: timer.signal }).catch(() => {})])
  timer.abort()
  await Promise.all([producer.close({ timeoutMs: 1000 }), deadLetters.close({ timeoutMs: 1000 })])
  await closed
  // Nothing is open any more, so the process ends by itself.
  process.exitCode = exitCode
}

process.once('SIGTERM', () => stop('SIGTERM', 0))
process.once('SIGINT', () => stop('SIGINT', 0))
// State is unknown after these, but records in memory are not: they are sent before the process ends.
process.once('uncaughtException', error => {
  app.log.fatal({ err: error }, 'uncaught')
  stop('uncaughtException', 1)
})

await app.listen({ host: config.host, port: config.port })
connect().catch(error => {
  app.log.fatal({ code: error.code, err: error }, 'Kafka refuses this service')
  stop('Kafka', 1)
})
