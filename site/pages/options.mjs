// reference/options.md: every option, from the option table and the declarations of our own options.
import { kafkajsNames, librdkafkaNames, mappedKeys } from './option-names.mjs'
import { built, code, generatedBy, source } from './support.mjs'

/** Sections, in the order of the page; an option belongs to the first that names it. */
const SECTIONS = [
  [
    'Batches and memory',
    /^(batch\.size|linger\.ms|buffer\.memory|compression\..*|max\.request\.size|max\.block\.ms|maxBlockBytes)$/,
  ],
  [
    'Delivery',
    /^(acks|retries|retry\..*|delivery\.timeout\.ms|request\.timeout\.ms|enable\.idempotence|max\.in\.flight\..*)$/,
  ],
  ['Transactions', /^transaction/],
  ['Keys, values and partitions', /^(key|value)\.serializer$|^partitioner\.|^allowAutoTopicCreation$/],
  [
    'Brokers and connections',
    /^(bootstrap|client|connections|reconnect|socket|send\.buffer|receive\.buffer|metadata|allowedBrokerHosts|requestListener)/,
  ],
  ['Metrics, logs and interceptors', /^(metric|enable\.metrics|interceptor|logger)/],
  ['TLS', /^(security|ssl\.|tls$)/],
  ['SASL', /^sasl/],
  ['Other', /./],
]

const NAMES_OF_TYPES = { class: 'function or object', password: 'string (never shown)' }

/** Our own options: their docstrings and types, as the declarations of `ProducerOptions` have them. */
function ownOptions(names) {
  const text = source('src/config/options.ts')
  const body = text.slice(text.search(/export interface Producer(?:Options|Settings)\b/))
  const members = body.matchAll(/\/\*\*([\s\S]*?)\*\/\s*readonly (\w+)\?: ([^\n]*(?:\n {4}[^\n]*)*)/g)
  const found = new Map(
    [...members].map(([, doc, name, type]) => [name, { doc: plain(doc), type: typeOf(type) }]),
  )
  return names.map(name => {
    const option = found.get(name)
    if (option === undefined) throw new Error(`the option ${name} has no docstring in src/config/options.ts`)
    return { key: name, ...option }
  })
}

const plain = doc =>
  doc
    .replace(/^\s*\* ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim()
const typeOf = text =>
  text
    .replace(/\s*\|\s*(null|undefined)\b/g, '')
    .replace(/;?\s*$/, '')
    .replace(/\s+/g, ' ')

function shownDefault(value) {
  if (value === null) return 'none'
  if (Array.isArray(value)) return value.length === 0 ? 'empty' : code(value.join(','))
  return value === '' ? 'an empty text' : code(value)
}

/** Why an option does less than in Java, by how far it goes here. */
function limitOf(support, reason) {
  if (support === 'built') return undefined
  return `${support === 'inert' ? 'Any value is taken and changes nothing' : 'Only its default is taken'}: ${reason}.`
}

function javaOption(
  { key, camelCase, aliases, type, default: byDefault, required, valid, doc, reason },
  support,
) {
  const others = aliases.filter(alias => alias !== camelCase).map(code)
  const spelled = [camelCase === key ? null : code(camelCase), ...others].filter(Boolean)
  const facts = [
    `Type: ${NAMES_OF_TYPES[type] ?? type}`,
    required ? 'required' : `default: ${shownDefault(byDefault)}`,
    `allowed: ${valid}`,
  ]
  return entry(key, doc, facts, spelled, limitOf(support, reason))
}

function entry(key, doc, facts, spelled, limit) {
  const names = [
    spelled.length === 0 ? null : `- Also: ${spelled.join(', ')}`,
    kafkajsNames[key] === undefined ? null : `- KafkaJS: ${kafkajsNames[key]}`,
    librdkafkaNames(key) === undefined ? null : `- librdkafka: ${librdkafkaNames(key)}`,
    limit === undefined ? null : `- **${limit.replace(':', ':**')}`,
  ]
  return [`### \`${key}\``, '', doc, '', `- ${facts.join('; ')}`, ...names.filter(Boolean)].join('\n')
}

/** Each option of Java's in a row: what it does here, or why it can do nothing. */
function effectTable(java) {
  const rows = java.map(({ key, doc, available, reason }) => {
    return `| \`${key}\` | ${available ? doc : `**none**: ${reason}`} |`
  })
  return ['| option | effect here |', '|---|---|', ...rows].join('\n')
}

export async function optionsPage() {
  const { describeOptions } = await built('index.js')
  const { EXTRA_NAMES } = await built('config/names.js')
  const { definitionOf } = await built('config/definitions.js')
  const java = describeOptions()
  const own = ownOptions(EXTRA_NAMES)
  const known = new Set([...java, ...own].map(({ key }) => key))
  const unknown = mappedKeys.filter(key => !known.has(key))
  if (unknown.length > 0)
    throw new Error(`site/pages/option-names.mjs names options that there are not: ${unknown.join(', ')}`)
  const entries = new Map([
    ...java.map(option => [option.key, javaOption(option, definitionOf(option.key).support)]),
    ...own.map(({ key, doc, type }) => [key, entry(key, doc, [`Type: ${code(type)}`, 'not in Java'], [])]),
  ])
  const left = new Set(entries.keys())
  const sections = SECTIONS.flatMap(([title, pattern]) => {
    const keys = [...left].filter(key => pattern.test(key)).sort()
    for (const key of keys) left.delete(key)
    return keys.length === 0 ? [] : [`## ${title}`, ...keys.map(key => entries.get(key))]
  })
  const available = java.filter(each => each.available).length
  return `${[
    '# Options',
    generatedBy('the option table'),
    `The constructor of \`Producer\` takes these options. ${java.length} are those of Java's producer 4.3, of which
${available} have an effect here. ${own.length} are our own. An option may be written as Java has it (\`'linger.ms'\`)
or in camelCase (\`lingerMs\`).`,
    `- A wrong name, a wrong value or a conflict throws a [\`ConfigError\`](errors.md#config_invalid) at once.
- If an option of Java has less effect here, its entry says so.
- Times are in milliseconds and sizes in bytes, unless the text says otherwise.
- Numbers and booleans may also be text, as in a \`.properties\` file.
- \`describeOptions()\` gives the same list to a program, and the [table](#effect-of-each-option-of-java) at the end
  says what each of Java's does here.`,
    `[Tuning](../tuning.md) says which few of them matter for speed, and
[security recipes](../security-recipes.md) which ones a cluster needs.`,
    ...sections,
    '## Effect of each option of Java',
    effectTable(java),
  ].join('\n\n')}\n`
}
