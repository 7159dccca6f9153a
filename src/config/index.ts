export type { HostPort } from './bootstrap.js'
export { checkOptions } from './call-options.js'
export type { ConfigProvider, ConfigValues, FetchConfig } from './config-provider.js'
export type { OptionKey } from './definitions.js'
export { describeOptions, type OptionDescription } from './describe.js'
export { withoutJvmOptions } from './jvm-only.js'
export type { ProducerOptions, ProducerSettings } from './options.js'
export { parseProducerOptions } from './parse.js'
export type {
  InterceptedMetadata,
  InterceptedRecord,
  Partition,
  Partitioner,
  PartitionerCluster,
  PluginPartition,
  ProducerInterceptor,
} from './plugins.js'
export type { ProducerConfig } from './producer-config.js'
export { parseProperties } from './properties.js'
export { fetchVariables } from './variables.js'
