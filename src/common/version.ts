/** The version of this package, as brokers and metrics show it. */
export const VERSION = '0.1.0'
