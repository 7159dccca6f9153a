export const MAIN_HELP = `millrace: a Kafka producer

Usage:
  millrace produce [options]   send lines, JSON, whole files or generated events
  millrace perf [options]      measure producing, as kafka-producer-perf-test does
  millrace verify [options]    send numbers and print the outcome of each, as VerifiableProducer does
  millrace broker [options]    run an in-memory broker to try things out
  millrace build-addon         compile the native addon where the package carries none that fits
  millrace kafkajs-check [DIR]  list what a project uses of KafkaJS, before moving it here
  millrace COMMAND --help      the options of a command, with examples
  millrace --version

Exit codes: 0 all went well, 1 something failed, 2 wrong usage, 130 and 143 ended by SIGINT and SIGTERM.
`

export const PRODUCE_HELP = `Sends each line of stdin or of a file as one record.

Usage:
  millrace produce --bootstrap-server HOST:PORT[,HOST:PORT...] --topic TOPIC [options] [FILE...]
  millrace produce [options]   to a broker in this process, then reads all back and verifies it

Where to:
  -b, --bootstrap-server HOST:PORT  brokers to find the cluster with
  -t, --topic TOPIC                 where the records go; repeated: to each of these topics
  -p, --partition N                 send all records to this partition

What is sent:
  FILE...                   each file is one record
  --file FILE, -l FILE      the lines of this file, - for stdin; may be repeated
  --count N                 N generated events; 1000000 where there is neither cluster nor input
  -c, --max-messages N      end after this many lines or files
  --json                    lines are JSON, and are checked; found out for files named .ndjson or .jsonl and
                            with --key-field and --topic-field
  --raw                     lines as they stand, whatever the file is called
  -D, --delimiter TEXT      ends a line instead of LF or CR LF; \\n, \\t, \\xNN are understood

What a record is made of:
  -k, --key KEY             key of all records that have none of their own
  -K, --key-delimiter TEXT  a line is KEY TEXT VALUE; without TEXT it has no key
  --key-field FIELD         key: this field of the JSON, a.b for a field within a field
  --topic-field FIELD       topic: this field of the JSON, --topic where it is missing
  -H, --header NAME=VALUE   header of all records; may be repeated
  -Z, --empty-as-null       empty keys and values are null
  --reader-property K=V     as in Kafka's console producer, with its defaults: parse.key=false,
                            key.separator=TAB, parse.headers=false, headers.delimiter=TAB,
                            headers.separator=, (a regular expression), headers.key.separator=:,
                            ignore.error=false, null.marker=(none); may be repeated
  --reader-config FILE      these in a Java properties file
  A line is then: NAME:VALUE,NAME:VALUE <TAB> KEY <TAB> VALUE, each part only if its property is on.

How it is sent:
  --sync                    one record at a time; the first that fails ends it
  --transactional-id ID     all in one transaction; aborted if a record fails, a line is bad, or on Ctrl-C
  -z, --compression TYPE    none, gzip, snappy, lz4 or zstd
  --acks N                  all, 1 or 0
  -E, --keep-going          go on after lines without a key or headers, and after records that fail
  --drain-timeout-ms N      longest wait for outcomes after the first Ctrl-C or SIGTERM; default 30000
  --command-property K=V    any option of the producer under its Java name; may be repeated
  --command-config FILE     options of the producer, a Java properties file
  --property K=V            as --command-property, but it has the last word over all others
  -X K=V, -F FILE           options under the names of librdkafka; -X list prints those of the producer
  --compression-codec [TYPE], --batch-size, --message-send-max-retries, --retry-backoff-ms, --timeout (is
  linger.ms), --request-required-acks, --request-timeout-ms, --metadata-expiry-ms, --max-block-ms,
  --max-memory-bytes, --socket-buffer-size: as in Kafka's console producer; without them the defaults of the
  producer hold. -m SECONDS: max.block.ms.

  -T, --tee                 print the lines that are sent on stdout; everything else goes to stderr
  -q, --quiet               report failures only
  -v, --verbose             what the producer logs
  --help

Of lines of JSON, blank ones are passed over, and one that is not JSON is reported with its number and counts
as failed; the others are sent. Sending stops when all records of a call (up to 1,000) fail for a reason that
is not theirs, such as a cluster out of reach. docs/command-line.md compares all options with Kafka's and
kcat's.

Exit codes: 0 all records were delivered (and verified), 1 some were not, 2 wrong usage, 130 or 143
interrupted.

Examples:
  millrace produce
  millrace produce --bootstrap-server localhost:9092 --topic orders --file orders.ndjson --key-field user.id
  tail -f app.log | millrace produce --bootstrap-server localhost:9092 --topic logs --compression zstd
  echo 'user-1:hello' | millrace produce -b localhost:9092 -t greetings -K :
  millrace produce -b localhost:9092 -t pictures -k album-7 one.png two.png
  millrace produce --bootstrap-server broker:9093 --topic t --count 10000 --command-config client.properties
  millrace produce --file data.ndjson --property linger.ms=50 --property batch.size=131072
`

