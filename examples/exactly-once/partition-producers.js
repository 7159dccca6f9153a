import { Producer } from 'millrace'
import { say, settings } from './settings.js'

const { bootstrapServers, groupId, input, transactionTimeoutMs } = settings

/**
 * A producer for each partition of the input that this program reads. Its `transactional.id` is the partition's, so
 * that whoever takes the partition over fences whoever had it.
 */
export class PartitionProducers {
  #producers = new Map()

  has(partition) {
    return this.#producers.has(partition)
  }

  /**
   * Makes this partition the program's own. Once it resolves, nobody else can commit anything for it, and what was
   * open is aborted, or committed if its end had begun. Only then is the partition's committed offset final: right
   * after a commit it may still be the old one, for the same program as for any other.
   */
  async takeOver(partition) {
    await this.#drop(partition)
    const transactionalId = `${groupId}-${input}-${partition}`
    const producer = new Producer({ bootstrapServers, transactionalId, transactionTimeoutMs })
    this.#producers.set(partition, producer)
    await producer.initTransactions().catch(async error => {
      await this.#drop(partition)
      throw error
    })
  }

  /** Takes over these, and lets go of all others. */
  async takeOverAll(partitions) {
    await this.close()
    await Promise.all(partitions.map(partition => this.takeOver(partition)))
  }

  /** Runs `work` in a transaction of this partition. If it rejects, the partition is to be taken over anew. */
  async transact(partition, work) {
    const producer = this.#producers.get(partition)
    if (producer === undefined) throw new Error(`partition ${partition} is not taken over`)
    try {
      producer.beginTransaction()
      await work(producer)
      await producer.commitTransaction()
    } catch (error) {
      say(`partition ${partition} failed:`, error.message)
      // A new producer of this id ends what this one has left open, and waits for that.
      await this.#drop(partition)
      throw error
    }
  }

  /** Lets go of all partitions. */
  async close() {
    await Promise.all([...this.#producers.keys()].map(partition => this.#drop(partition)))
  }

  async #drop(partition) {
    const producer = this.#producers.get(partition)
    this.#producers.delete(partition)
    await producer?.close({ timeoutMs: 0 })
  }
}
