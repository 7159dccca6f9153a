import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import { KafkaError } from 'millrace'

/** Errors of the producer as answers: 503 for what may be tried again, 422 for what may not. */
@Catch(KafkaError)
export class KafkaErrorFilter implements ExceptionFilter {
  catch(error: KafkaError, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>()
    if (error.retriable || error.code === 'PRODUCER_CLOSED') reply.code(503).header('retry-after', '1')
    else reply.code(422)
    reply.send({ error: error.code })
  }
}
