import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { AppModule } from './app.module.js'

let isStopping = false
process.once('SIGTERM', () => {
  isStopping = true
})

const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter())
// The HTTP server is closed when its connections are: a client that keeps one alive would hold up the end.
app
  .getHttpAdapter()
  .getInstance()
  .addHook('onSend', async (_request, reply) => {
    if (isStopping) reply.header('connection', 'close')
  })
// Without this, SIGTERM would end the process with records in memory.
app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true })
await app.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '0.0.0.0')
console.log(`listening at ${await app.getUrl()}`)
