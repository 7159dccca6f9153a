import Fastify, { LogController } from 'fastify'
import { addEvents } from './events.js'
import { addProbes } from './probes.js'

/**
 * The service without its surroundings, so that tests can give it other producers.
 *
 * @param {{
 *   config: import('./config.js').Config,
 *   producer: import('millrace').KafkaProducer,
 *   deadLetters: import('millrace').KafkaProducer,
 * }} parts
 */
export function buildApp({ config, producer, deadLetters }) {
  const app = Fastify({
    logger: config.logLevel === 'silent' ? false : { level: config.logLevel },
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.bodyLimit,
    // The text that is validated is the one that is sent on.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
  })
  app.server.maxConnections = config.maxConnections

  app.decorateRequest('text', '')
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    request.text = String(body)
    parse(request, request.text, done)
  })

  const state = { isDraining: false }
  /** Answers that come while the service drains end their connections, so that none is cut off later. */
  app.addHook('onSend', async (_request, reply) => {
    if (state.isDraining) reply.header('connection', 'close')
  })

  const counts = { stored: 0, accepted: 0, overloaded: 0, deadLettered: 0, failed: 0 }
  addEvents(app, { config, producer, deadLetters, counts })
  addProbes(app, { config, producer, deadLetters, counts, state })

  /** From now on the service says that it is not ready, and takes what still comes. */
  const drain = () => {
    state.isDraining = true
  }
  return { app, drain }
}
