// What blocks of the documents use without declaring it. Only what a block names is imported into it.
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { type ConsumerGroupMetadata, Producer, type ProducerRecord } from 'millrace'
import { Registry } from 'prom-client'

const bootstrapServers = process.env.DOCS_BROKER ?? ''

export { Producer }
export const producer: Producer = new Producer({ bootstrapServers })
export const anotherProducer: Producer = new Producer({ bootstrapServers })
export const deadLetters: Producer = new Producer({ bootstrapServers })
export const events: { user: string; bytes: Uint8Array }[] = Array.from({ length: 20 }, (_, i) => ({
  user: `user-${i % 3}`,
  bytes: randomBytes(10),
}))
export const key = 'user-42'
export const value = 'shoes'
export const invoices: ProducerRecord[] = [{ topic: 'invoices', value: 'invoice 1' }]
export const groupMetadata: ConsumerGroupMetadata = { groupId: 'billing' }
export const username = 'user'
export const password = 'password'
export const register: Registry = new Registry()
export const log = (error: unknown): void => console.error(error)
export const response = { setHeader() {}, end() {} } as unknown as ServerResponse

export async function closeGiven(): Promise<void> {
  await Promise.all([producer, anotherProducer, deadLetters].map(each => each.close()))
}
