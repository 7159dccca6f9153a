import type { Producer } from '../../dist/index.js'
import { KafkaGround } from '../kafka-ground.js'
import { heldEnd } from '../lanes/held-end.js'
import { transactions } from '../lanes/transactions.js'
import type { CopierPlant } from './copier-job.js'
import { COPIER_PLANTS } from './copier-job.js'
import type { CopyClasses } from './copies.js'
import type { TransactionResult } from './result.js'

/** In which class each bug of the copier shows. */
const SHOWS: Readonly<Record<CopierPlant, keyof CopyClasses>> = {
  'offsets outside the transaction': 'missing',
  'commit instead of abort': 'aborted',
  'one transaction made two': 'torn',
  'some records not sent': 'torn',
  'two records swapped': 'reordered',
}

const CONTROL_RECORDS = 1_500
const CONTROL_ROUNDS = 4
export const NO_NEW_EPOCH = 'no new epoch after a request without an answer'

/** Proof that a lane of transactions can fail. */
export interface TransactionControl {
  readonly name: string
  /** True: the bug was found. */
  run(ground: KafkaGround, seed: number): Promise<{ isCaught: boolean; result: TransactionResult }>
}

const silence = () => {}

function copierControl(plant: CopierPlant): TransactionControl {
  return {
    name: plant,
    async run(ground, seed) {
      const options = { seed, isSmall: true, records: CONTROL_RECORDS, faults: 0, plant, say: silence }
      const [result] = await transactions({ ...options, generations: [2], partitions: [1] }, ground)
      return { isCaught: (result?.classes[SHOWS[plant]] ?? 0) > 0, result: result as TransactionResult }
    },
  }
}

/** What the older generation needs of its client: under the same epoch a late end ends what comes later. */
const noNewEpoch: TransactionControl = {
  name: NO_NEW_EPOCH,
  async run(ground, seed) {
    const sabotage = (producer: Producer) => {
      const { transactions } = producer as unknown as {
        transactions: { identity: { spend: () => void } }
      }
      transactions.identity.spend = silence
    }
    const options = { seed, isSmall: true, faults: CONTROL_ROUNDS, say: silence, sabotage }
    const [result] = await heldEnd({ ...options, generations: [1] }, ground)
    const { wronglyCommitted = 0, missing = 0 } = result?.classes ?? {}
    return { isCaught: wronglyCommitted + missing > 0, result: result as TransactionResult }
  },
}

export const TRANSACTION_CONTROLS: readonly TransactionControl[] = [
  ...COPIER_PLANTS.map(copierControl),
  noNewEpoch,
]

/** Runs all on one cluster. True: every bug was found. */
export async function runTransactionControls(seed: number, say: (line: string) => void): Promise<boolean> {
  await using ground = await KafkaGround.start()
  let isProven = true
  for (const control of TRANSACTION_CONTROLS) {
    const { isCaught, result } = await control.run(ground, seed)
    if (!isCaught) isProven = false
    const found = Object.entries(result.classes).filter(([, count]) => count > 0)
    const what = found.map(([name, count]) => `${name} ${count}`).join(', ') || 'nothing found'
    say(`${isCaught ? 'ok  ' : 'MISS'} ${control.name}: ${what}`)
  }
  return isProven
}