export const PERF_HELP = `Measures producing. Options and output are those of kafka-producer-perf-test 4.3.

Usage:
  millrace perf --bootstrap-server HOST:PORT --topic TOPIC --num-records N --throughput N
                (--record-size BYTES | --payload-file FILE | --payload-monotonic) [options]

Options:
  --bootstrap-server HOST:PORT     goes before what the next two say
  --command-property K=V [K=V...]  options of the producer under their Java names
  --command-config FILE            options of the producer, a Java properties file
  --topic TOPIC
  --num-records N
  --throughput N                   records per second at most, -1 for no limit
  --record-size BYTES              random letters A to Z, other ones for each record
  --payload-file FILE              payloads to choose from at random
  --payload-delimiter TEXT         between the payloads of the file; default \\n
  --payload-monotonic              the number of the record
  --transactional-id ID
  --transaction-duration-ms N      commit when a transaction has taken this long; default 3000
  --warmup-records N               records before the steady state, which gets a line of its own
  --reporting-interval MS          default 5000
  --print-metrics                  the producer's metrics at the end
  Of our own:
  --mode callback|promise|many     how records are handed over: send with a callback (default), send with
                                   a promise each, sendMany in arrays of up to 1,000
  --json                           one JSON object per line instead of text: type "interval", then "total"
  --chart FILE                     throughput and latencies over time, as .svg or .html
  --drain-timeout-ms N             longest wait for outcomes after the first Ctrl-C or SIGTERM; default 30000
  --quiet, -q                      no progress on the terminal
  --help

Latency is the time from right before send to its callback. Percentiles are those of at most 500,000 samples.
MB are 1,048,576 bytes. Exit codes: 0 all records were delivered, 1 some were not, 2 wrong usage, 130 or 143
interrupted.

Examples:
  millrace perf --bootstrap-server localhost:9092 --topic t --num-records 1000000 \\
    --record-size 100 --throughput -1
  millrace perf --bootstrap-server localhost:9092 --topic t --num-records 500000 \\
    --record-size 1024 --throughput 50000 --command-property linger.ms=0 compression.type=lz4 --chart run.html
`

export const VERIFY_HELP = `Sends the numbers from 0 on and prints a line of JSON for each record's
outcome on stdout: the protocol of Kafka's VerifiableProducer 4.3.

Usage:
  millrace verify --bootstrap-server HOST:PORT --topic TOPIC [options]

Options:
  --bootstrap-server HOST:PORT
  --topic TOPIC
  --max-messages N          default -1: until it is ended by a signal
  --throughput N            records per second at most; default -1, no limit
  --acks N                  -1 (default), 0 or 1
  --command-config FILE     options of the producer, a Java properties file; it goes before the options
  --message-create-time MS  time of the first record, in ms since the epoch
  --value-prefix N          values are N.0, N.1 and so on
  --repeating-keys N        keys 0 to N - 1 over and over; without it there are none
  --drain-timeout-ms N      longest wait for outcomes after the first signal; default 30000
  --help

Lines, by their "name": startup_complete, producer_send_success, producer_send_error, shutdown_complete,
tool_data. As in Kafka's tool retries are 0 unless the file says otherwise.

Exit codes: 0 all records were acknowledged, 1 some were not, 2 wrong usage, 130 or 143 ended by a signal.

Example:
  millrace verify --bootstrap-server localhost:9092 --topic t --max-messages 1000 --repeating-keys 10
`

export const BROKER_HELP = `Runs a broker in this process until it is interrupted. It keeps records in memory,
listens on 127.0.0.1 only and is for development; for anything else use Apache Kafka.

Usage:
  millrace broker [options]

Options:
  --port PORT      port of the first node, the others follow it; default 9092, 0 for any free ones
  --nodes N        brokers of the cluster; default 1
  --partitions N   partitions of the topics that are made on first use; default 1
  --help

Examples:
  millrace broker
  millrace broker --port 19092 --nodes 3 --partitions 6
  kcat -b localhost:9092 -t orders -C
`

export const BUILD_ADDON_HELP = `Compiles the native addon for this platform, where the package carries none.
It fetches cmake-js, the headers of Node-API and the sources of zstd from the package registry. CMake 3.19 and
a C and C++17 compiler must be there.

Usage:
  millrace build-addon [options]

Options:
  --output FILE    where to put it; default build/Release/millrace.node in the package, where it is found
  --help

Examples:
  npx millrace build-addon
  npx millrace build-addon --output /opt/app/millrace.node
`
