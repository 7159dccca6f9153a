import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * Modules of the runtime that a plain producer does without, loaded when first asked for: together they cost
 * some ten MiB. `require`, for they are needed in the middle of synchronous code.
 */
export const builtins = {
  get childProcess() {
    return require('node:child_process') as typeof import('node:child_process')
  },
  get crypto() {
    return require('node:crypto') as typeof import('node:crypto')
  },
  get https() {
    return require('node:https') as typeof import('node:https')
  },
  get tls() {
    return require('node:tls') as typeof import('node:tls')
  },
  get zlib() {
    return require('node:zlib') as typeof import('node:zlib')
  },
}
