import type { ClusterClientOptions } from '../../dist/cluster/cluster-client.js'
import { systemClock } from '../../dist/common/clock.js'
import type { Logger } from '../../dist/common/logger.js'

/** Keeps what was logged, per level. */
export class RecordingLogger implements Logger {
  readonly lines: { level: string; message: string }[] = []
  debug(message: string): void {
    this.lines.push({ level: 'debug', message })
  }
  info(message: string): void {
    this.lines.push({ level: 'info', message })
  }
  warn(message: string): void {
    this.lines.push({ level: 'warn', message })
  }
  error(message: string): void {
    this.lines.push({ level: 'error', message })
  }
}

/** Options of a client with short backoffs, for tests. */
export function clusterOptions(
  bootstrapServers: ClusterClientOptions['bootstrapServers'],
  overrides: Partial<ClusterClientOptions> = {},
): ClusterClientOptions {
  return {
    bootstrapServers,
    clientId: 'test-client',
    requestTimeoutMs: 30_000,
    maxInFlight: 5,
    reconnectBackoffMs: 20,
    reconnectBackoffMaxMs: 100,
    retryBackoffMs: 10,
    retryBackoffMaxMs: 100,
    connectionSetupTimeoutMs: 10_000,
    connectionSetupTimeoutMaxMs: 30_000,
    connectionsMaxIdleMs: 540_000,
    metadataMaxAgeMs: 300_000,
    metadataMaxIdleMs: 300_000,
    recoveryStrategy: 'rebootstrap',
    rebootstrapTriggerMs: 300_000,
    clock: systemClock,
    logger: new RecordingLogger(),
    ...overrides,
  }
}
