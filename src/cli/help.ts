export const MAIN_HELP = `millrace: a Kafka producer

Usage:
  millrace produce [options]   send lines of JSON, or generated events
  millrace broker [options]    run an in-memory broker to try things out
  millrace kafkajs-check [DIR]  list what a project uses of KafkaJS, before moving it here
  millrace COMMAND --help      the options of a command, with examples
  millrace --version

Exit codes: 0 all went well, 1 something failed, 2 wrong usage.
`

export const PRODUCE_HELP = `Sends each line of a file or of stdin, which must be JSON, as one record.

Usage:
  millrace produce --bootstrap-server HOST:PORT[,HOST:PORT...] --topic TOPIC [options]
  millrace produce [options]   to a broker in this process, then reads all back and verifies it

Options:
  --bootstrap-server HOST:PORT  brokers to find the cluster with
  --topic TOPIC                 where the records go; needed with --bootstrap-server
  --file FILE                   NDJSON to send, - for stdin; without it stdin, unless that is a terminal
  --count N                     send N generated events instead; default 1000000 where there is no input
  --key-field FIELD             key of each record: this field of its JSON, a.b for a field within a field;
                                records without it have no key
  --partition N                 send all records to this partition
  --header NAME=VALUE           header of all records; may be repeated
  --compression TYPE            none, gzip, snappy, lz4 or zstd
  --acks N                      all, 1 or 0
  --property KEY=VALUE          any option of the producer under its Java name; may be repeated
  --command-config FILE         options of the producer, a Java properties file
  --quiet                       report failures only
  --help

The value of a record is its line as it stands, without the line end. Blank lines are passed over. A line that
is not JSON is reported with its number and counts as failed; the others are sent. Sending stops when all
records of a call (up to 1,000) fail for a reason that is not theirs, such as a cluster out of reach.

Exit codes: 0 all records were delivered (and verified), 1 some were not, 2 wrong usage, 130 interrupted.

Examples:
  millrace produce
  millrace produce --bootstrap-server localhost:9092 --topic orders --file orders.ndjson --key-field user.id
  tail -f app.log | millrace produce --bootstrap-server localhost:9092 --topic logs --compression zstd
  millrace produce --bootstrap-server broker:9093 --topic t --count 10000 --command-config client.properties
  millrace produce --file data.ndjson --property linger.ms=50 --property batch.size=131072
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
