// `npm run fuzz:replies [-- --replies N] [--seed N]`: changed replies, read and delivered, long.
import { randomInt } from 'node:crypto'
import { captureReplies } from './captured-replies.js'
import { numberOption } from './random.js'
import { ReplyDelivery } from './reply-delivery.js'
import { ReplyParsing } from './reply-parsing.js'

/** Of the replies: those that go to producers over connections. */
const DELIVERED_SHARE = 0.02

const replies = numberOption('replies', 5_000_000)
const seed = numberOption('seed', randomInt(2 ** 31))
console.log(`${replies} changed replies, seed ${seed}, Node ${process.version}`)

const captured = await captureReplies()
console.log(`${captured.length} different replies captured`)
const delivered = Math.ceil(replies * DELIVERED_SHARE)
const parsing = await new ReplyParsing(seed, captured).run(replies - delivered)
console.log(
  `${parsing.parsed} read, ${parsing.refused} refused as malformed; ` +
    `the longest took ${parsing.longestMs.toFixed(1)} ms`,
)

const { byApi, failed, ...outcome } = await ReplyDelivery.run(seed, delivered)
console.log(`${outcome.mutated} met ${outcome.producers} producers:`, Object.fromEntries(byApi))
console.log(
  `${outcome.sent} records settled, ${outcome.stored} of them stored; errors:`,
  Object.fromEntries(failed),
)
console.log(
  `longest time in a frame ${outcome.longestMs.toFixed(1)} ms of CPU, ${outcome.over50Ms} times over 50 ms`,
)
if (parsing.longestMs > 50) throw new Error('a reply took longer than 50 ms to read')
