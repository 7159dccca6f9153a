import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads a topic with Kafka's own consumer, every partition from its beginning to its end at the time of the call. */
final class RecordReader {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final long PATIENCE_MS = 60_000;

    interface Visitor {
        void visit(ConsumerRecord<byte[], byte[]> record) throws IOException;
    }

    private RecordReader() {
    }

    /**
     * Writes one line a record: partition, offset, timestamp, timestamp type, key, value, headers, separated by tabs.
     * Bytes are base64, `-` is null and the empty word is empty; headers are `name:value` pairs separated by commas.
     */
    static void read(String bootstrap, String topic, String isolation, BufferedWriter out) throws IOException {
        Base64.Encoder base64 = Base64.getEncoder();
        visit(bootstrap, topic, isolation, record -> {
            out.write(record.partition() + "\t" + record.offset() + "\t" + record.timestamp() + "\t"
                + record.timestampType().name + "\t");
            out.write(text(base64, record.key()));
            out.write('\t');
            out.write(text(base64, record.value()));
            out.write('\t');
            String separator = "";
            for (Header header : record.headers()) {
                out.write(separator);
                out.write(text(base64, header.key().getBytes(StandardCharsets.UTF_8)));
                out.write(':');
                out.write(text(base64, header.value()));
                separator = ",";
            }
            out.write('\n');
        });
    }

    private static String text(Base64.Encoder base64, byte[] bytes) {
        return bytes == null ? "-" : base64.encodeToString(bytes);
    }

    /**
     * Writes one line a partition: partition, number of records, first and last offset, SHA-256 in hexadecimal over,
     * for each record, key, value, number of headers and each header's name and value; bytes carry their length in
     * front as int32, -1 for null.
     */
    static void digest(String bootstrap, String topic, String isolation, BufferedWriter out) throws Exception {
        Map<Integer, Digest> digests = new TreeMap<>();
        visit(bootstrap, topic, isolation,
            record -> digests.computeIfAbsent(record.partition(), Digest::new).add(record));
        for (Digest digest : digests.values()) {
            digest.write(out);
        }
    }

    private static void visit(String bootstrap, String topic, String isolation, Visitor visitor) throws IOException {
        Map<String, Object> configs = Map.of(
            "bootstrap.servers", bootstrap,
            "isolation.level", isolation,
            "enable.auto.commit", false,
            "auto.offset.reset", "earliest",
            "allow.auto.create.topics", false,
            "max.poll.records", 10_000,
            "max.partition.fetch.bytes", 8 << 20,
            "check.crcs", true);
        try (KafkaConsumer<byte[], byte[]> consumer =
                 new KafkaConsumer<>(configs, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                .map(info -> new TopicPartition(topic, info.partition())).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            long lastProgress = System.currentTimeMillis();
            while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.get(each))) {
                var records = consumer.poll(POLL);
                for (ConsumerRecord<byte[], byte[]> record : records) {
                    if (record.offset() < ends.get(new TopicPartition(record.topic(), record.partition()))) {
                        visitor.visit(record);
                    }
                }
                if (!records.isEmpty()) {
                    lastProgress = System.currentTimeMillis();
                } else if (System.currentTimeMillis() - lastProgress > PATIENCE_MS) {
                    throw new IOException("nothing more to read, but the end was not reached");
                }
            }
        }
    }

    private static final class Digest {
        private final int partition;
        private final MessageDigest sha256;
        private final ByteBuffer number = ByteBuffer.allocate(4);
        private long count;
        private long first = -1;
        private long last = -1;

        Digest(int partition) {
            this.partition = partition;
            try {
                this.sha256 = MessageDigest.getInstance("SHA-256");
            } catch (java.security.NoSuchAlgorithmException error) {
                throw new IllegalStateException(error);
            }
        }

        void add(ConsumerRecord<byte[], byte[]> record) {
            if (count++ == 0) {
                first = record.offset();
            }
            last = record.offset();
            addBytes(record.key());
            addBytes(record.value());
            Header[] headers = record.headers().toArray();
            addNumber(headers.length);
            for (Header header : headers) {
                addBytes(header.key().getBytes(StandardCharsets.UTF_8));
                addBytes(header.value());
            }
        }

        private void addBytes(byte[] bytes) {
            addNumber(bytes == null ? -1 : bytes.length);
            if (bytes != null) {
                sha256.update(bytes);
            }
        }

        private void addNumber(int value) {
            number.putInt(0, value);
            sha256.update(number.array());
        }

        void write(BufferedWriter out) throws IOException {
            out.write(partition + "\t" + count + "\t" + first + "\t" + last + "\t"
                + HexFormat.of().formatHex(sha256.digest()) + "\n");
        }
    }
}
