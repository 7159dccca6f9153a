// Where the runtimes are that the tests run on: the one in use, and those that `npm ci` installs here.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const nodePlatform = `${process.platform}-${process.arch}`
const bunPlatform = nodePlatform.replace('arm64', 'aarch64')
const denoPlatform = process.platform === 'linux' ? `${nodePlatform}-glibc` : nodePlatform

function installed(path) {
  return join(here, 'node_modules', path)
}

/** Programs by name. */
export const programs = {
  current: process.execPath,
  node20: installed(`node20-${nodePlatform}/bin/node`),
  node24: installed(`node24-${nodePlatform}/bin/node`),
  node26: installed(`node26-${nodePlatform}/bin/node`),
  bun: installed(`@oven/bun-${bunPlatform}/bin/bun`),
  deno: installed(`@deno/${denoPlatform}/deno`),
}
