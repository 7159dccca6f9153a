import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * Loads the prebuilt addon of each target of native/targets.json. The paths are literal, so that bundlers and
 * `bun build --compile` find the files: they follow no computed path.
 */
export const prebuilds: Readonly<Record<string, () => unknown>> = {
  'linux-x64': () => require('../../prebuilds/linux-x64/millrace.node'),
  'linux-x64-musl': () => require('../../prebuilds/linux-x64-musl/millrace.node'),
  'linux-arm64': () => require('../../prebuilds/linux-arm64/millrace.node'),
  'linux-arm64-musl': () => require('../../prebuilds/linux-arm64-musl/millrace.node'),
  'darwin-x64': () => require('../../prebuilds/darwin-x64/millrace.node'),
  'darwin-arm64': () => require('../../prebuilds/darwin-arm64/millrace.node'),
  'win32-x64': () => require('../../prebuilds/win32-x64/millrace.node'),
  'win32-arm64': () => require('../../prebuilds/win32-arm64/millrace.node'),
}
