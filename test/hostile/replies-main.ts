// `npm run fuzz:replies [-- --replies N] [--seed N]`: changed replies, read and delivered, long.
import { randomInt } from 'node:crypto'
import { captureReplies, madeReplies } from './captured-replies.js'
import { numberOption } from './random.js'
import { ReplyDelivery } from './reply-delivery.js'
import { ReplyParsing } from './reply-parsing.js'

/** Of the replies: those that go to producers over connections. */
const DELIVERED_SHARE = 0.01

const replies = numberOption('replies', 5_000_000)
const seed = numberOption('seed', randomInt(2 ** 31))
console.log(`${replies} changed replies, seed ${seed}, Node ${process.version}`)

const started = performance.now()
const captured = await captureReplies()
const all = [...captured, ...madeReplies(captured)]
console.log(`${captured.length} different replies captured, ${all.length - captured.length} made`)
const delivered = Math.ceil(replies * DELIVERED_SHARE)
const parsing = await new ReplyParsing(seed, all).run(replies - delivered)
console.log(
  `${parsing.parsed} read, ${parsing.refused} refused as malformed, none in more than ` +
    `${parsing.longestMs.toFixed(1)} ms:`,
  Object.fromEntries(parsing.byApi),
)

const { byApi, failed, ...outcome } = await ReplyDelivery.run(seed, delivered)
console.log(`${outcome.mutated} met ${outcome.producers} producers:`, Object.fromEntries(byApi))
console.log(
  `${outcome.settled} of ${outcome.sent} records settled, ${outcome.stored} of them stored; errors:`,
  Object.fromEntries(failed),
)
console.log(
  `longest time in a piece ${outcome.longestMs.toFixed(1)} ms of CPU; ${outcome.cleared} replies were ` +
    'looked at again and found to be quick',
)
console.log(`no uncaught error, ${((performance.now() - started) / 1000).toFixed(0)} s`)
