// What people ask of Kafka producers in issue threads of other clients, and the page that answers it.
// `query` is what a reader would type into the search of the site: a test finds `page` with it.

export const questions = [
  {
    topic: 'Start',
    asked: [
      {
        question: 'How do I install it, and do I need a compiler?',
        query: 'install',
        page: 'getting-started#install',
      },
      {
        question: 'Does it run on Bun, Deno, Alpine and arm64?',
        query: 'platforms musl arm64',
        page: 'support-policy#platforms',
      },
      {
        question: 'How do I check the connection at start-up?',
        query: 'check connection start-up',
        page: 'getting-started#check-the-connection-at-start-up',
      },
      {
        question: 'Does my bundler find the native addon (Next.js, esbuild, webpack)?',
        query: 'next.js',
        page: 'bundlers',
      },
    ],
  },
  {
    topic: 'Sending',
    asked: [
      {
        question: 'Why is each awaited send slow?',
        query: 'await send slow',
        page: 'troubleshooting#each-send-takes-milliseconds',
      },
      {
        question: 'How do I send many records at once?',
        query: 'send many records',
        page: 'sending#many-records-at-once',
      },
      {
        question: 'Which record of an array has failed?',
        query: 'partial failure some records fail',
        page: 'sending#when-some-of-many-records-fail',
      },
      {
        question: 'May I send a failed record again?',
        query: 'retry failed record',
        page: 'sending#retry-a-failed-record',
      },
      { question: 'How do I cancel a send?', query: 'AbortSignal', page: 'sending#cancel-a-send' },
      {
        question: 'When does an HTTP handler answer 200, and when 202?',
        query: 'http 202',
        page: 'sending#http-200-or-202',
      },
      { question: 'Where do poison records go?', query: 'dead letter', page: 'sending#dead-letters' },
    ],
  },
  {
    topic: 'Partitions, order and loss',
    asked: [
      {
        question: 'Do keys go to the same partitions as with Java, KafkaJS and librdkafka?',
        query: 'same partition murmur2 java',
        page: 'keys-values-headers#which-partition-a-record-goes-to',
      },
      {
        question: 'Can I choose partitions myself?',
        query: 'custom partitioner of your own',
        page: 'keys-values-headers#a-partitioner-of-your-own',
      },
      {
        question: 'Are records lost or stored twice when a broker dies?',
        query: 'broker dies',
        page: 'delivery-guarantees#when-brokers-die-restart-or-move',
      },
      {
        question: 'How long until a send fails?',
        query: 'how long until fails timeout',
        page: 'delivery-guarantees#how-long-until-a-record-fails',
      },
    ],
  },
  {
    topic: 'Memory and speed',
    asked: [
      {
        question: 'What happens when the buffer is full?',
        query: 'buffer full',
        page: 'backpressure#when-the-buffer-is-full',
      },
      {
        question: 'How do linger.ms, batch.size and buffer.memory work together?',
        query: 'linger batch.size together',
        page: 'tuning#how-batches-fill',
      },
      { question: 'Which codec should I use?', query: 'which compression codec', page: 'tuning#compression' },
    ],
  },
  {
    topic: 'Errors',
    asked: [
      { question: 'What does this error code mean?', query: 'TIMED_OUT', page: 'reference/errors#timed_out' },
      {
        question: 'What do I do about a record that is too large?',
        query: 'record too large',
        page: 'reference/errors#record_too_large',
      },
      {
        question: 'The client finds the bootstrap server, and then no broker. Why?',
        query: 'advertised listeners',
        page: 'troubleshooting#connections-fail-after-the-first-one',
      },
    ],
  },
  {
    topic: 'Transactions',
    asked: [
      {
        question: 'How do I read, process and write exactly once?',
        query: 'exactly once',
        page: 'exactly-once#the-recipe',
      },
      {
        question: 'Why was my producer fenced?',
        query: 'fenced',
        page: 'transactions#why-a-producer-is-fenced',
      },
    ],
  },
  {
    topic: 'Security',
    asked: [
      {
        question: 'Which options does Confluent Cloud need?',
        query: 'confluent cloud',
        page: 'security-recipes#confluent-cloud',
      },
      {
        question: 'How do I log in to Amazon MSK with IAM?',
        query: 'msk iam',
        page: 'security-recipes#amazon-msk',
      },
      {
        question: 'How do I change certificates and passwords without a restart?',
        query: 'rotate certificates',
        page: 'security-recipes#rotate-certificates-and-passwords-without-a-restart',
      },
    ],
  },
  {
    topic: 'Running and testing',
    asked: [
      {
        question: 'How do I shut down on Kubernetes without losing records?',
        query: 'kubernetes shutdown SIGTERM',
        page: 'deployment#shutting-down',
      },
      { question: 'How do I use it on AWS Lambda?', query: 'lambda', page: 'deployment#aws-lambda' },
      { question: 'How do I test without a broker?', query: 'unit test without broker', page: 'testing' },
      { question: 'How do I get metrics into Prometheus?', query: 'prometheus', page: 'metrics#prometheus' },
    ],
  },
]
