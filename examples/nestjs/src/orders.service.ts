import { Inject, Injectable } from '@nestjs/common'
import type { KafkaProducer, RecordMetadata } from 'millrace'
import { KAFKA_PRODUCER } from './kafka.module.js'

export interface Order {
  id: string
  customer: string
  total: string
}

@Injectable()
export class OrdersService {
  constructor(@Inject(KAFKA_PRODUCER) private readonly producer: KafkaProducer) {}

  /** Resolves when the brokers have the order. Orders of one customer stay in order. */
  async place(order: Order): Promise<RecordMetadata> {
    const value = JSON.stringify(order)
    return await this.producer.send({
      topic: 'orders',
      key: order.customer,
      value,
      headers: { id: order.id },
    })
  }
}
