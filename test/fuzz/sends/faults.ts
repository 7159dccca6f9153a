import type { TestBroker } from '../../../dist/testing/index.js'
import type { Random } from '../../hostile/random.js'
import { PARTITIONS_GROWN_MAX, type Plan } from './plan.js'

const RETRIED = ['NOT_LEADER_OR_FOLLOWER', 'NOT_ENOUGH_REPLICAS', 'LEADER_NOT_AVAILABLE'] as const
const RETRIED_THOUGH_STORED = ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'REQUEST_TIMED_OUT'] as const
const FATAL_FOR_A_BATCH = ['POLICY_VIOLATION', 'INVALID_RECORD'] as const

/** Makes the broker fail as the plan allows, now and then. */
export class FaultMaker {
  private readonly plan: Plan
  private readonly random: Random
  private readonly broker: TestBroker
  private readonly makers: readonly (() => void)[]
  private stopped: number | null = null
  private readonly grown = new Set<string>()
  /** Nodes that stop or start. */
  private moves: Promise<void>[] = []

  constructor(plan: Plan, random: Random, broker: TestBroker) {
    this.plan = plan
    this.random = random
    this.broker = broker
    const { isRefusing, isAmbiguous, isFailing, isMoving } = plan.faults
    this.makers = [
      ...(isRefusing ? [() => this.refuse(), () => this.delay()] : []),
      ...(isAmbiguous ? [() => this.hideSuccess(), () => this.cut(), () => this.cut()] : []),
      ...(isFailing ? [() => this.failForGood()] : []),
      // No broker stores a batch and calls the same one too large after that.
      ...(isFailing && !isAmbiguous ? [() => this.callTooLarge(), () => this.callTooLarge()] : []),
      ...(isMoving ? [() => this.moveLeader(), () => this.moveLeader(), () => this.bounce()] : []),
    ]
  }

  maybe(): void {
    const { random, plan } = this
    if (this.makers.length > 0 && random.once(plan.faults.onceIn)) random.pick(this.makers)()
    if (random.once(50)) this.growTopic()
  }

  /** Everything is well from here on. */
  async heal(): Promise<void> {
    await Promise.all(this.moves)
    this.broker.clearFaults()
    if (this.stopped !== null) await this.broker.startNode(this.stopped)
    this.stopped = null
  }

  private place(): { topic: string; partition: number } {
    const { name, partitions } = this.random.pick(this.plan.topics)
    return { topic: name, partition: this.random.below(partitions) }
  }

  private target() {
    return this.random.once(2) ? this.place() : {}
  }

  private refuse(): void {
    const { random } = this
    const times = 1 + random.below(3)
    this.broker.fail({ api: 'Produce', error: random.pick(RETRIED), times, ...this.target() })
  }

  private hideSuccess(): void {
    const error = this.random.pick(RETRIED_THOUGH_STORED)
    this.broker.fail({ api: 'Produce', error, afterAppend: true, ...this.target() })
  }

  private failForGood(): void {
    this.broker.fail({ api: 'Produce', error: this.random.pick(FATAL_FOR_A_BATCH), ...this.place() })
  }

  /** Batches of several records are split then. */
  private callTooLarge(): void {
    const error = this.random.pick(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'] as const)
    this.broker.fail({ api: 'Produce', error, ...this.target() })
  }

  private delay(): void {
    const { random } = this
    this.broker.delay({ api: 'Produce', ms: random.below(20), times: 1 + random.below(5) })
  }

  private cut(): void {
    const { random } = this
    if (random.once(8)) this.broker.disconnect()
    else {
      const direction = random.once(2) ? 'in' : 'out'
      this.broker.cut({ afterBytes: random.below(direction === 'in' ? 20_000 : 300), direction })
    }
  }

  private moveLeader(): void {
    const { topic, partition } = this.place()
    const up = this.broker.nodes.filter(node => node.up)
    if (up.length > 0) this.broker.moveLeader(topic, partition, this.random.pick(up).id)
  }

  private bounce(): void {
    if (this.moves.length > 0) return
    const { stopped } = this
    const node = stopped ?? 1 + this.random.below(this.plan.nodes)
    this.stopped = stopped === null ? node : null
    const move = stopped === null ? this.broker.stopNode(node) : this.broker.startNode(node)
    this.moves = [
      move.then(() => {
        this.moves = []
      }),
    ]
  }

  private growTopic(): void {
    for (const { name, partitions, grows } of this.plan.topics) {
      if (!grows || this.grown.has(name)) continue
      this.grown.add(name)
      this.broker.addPartitions(name, partitions + 1 + this.random.below(PARTITIONS_GROWN_MAX))
    }
  }
}
