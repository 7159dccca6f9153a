// What the scripts of this folder share: running commands, finding programs, comparing ages of files.
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '')
export const isWindows = process.platform === 'win32'

/** A failure that is told to the user in one line, without a stack. */
export class StepError extends Error {}

/** Runs a command with inherited output; rejects with a StepError that shows the command when it fails. */
export function run(command, args, { env = {}, cwd = root } = {}) {
  const shown = [command, ...args].join(' ')
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'inherit' })
    child.once('error', error => reject(new StepError(`${shown}\n  could not be started: ${error.message}`)))
    child.once('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new StepError(`${shown}\n  ended with ${signal ?? `exit code ${code}`}`))
    })
  })
}

/** Runs a program of a package in node_modules by its script, so that no shell and no PATH is needed. */
export function runNode(script, args, options) {
  return run(process.execPath, [join(root, script), ...args], options)
}

/** npm by the script that runs this process where there is one: `npm` is a .cmd file on Windows. */
export function npm(args, options) {
  const script = process.env.npm_execpath
  if (script?.endsWith('.js')) return run(process.execPath, [script, ...args], options)
  return run(isWindows ? 'npm.cmd' : 'npm', args, options)
}

/** The first of the named programs that is on the PATH. */
export function findProgram(...names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const file = join(folder, isWindows ? `${name}.exe` : name)
      try {
        accessSync(file, constants.X_OK)
        return file
      } catch {}
    }
  }
  return undefined
}

/** Debian's packages for what is missing, where we may install them; elsewhere says what to install. */
export async function needPrograms(wanted, debianPackages) {
  const missing = Object.entries(wanted).filter(([, isThere]) => !isThere())
  if (missing.length === 0) return
  const names = missing.map(([name]) => name).join(', ')
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) {
    throw new StepError(
      `${names} not found; install it (on Debian: apt-get install ${debianPackages.join(' ')})`,
    )
  }
  console.error(`set-up: installing ${names} (apt-get)`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update', '-q'], { env })
  await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...debianPackages], { env })
}

/** Every file below the given files and folders; what does not exist has none. */
export function filesUnder(paths, matches = () => true) {
  const files = []
  for (const path of paths) {
    const full = join(root, path)
    if (!existsSync(full)) continue
    if (statSync(full).isDirectory()) {
      const names = readdirSync(full).filter(name => name !== 'node_modules')
      files.push(
        ...filesUnder(
          names.map(name => `${path}/${name}`),
          matches,
        ),
      )
    } else if (matches(path)) {
      files.push(path)
    }
  }
  return files.sort()
}

/** True when the target is missing or older than any of the files below the given sources. */
export function isOutdated(target, sources) {
  const full = join(root, target)
  if (!existsSync(full)) return true
  const { mtimeMs } = statSync(full)
  return filesUnder(sources).some(file => statSync(join(root, file)).mtimeMs > mtimeMs)
}

/** Options without a value, and those whose value is a word. */
const FLAGS = ['--plain', '--kafka']
const WORDS = ['--runtime', '--sink', '--target']

function describeOption(name) {
  if (FLAGS.includes(name)) return name
  return `${name} ${WORDS.includes(name) ? 'NAME' : 'N'}`
}

/** A million may be written `1_000_000`. */
function wholeNumber(word) {
  return Number(word.replaceAll('_', ''))
}

/** `--name N` pairs, `--name word` pairs and bare `--flag`s, by name; `--help` shows what there is. */
export function readOptions(words, allowed) {
  const options = {}
  if (words.includes('--help')) throw new StepError(`options: ${allowed.map(describeOption).join(', ')}`)
  for (let i = 0; i < words.length; i++) {
    const name = words[i]
    if (!allowed.includes(name)) throw new StepError(`unknown option ${name}: ${allowed.join(', ')}`)
    if (FLAGS.includes(name)) options[name.slice(2)] = true
    else if (WORDS.includes(name) && words[i + 1] !== undefined) options[name.slice(2)] = words[++i]
    else if (/^\d[\d_]*$/.test(words[i + 1] ?? '')) options[name.slice(2)] = wholeNumber(words[++i])
    else throw new StepError(`${name} needs a ${WORDS.includes(name) ? 'name' : 'number'}`)
  }
  return options
}

export function seconds(sinceMs) {
  return `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`
}

/** Runs the work if node was given the script of this URL; a StepError becomes its text and exit code 1. */
export async function main(url, work) {
  if (realpathSync(process.argv[1] ?? root) !== fileURLToPath(url)) return
  try {
    await work(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof StepError ? `\nfailed: ${error.message}` : error)
    process.exitCode = 1
  }
}
