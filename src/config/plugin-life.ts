import { reasonOf } from '../common/foreign-text.js'
import type { Logger } from '../common/logger.js'
import type { ClusterListener, PluginConfigs, PluginHooks } from '../common/plugin-hooks.js'
import { ConfigError } from '../errors/index.js'
import type { OptionKey } from './definitions.js'
import type { ParsedValues } from './values.js'

/** Java's order. */
const KEYS = [
  'metric.reporters',
  'partitioner.class',
  'key.serializer',
  'value.serializer',
  'interceptor.classes',
] as const

type AnyPlugin = Omit<PluginHooks, 'configure'> &
  ClusterListener & { configure?(configs: PluginConfigs, isKey?: boolean): void }

interface Entry {
  readonly key: (typeof KEYS)[number]
  readonly plugin: AnyPlugin
}

/** Calls what plug-ins have besides their work: `configure`, `onUpdate`, `close`. */
export class PluginLife {
  private readonly entries: readonly Entry[]
  private readonly logger: Logger
  private readonly listeners: readonly Entry[]

  constructor(values: ParsedValues, logger: Logger) {
    this.logger = logger
    this.entries = KEYS.flatMap(key => {
      const given: unknown = values[key]
      const plugins: unknown[] = Array.isArray(given) ? given : [given]
      return plugins.filter(isObject).map(plugin => ({ key, plugin: plugin as AnyPlugin }))
    })
    this.listeners = this.entries.filter(
      ({ key, plugin }) => key !== 'partitioner.class' && typeof plugin.onUpdate === 'function',
    )
  }

  /** @throws ConfigError for what one of them throws; those before it are closed then */
  configure(given: ReadonlyMap<OptionKey, unknown>, clientId: string): void {
    const configs: PluginConfigs = Object.freeze({ ...Object.fromEntries(given), 'client.id': clientId })
    const configured: Entry[] = []
    for (const entry of this.entries) {
      const { key, plugin } = entry
      try {
        if (typeof plugin.configure === 'function') {
          if (key.endsWith('.serializer')) plugin.configure(configs, key === 'key.serializer')
          else plugin.configure(configs)
        }
        configured.push(entry)
      } catch (cause) {
        void this.closeAll(configured)
        throw new ConfigError(`${key}: its configure threw: ${reasonOf(cause)}`, key, { cause })
      }
    }
  }

  /** There is new metadata. */
  onUpdate(clusterId: string | null): void {
    for (const { key, plugin } of this.listeners) {
      try {
        plugin.onUpdate?.({ clusterId })
      } catch (error) {
        this.logger.warn(`${key}: a plug-in threw in onUpdate`, { error })
      }
    }
  }

  close(): Promise<void> {
    return this.closeAll(this.entries)
  }

  /** Reporters are closed with the metrics. */
  private async closeAll(entries: readonly Entry[]): Promise<void> {
    for (const { key, plugin } of new Map(entries.map(entry => [entry.plugin, entry])).values()) {
      if (key === 'metric.reporters' || typeof plugin.close !== 'function') continue
      try {
        await plugin.close()
      } catch (error) {
        this.logger.warn(`${key}: a plug-in threw in close`, { error })
      }
    }
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
