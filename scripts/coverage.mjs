// `npm run coverage:native`: builds the core with gcov, runs its tests and its fuzz targets for a moment, and
// prints the lines covered of each file of native/core. Fails below 95 %. GCC only.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { filesUnder, findProgram, main, root, run, StepError } from './commands.mjs'
import { setUp } from './setup.mjs'

const FOLDER = 'build-coverage'
const PERCENT_LEAST = 95

/** What gcov says of one object: line counts by file. */
function gcov(object) {
  const { status, stdout, stderr } = spawnSync('gcov', ['--json-format', '--stdout', object], {
    cwd: join(root, FOLDER),
    maxBuffer: 2 ** 28,
  })
  if (status !== 0) throw new StepError(`gcov ${object}: ${stderr}`)
  const text = stdout[0] === 0x1f ? gunzipSync(stdout) : stdout
  return JSON.parse(text.toString()).files
}

/** Executions of each line, summed over all objects: inline functions are compiled into many of them. */
function linesOf(objects) {
  const files = new Map()
  for (const object of objects) {
    for (const { file, lines } of gcov(object)) {
      const name = file.replace(`${root}/`, '')
      if (!name.startsWith('native/core/')) continue
      const counts = files.get(name) ?? new Map()
      for (const { line_number, count } of lines) {
        counts.set(line_number, (counts.get(line_number) ?? 0) + count)
      }
      files.set(name, counts)
    }
  }
  return [...files].sort(([one], [other]) => one.localeCompare(other))
}

function show(name, lines, covered, missed) {
  const percent = ((100 * covered) / lines).toFixed(1).padStart(5)
  const which = missed.length === 0 ? '' : `  not: ${missed.join(', ')}`
  console.log(`${percent} %  ${String(covered).padStart(4)} of ${String(lines).padStart(4)}  ${name}${which}`)
}

await main(import.meta.url, async () => {
  await setUp(['deps', 'native-tests'])
  if (findProgram('gcov') === undefined) throw new StepError('gcov not found: it comes with GCC')
  const generator = findProgram('ninja') === undefined ? [] : ['-G', 'Ninja']
  const options = ['-DMILLRACE_BUILD_TESTS=ON', '-DMILLRACE_COVERAGE=ON', '-DCMAKE_BUILD_TYPE=Debug']
  if (!existsSync(join(root, FOLDER, 'CMakeCache.txt'))) {
    await run('cmake', ['-S', 'native', '-B', FOLDER, ...generator, ...options])
  }
  for (const file of filesUnder([FOLDER], path => path.endsWith('.gcda'))) rmSync(join(root, file))
  await run('cmake', ['--build', FOLDER, '--parallel', '2'])
  await run('ctest', ['--test-dir', FOLDER, '--output-on-failure', '--no-tests=error', '--parallel', '2'])

  const objects = filesUnder([FOLDER], path => path.endsWith('.gcda')).map(file => join(root, file))
  let total = 0
  let totalCovered = 0
  for (const [name, counts] of linesOf(objects)) {
    const missed = [...counts].filter(([, count]) => count === 0).map(([line]) => line)
    total += counts.size
    totalCovered += counts.size - missed.length
    show(
      name,
      counts.size,
      counts.size - missed.length,
      missed.sort((a, b) => a - b),
    )
  }
  show('all of native/core', total, totalCovered, [])
  if (total === 0) throw new StepError('gcov has told of no line')
  if (totalCovered < (total * PERCENT_LEAST) / 100) throw new StepError(`less than ${PERCENT_LEAST} %`)
})
