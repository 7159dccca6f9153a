import 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it came, which is what is sent on. */
    text: string
  }
}
