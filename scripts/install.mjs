// npm's install script: compiles the addon where the package carries none for this platform. Never fails the
// installation: the loader gives the error when the addon is needed and absent.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const isCheckout = existsSync(join(root, 'native/test'))

if (!isCheckout) {
  const { loadAddon, targetName } = await import('../dist/native/load.js')
  if (!isUsable(loadAddon) && !compile()) {
    console.warn(
      `millrace: no prebuilt addon fits ${targetName()}, and compiling one failed. It needs node-gyp, ` +
        'Python 3, make and a C++17 compiler. The package is installed but cannot produce until ' +
        '"npm rebuild millrace" has succeeded.',
    )
  }
}

function isUsable(loadAddon) {
  try {
    loadAddon()
    return true
  } catch {
    return false
  }
}

/** With the node-gyp of the npm that runs this script, else the one on the PATH. */
function compile() {
  const bundled =
    process.env.npm_config_node_gyp ??
    join(dirname(process.env.npm_execpath ?? ''), '../node_modules/node-gyp/bin/node-gyp.js')
  const [command, args] = existsSync(bundled) ? [process.execPath, [bundled]] : ['node-gyp', []]
  const run = spawnSync(command, [...args, 'rebuild'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  return run.status === 0
}
