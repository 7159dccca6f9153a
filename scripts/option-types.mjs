// Makes src/config/option-types/*.ts from the option table, so that editors show what each option does, in
// both spellings, and only values that the constructor takes compile. Reads the compiled table.
// `node scripts/option-types.mjs` writes the files, `--check` only compares.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { main, root, StepError } from './commands.mjs'

const FOLDER = 'src/config/option-types'
const COLUMNS = 108

/** Options that take objects and functions where Java takes class names, or more than Java. */
const OWN_TYPES = {
  acks: "'all' | '-1' | '0' | '1' | -1 | 0 | 1",
  'key.serializer': 'SerializerLike<K>',
  'value.serializer': 'SerializerLike<V>',
  'partitioner.class': 'Partitioner | Partition',
  'interceptor.classes': 'readonly ProducerInterceptor<K, V>[]',
  'config.providers':
    'string | readonly string[] | Readonly<Record<string, ConfigProvider | FetchConfig | string>>',
  'sasl.client.callback.handler.class': 'SaslCredentialsProvider | OauthTokenProvider | string',
  'sasl.login.callback.handler.class': 'OauthTokenProvider | SaslCredentialsProvider | string',
  'sasl.login.class': 'SaslLogin | string',
  'sasl.oauthbearer.jwt.retriever.class': 'OauthTokenProvider | string',
  'sasl.oauthbearer.jwt.validator.class': 'JwtValidator | string',
  'ssl.engine.factory.class': 'Extract<NodeTlsOptions, (...parameters: never[]) => unknown>',
  'metric.reporters': "readonly (MetricsReporter | ReportMetric | JmxReporter)[] | JmxReporter | ''",
}
const ALIASES = { JmxReporter: "'org.apache.kafka.common.metrics.JmxReporter'" }

/** What a generated type may name, and where it is. */
const IMPORTS = [
  [
    '../../security/index.js',
    [...['JwtValidator', 'NodeTlsOptions', 'OauthTokenProvider', 'SaslCredentialsProvider'], 'SaslLogin'],
  ],
  ['../../serialization/index.js', ['Bytes', 'SerializerLike']],
  ['../../telemetry/metrics/reporter.js', ['MetricsReporter', 'ReportMetric']],
  ['../config-provider.js', ['ConfigProvider', 'FetchConfig']],
  ['../plugins.js', ['Partition', 'Partitioner', 'ProducerInterceptor']],
]

const TYPES = { boolean: 'boolean', string: 'string', password: 'string', class: 'null' }
const quoted = text => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

/** The type of an option's values, in TypeScript. */
function typeOf(key, definition) {
  const { type, default: byDefault, values, knownValues, othersToo, anyCase, support } = definition
  if (OWN_TYPES[key] !== undefined) return OWN_TYPES[key]
  if (support === 'never') return defaultOnly(definition)
  const known = values ?? knownValues
  const cases = text => (anyCase ? [text, text.toLowerCase(), text.toUpperCase()] : [text])
  if (known !== undefined) {
    const literals = [...new Set(known.flatMap(cases))].map(quoted).join(' | ')
    if (type === 'list') return `readonly (${literals})[] | ${listTexts(known)}`
    return othersToo ? `${literals} | (string & {})` : literals
  }
  if (type === 'list') return 'readonly string[] | string'
  if (byDefault === null && type === 'class') return 'null'
  return TYPES[type] ?? 'number'
}

/** A list as one text: each element alone, and all of them in either order. */
function listTexts(known) {
  const orders = known.length < 2 ? [] : [known.join(','), known.toReversed().join(',')]
  return [...known, ...orders].map(quoted).join(' | ')
}

/** An option that asks for what there is not: only what it is anyway compiles. */
function defaultOnly({ type, default: byDefault, values, anyCase }) {
  if (byDefault === null) return 'null'
  if (type === 'list') return "readonly [] | ''"
  if (typeof byDefault !== 'string') return String(byDefault)
  const cases = values && anyCase ? [byDefault.toLowerCase(), byDefault.toUpperCase()] : [byDefault]
  return [...new Set(cases)].map(quoted).join(' | ')
}

function wrap(text, indent) {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (`${indent} * ${last} ${word}`.length > COLUMNS) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}

