export const KAFKAJS_CHECK_HELP = `Lists what the sources of a project use of KafkaJS,
and how each use behaves after
  import { Kafka } from 'millrace/kafkajs'

Usage:
  millrace kafkajs-check [DIR] [--json]

DIR is the current folder by default; node_modules, build output and folders that begin with a dot are passed
over. Each use is one of: different (read what changes), better, same. It looks for names, so it may list what
is no use of KafkaJS, and does not see names that are put together at run time.

Exit codes: 0 nothing is different, 1 something is, 2 wrong usage.

Examples:
  npx millrace kafkajs-check
  npx millrace kafkajs-check packages/api --json
`
