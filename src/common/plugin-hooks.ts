/** The options that were given to the producer, by Java's keys, and `client.id` as it is in the end. */
export type PluginConfigs = Readonly<Record<string, unknown>>

/** What is known of the cluster (Java: `ClusterResource`). */
export interface ClusterResource {
  /** Null where brokers are too old to tell. */
  readonly clusterId: string | null
}

/** What serializers, interceptors and metric reporters may have besides (Java: `ClusterResourceListener`). */
export interface ClusterListener {
  /** Called with each answer to a request for metadata. What it throws is only logged. */
  onUpdate?(cluster: ClusterResource): void
}

/** What any plug-in may have besides (Java: `Configurable` and `Closeable`). */
export interface PluginHooks {
  /** Called once, when the producer is made. What it throws is the cause of the constructor's error. */
  configure?(configs: PluginConfigs): void
  /** Called once, when the producer has been closed, and awaited. What it throws is only logged. */
  close?(): void | Promise<void>
}
