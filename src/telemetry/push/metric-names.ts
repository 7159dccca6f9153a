/** The client's own id is left out: the broker knows it. */
const OMITTED_TAGS: ReadonlySet<string> = new Set(['client-id', 'client_id'])

/** The name of a metric in a push: `org.apache.kafka.producer.record.send.total` for example (KIP-714). */
export function telemetryName(group: string, name: string): string {
  const scope = group.toLowerCase().replaceAll('-', '.').replace('.metrics', '')
  return `org.apache.kafka.${scope}.${name.toLowerCase().replaceAll('-', '.')}`
}

/** The labels of a metric in a push. */
export function telemetryLabels(tags: Readonly<Record<string, string>>): [name: string, value: string][] {
  return Object.entries(tags)
    .filter(([name]) => !OMITTED_TAGS.has(name))
    .map(([name, value]) => [name.replaceAll('-', '_'), value])
}

/** Whether a subscription asks for the name: it lists beginnings of names, or one `*` for all. */
export function selectorOf(requested: readonly string[]): (telemetryName: string) => boolean {
  if (requested.length === 1 && requested[0] === '*') return () => true
  return name => requested.some(prefix => name.startsWith(prefix))
}
