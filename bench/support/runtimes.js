// The runtimes a bench can run on: this one, and those that `node scripts/setup.mjs --runtimes` has
// installed.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const platform = `${process.platform}-${process.arch}`
const bunPlatform = platform.replace('arm64', 'aarch64')
const denoPlatform = process.platform === 'linux' ? `${platform}-glibc` : platform
const installed = path => fileURLToPath(new URL(`../../test/runtimes/node_modules/${path}`, import.meta.url))
const node = name => ({ program: installed(`${name}-${platform}/bin/node`), args: ['--expose-gc'] })

const runtimes = {
  current: { program: process.execPath, args: ['--expose-gc'] },
  node20: node('node20'),
  node24: node('node24'),
  node26: node('node26'),
  bun: { program: installed(`@oven/bun-${bunPlatform}/bin/bun`), args: [] },
  deno: { program: installed(`@deno/${denoPlatform}/deno`), args: ['run', '-A', '--v8-flags=--expose-gc'] },
}

/** Names of the runtimes that are there, without `current` where another is. */
export function availableRuntimes() {
  const names = Object.keys(runtimes).filter(name => name !== 'current' && existsSync(runtimes[name].program))
  return names.length === 0 ? ['current'] : names
}

export function checkRuntime(name) {
  if (runtimes[name] === undefined) {
    throw new Error(`no runtime is called ${name}: ${Object.keys(runtimes).join(', ')}`)
  }
  if (!existsSync(runtimes[name].program)) {
    throw new Error(`${name} is not installed: node scripts/setup.mjs --runtimes`)
  }
}

/** The program and arguments that run a script on a runtime; `flags` are the runtime's own. */
export function commandOf(name, file, flags = []) {
  checkRuntime(name)
  const { program, args } = runtimes[name]
  return { program, args: [...args, ...flags, file] }
}

/** The Node that runs what else is written in JavaScript. */
export function nodeProgram() {
  checkRuntime('node24')
  return runtimes.node24.program
}

/**
 * Runs a script of this folder on a runtime, with one JSON argument; its last line of output is its JSON
 * result. `flags` are the runtime's own, such as --cpu-prof.
 */
export function runOn(name, script, task, flags = []) {
  const { program, args } = commandOf(name, fileURLToPath(new URL(script, import.meta.url)), flags)
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      output += text
    })
    child.once('error', reject)
    child.once('close', (code, signal) => {
      const line = output.trimEnd().split('\n').at(-1)
      if (code === 0 && line) resolve(JSON.parse(line))
      else reject(new Error(`${script} on ${name} ended with ${signal ?? `exit code ${code}`}\n${output}`))
    })
  })
}

/** Such as `Node 24.18.0`, of the process this is called in. */
export function runtimeName() {
  const { bun, deno, node } = process.versions
  if (bun) return `Bun ${bun}`
  return deno ? `Deno ${deno}` : `Node ${node}`
}
