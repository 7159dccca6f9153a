// Commands in documents: those of a checkout are compared with what the project has, all others are run.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT, read } from './documents.js'
import type { Ended, Workshop } from './workshop.js'

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
const lanes = [...read('scripts/test.mjs').matchAll(/^ {2}(\w+): \{/gm)].map(([, name]) => name)
const steps = [...read('scripts/setup.mjs').matchAll(/^ {2}'?([\w-]+)'?: \{/gm)].map(([, name]) => name)

/** True for a command of a checkout, which is not run here: its scripts, lanes and steps must be there. */
export function checkCommand(command: string): boolean {
  const words = command.replace(/ {2,}#.*$/, '').split(' ')
  if (words[0] === 'git' || words[0] === 'cd' || command === 'npm ci') return true
  if (words[0] === 'npx' && words[1] === 'tsc') return true
  if (words[0] === 'npm') {
    const script = words[1] === 'run' ? (words[2] ?? '') : (words[1] ?? '')
    assert.ok(scripts[script] !== undefined, `${command}: there is no such script`)
    if (script === 'test') checkLanes(command, words.slice(3))
    if (script === 'bench')
      assert.ok(existsSync(join(ROOT, `bench/${words[4]}.js`)), `${command}: no such bench`)
    return true
  }
  if (words[0] !== 'node' || !/^(scripts\/|--test$)/.test(words[1] ?? '')) return false
  if (words[1] === '--test') {
    for (const file of words.slice(2).map(each => each.replace(/^dist-/, '').replace(/\.js$/, '.ts'))) {
      assert.ok(/[*]/.test(file) || existsSync(join(ROOT, file)), `${command}: ${file} is not there`)
    }
    return true
  }
  assert.ok(existsSync(join(ROOT, words[1] ?? '')), `${command}: ${words[1]} is not there`)
  if (words[1] === 'scripts/test.mjs') checkLanes(command, words.slice(2))
  if (words[1] === 'scripts/setup.mjs') {
    for (const step of words.slice(2))
      assert.ok(steps.includes(step.replace(/^--/, '')), `${command}: ${step}`)
  }
  return true
}

function checkLanes(command: string, names: readonly string[]): void {
  for (const name of names) assert.ok(lanes.includes(name), `${command}: there is no lane ${name}`)
}

/** Runs a command of a user in the workshop's folder, with the runtimes of the tests. */
export async function runCommand(workshop: Workshop, command: string): Promise<Ended> {
  const { programs } = (await import(pathToFileURL(join(ROOT, 'test/runtimes/programs.mjs')).href)) as {
    programs: Record<string, string>
  }
  const [name = '', ...args] = command.replace(/ {2,}#.*$/, '').split(' ')
  if (name === 'npx' && args[0] === 'millrace') {
    return workshop.run(process.execPath, [join(ROOT, 'dist/cli/main.js'), ...args.slice(1)])
  }
  const program = name === 'node' ? process.execPath : programs[name]
  assert.ok(program !== undefined, `${command}: the tests have no ${name}`)
  return workshop.run(program, args)
}
