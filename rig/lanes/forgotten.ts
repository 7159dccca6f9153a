import { setTimeout } from 'node:timers/promises'
import { KafkaGround } from '../kafka-ground.js'
import { Random } from '../random.js'
import type { LaneResult } from '../result.js'
import { atLeast, type LaneOptions, layoutOf, resumed, runPlanOn, sentAtLeast } from './lane.js'

const RESUME_TIMEOUT_MS = 60_000
const EXPIRATION_MS = 1_000
const CHECK_MS = 500
/** Long enough for every partition to be forgotten, whatever the time of the check. */
const QUIET_MS = 3 * (EXPIRATION_MS + CHECK_MS)
const BURST_MS = 1_500
const BURST_RECORDS_PER_SECOND = 20_000
/** The most of a burst's first bytes that pass before its connection is cut. */
const CUT_BYTES = 40_000

/**
 * Brokers that soon forget a producer which is quiet: they then take any first sequence. Each time the first batches
 * after the quiet are cut on their way, so that what follows could be stored ahead of them.
 */
export async function forgotten(options: LaneOptions): Promise<LaneResult> {
  const { seed, isSmall, client, say } = options
  const rounds = options.faults ?? (isSmall ? 3 : 40)
  const random = new Random(seed)
  const layout = layoutOf('forgotten', options, 1, 4)
  const records = Math.ceil((rounds * BURST_RECORDS_PER_SECOND * BURST_MS) / 2000)
  let quiets = 0
  await using ground = await KafkaGround.start({
    isSecured: options.isService,
    properties: {
      'producer.id.expiration.ms': EXPIRATION_MS,
      'producer.id.expiration.check.interval.ms': CHECK_MS,
    },
  })
  return await runPlanOn(ground, options, {
    name: 'forgotten',
    layout,
    job: { recordsPerSecond: options.recordsPerSecond ?? BURST_RECORDS_PER_SECOND, window: 8_000 },
    script: async (stage, kafka) => {
      for (let round = 0; round < rounds && stage.client.isAlive; round++) {
        stage.client.tell('pace 1')
        await setTimeout(QUIET_MS)
        quiets++
        const rule = { mostBytes: { in: CUT_BYTES }, times: 1, random }
        for (const proxy of kafka.proxies) {
          proxy.cut(rule)
          proxy.disconnect()
        }
        stage.client.tell(`pace ${BURST_RECORDS_PER_SECOND}`)
        await setTimeout(BURST_MS)
        const isBack = await resumed(stage, RESUME_TIMEOUT_MS)
        say(
          `quiet ${round + 1}/${rounds}: ${isBack ? 'all partitions came back' : `${client} did not come back`}, ` +
            `${stage.log.totalAcked.toLocaleString('en')} acknowledged`,
        )
      }
      await sentAtLeast(stage, records)
    },
    faults: () => ({ quiets }),
    criteria: ({ verdict }) => [atLeast('quiets', quiets, rounds), atLeast('records', verdict.sent, records)],
  })
}
