// What a measured client is told, the same for all languages.
//
// On its command line, words of the form name=value: bootstrapServers, topic, partitions, payloads (a file of
// payload-file.js), mode, unsettledMax, arrayLength (of the mode `many`), lingerMs, batchBytes, compression,
// zstdLevel. Where they apply: text=true (strings as keys and values, where a client takes such), ca (TLS,
// and the file of the authority's certificate), rate (records/s, of the mode `paced`).
//
// On stdout it prints a JSON line with its version once it is set up. Then it reads lines from stdin: at
// `run N` it sends N records, waits for the last acknowledgement and prints a JSON line with the number of
// records and whatever else it has to tell; at anything else, or the end, it closes its producer and ends.
// Nothing happens in between, so that whoever reads its CPU time before `run` and after the answer has
// measured exactly that.
import { createInterface } from 'node:readline'

const CLOSE_MS_MAX = 10_000

/** The words of the command line. */
export function givenArguments() {
  return Object.fromEntries(process.argv.slice(2).map(word => word.split(/=(.*)/s, 2)))
}

/** The client's side: `run` sends so many records, and may give what else to tell. */
export async function obey(version, run) {
  const print = line => process.stdout.write(`${JSON.stringify(line)}\n`)
  print({ version })
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, count] = line.split(' ')
    if (word !== 'run') break
    print({ records: Number(count), ...(await run(Number(count))) })
  }
  process.stdin.destroy()
  // Nobody waits for a producer that cannot close because the bench and its broker are gone.
  setTimeout(() => process.exit(1), CLOSE_MS_MAX).unref()
}
