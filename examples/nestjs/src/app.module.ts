import {
  BadRequestException,
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  Module,
  Post,
  Res,
} from '@nestjs/common'
import { APP_FILTER } from '@nestjs/core'
import type { FastifyReply } from 'fastify'
import type { KafkaProducer } from 'millrace'
import { KAFKA_PRODUCER, KafkaModule } from './kafka.module.js'
import { KafkaErrorFilter } from './kafka-error.filter.js'
import { type Order, OrdersService } from './orders.service.js'

@Controller('orders')
class OrdersController {
  constructor(@Inject(OrdersService) private readonly orders: OrdersService) {}

  @Post()
  @HttpCode(200)
  async place(@Body() order: Order | undefined): Promise<{ partition: number; offset: number }> {
    if (typeof order?.id !== 'string' || typeof order.customer !== 'string') {
      throw new BadRequestException('id and customer must be texts')
    }
    const { partition, offset } = await this.orders.place(order)
    return { partition, offset: Number(offset) }
  }
}

@Controller('ready')
class ReadyController {
  constructor(@Inject(KAFKA_PRODUCER) private readonly producer: KafkaProducer) {}

  @Get()
  ready(@Res({ passthrough: true }) reply: FastifyReply): { connected: boolean } {
    const { connected, fatal } = this.producer.health()
    reply.code(connected && fatal === null ? 200 : 503)
    return { connected }
  }
}

@Module({
  imports: [KafkaModule],
  controllers: [OrdersController, ReadyController],
  providers: [OrdersService, { provide: APP_FILTER, useClass: KafkaErrorFilter }],
})
export class AppModule {}