/** What editors show: what it does, what it takes, why not where not, and its other spelling. */
function docOf({ doc, default: byDefault, required, support, reason, type }, valid, other) {
  const isRefused = support === 'never'
  const refused = isRefused ? ` Only its default is accepted: ${reason}.` : ''
  const inert = support === 'inert' ? ` Changes nothing: ${reason}.` : ''
  const shown = Array.isArray(byDefault) ? byDefault.join(',') : byDefault
  const isNone = shown === null || shown === ''
  const standard = required ? 'Required.' : isNone ? 'Default: none.' : `Default: ${shown}.`
  const takes = isRefused || type === 'boolean' ? '' : ` Takes ${valid}.`
  const same = other === undefined ? '' : ` The same as \`${other}\`.`
  return `${doc}${refused}${inert} ${standard}${takes}${same}`.replaceAll('*/', '*/')
}

function interfaceLines(rows) {
  return rows.flatMap(({ property, type, doc }) => [
    ...['  /**', ...wrap(doc, '  ').map(line => `   * ${line}`), '   */'],
    `  readonly ${quoted(property)}?: ${type}`,
  ])
}

/** One file: the rows of a part of the table in one spelling. */
function fileOf(part, keys, isCamelCase, { definitionOf, toCamelCase, allowedValues }) {
  const rows = keys.map(key => {
    const definition = definitionOf(key)
    const camelCase = toCamelCase(key)
    const other = camelCase === key ? undefined : isCamelCase ? key : camelCase
    const type = typeOf(key, definition)
    const missing = type === 'null' ? ' | undefined' : definition.required ? '' : ' | null | undefined'
    return {
      property: isCamelCase ? camelCase : key,
      type: `${type}${missing}`,
      doc: docOf(definition, allowedValues(key), other),
    }
  })
  const name = `${part[0].toUpperCase()}${part.slice(1)}${isCamelCase ? 'CamelCase' : 'Dotted'}Options`
  const spelling = isCamelCase ? 'in camelCase' : "under Java's keys"
  const types = rows.map(({ type }) => type).join('\n')
  const uses = word => new RegExp(`\\b${word}\\b`).test(types)
  const isGeneric = uses('K') || uses('V')
  const imports = IMPORTS.map(([from, names]) => [
    from,
    names.filter(each => uses(each) || (each === 'Bytes' && isGeneric)),
  ])
  return [
    '// Made from the option table by scripts/option-types.mjs. Change it there.',
    ...imports
      .filter(([, names]) => names.length > 0)
      .map(([from, names]) => `import type { ${names.join(', ')} } from '${from}'`),
    ...Object.entries(ALIASES).flatMap(([alias, type]) =>
      uses(alias)
        ? ['', `/** Java's reporter to JMX, which has no counterpart. */`, `type ${alias} = ${type}`]
        : [],
    ),
    '',
    `/** Options of the part \`${part}\` of the table, ${spelling}. */`,
    `export interface ${name}${isGeneric ? '<K = Bytes, V = Bytes>' : ''} {`,
    ...interfaceLines(rows),
    '}',
    '',
  ].join('\n')
}

/** As `npm run format` would leave it. */
function formatted(path, text) {
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [biome, 'format', `--stdin-file-path=${path}`],
    { cwd: root, input: text, encoding: 'utf8' },
  )
  if (status !== 0) throw new StepError(`${path} cannot be formatted: ${stderr}`)
  return stdout
}

async function made() {
  const load = file => import(join(root, 'dist/config', file))
  const { definitionOf } = await load('definitions.js')
  const { toCamelCase } = await load('names.js')
  const { allowedValues } = await load('values.js')
  const { producerDefinitions } = await load('definitions-producer.js')
  const { saslDefinitions } = await load('definitions-sasl.js')
  const { tlsDefinitions } = await load('definitions-tls.js')
  const parts = { producer: producerDefinitions, sasl: saslDefinitions, tls: tlsDefinitions }
  return Object.entries(parts).flatMap(([part, definitions]) =>
    [true, false].map(isCamelCase => {
      const path = `${FOLDER}/${part}-${isCamelCase ? 'camel-case' : 'dotted'}.ts`
      const helpers = { definitionOf, toCamelCase, allowedValues }
      // A key of one word has one spelling.
      const keys = Object.keys(definitions).filter(key => isCamelCase || key.includes('.'))
      return { path, text: formatted(path, fileOf(part, keys, isCamelCase, helpers)) }
    }),
  )
}

await main(import.meta.url, async args => {
  const isCheck = args.includes('--check')
  if (!isCheck) mkdirSync(join(root, FOLDER), { recursive: true })
  for (const { path, text } of await made()) {
    const file = join(root, path)
    if (!isCheck) writeFileSync(file, text)
    else if (!existsSync(file) || readFileSync(file, 'utf8') !== text)
      throw new StepError(`${path} is not what the option table says: node scripts/option-types.mjs`)
  }
})
