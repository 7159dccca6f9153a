import type { ClusterClient } from '../cluster/cluster-client.js'
import type { KafkaError } from '../errors/index.js'
import {
  type Coordinator,
  CoordinatorType,
  FindCoordinator,
  type FindCoordinatorResponse,
} from '../protocol/find-coordinator.js'
import { Priority, type Rpc, type RpcError, type RpcTarget } from './rpc.js'

/** Looks for the coordinator of a transactional id or of a group. */
export class FindCoordinatorRpc implements Rpc<FindCoordinatorResponse> {
  readonly name = 'FindCoordinator'
  readonly priority = Priority.FIND_COORDINATOR
  readonly target: RpcTarget = { kind: 'any' }
  isUnsure = false
  /** The transactional id, or the group's. */
  private readonly key: string
  private readonly isGroup: boolean
  private readonly found: (nodeId: number) => void

  constructor(isGroup: boolean, key: string, found: (nodeId: number) => void) {
    this.isGroup = isGroup
    this.key = key
    this.found = found
  }

  /** Whether it looks for this coordinator. */
  finds(target: RpcTarget): boolean {
    return target.kind === 'group' ? this.isGroup && this.key === target.groupId : !this.isGroup
  }

  ask(client: ClusterClient, nodeId: number | 'any', _identity: unknown, timeoutMs: number) {
    const keyType = this.isGroup ? CoordinatorType.GROUP : CoordinatorType.TRANSACTION
    return client.request(
      nodeId,
      FindCoordinator,
      { keyType, coordinatorKeys: [this.key] },
      { timeoutMs, minVersion: this.isGroup ? 0 : 1 },
    )
  }

  errorsOf(response: FindCoordinatorResponse): readonly RpcError[] | null {
    const coordinator = this.own(response)
    if (coordinator === undefined || (coordinator.errorCode === 0 && coordinator.nodeId < 0)) return null
    return [{ errorCode: coordinator.errorCode, message: coordinator.errorMessage }]
  }

  done(response: FindCoordinatorResponse): void {
    this.found((this.own(response) as Coordinator).nodeId)
  }

  failed(_error: KafkaError): void {}

  /** The entry for the key that was asked for; below version 4 the only one, which does not name it. */
  private own({ coordinators }: FindCoordinatorResponse): Coordinator | undefined {
    return coordinators.find(({ key }) => key === this.key || (key === '' && coordinators.length === 1))
  }
}
