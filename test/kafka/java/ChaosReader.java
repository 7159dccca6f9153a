import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads the self-describing records of rig/record.ts with Kafka's own consumer, every partition from its
 * beginning to its end at the time of the call, judges each alone and tells sound neighbours as one run.
 * Arguments: bootstrap servers, run (uint32), topics separated by commas, partitions of each.
 */
public final class ChaosReader {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final long PATIENCE_MS = 60_000;
    private static final int MAGIC = 0x4d6c5261;
    private static final int HEADER_BYTES = 28;
    private static final int CRC_AT = 24;
    private static final int FREE_PARTITION = 0xffff;
    private static final byte[] TEXT_MARK = "\u00a7".getBytes(StandardCharsets.UTF_8);
    private static final int TORN = 1;
    private static final int FOREIGN = 2;
    private static final int STRANGER = 4;

    private final ChaosFrames frames = new ChaosFrames();
    private final int run;
    private final Map<String, Integer> topicIds = new HashMap<>();
    private final int partitions;
    /** The free lanes of the topics are the slots from here on: rig/layout.ts. */
    private final int namedSlots;
    /** By slot: records of a free lane stand among those that name the partition. */
    private final Run[] open;

    private ChaosReader(int run, String[] topics, int partitions) {
        this.run = run;
        this.partitions = partitions;
        for (int i = 0; i < topics.length; i++) {
            topicIds.put(topics[i], i);
        }
        this.namedSlots = topics.length * partitions;
        this.open = new Run[namedSlots + topics.length];
        for (int slot = 0; slot < open.length; slot++) {
            open[slot] = new Run();
        }
    }

    /** Sound records of one slot with consecutive sequences in consecutive places. */
    private static final class Run {
        long count;
        long sequence;
        long place;
    }

    public static void main(String[] arguments) throws Exception {
        String[] topics = arguments[2].split(",");
        int run = Integer.parseUnsignedInt(arguments[1]);
        new ChaosReader(run, topics, Integer.parseInt(arguments[3])).read(arguments[0]);
    }

    private void read(String bootstrap) {
        Map<String, Object> configs = Map.of(
            "bootstrap.servers", bootstrap,
            "enable.auto.commit", false,
            "auto.offset.reset", "earliest",
            "allow.auto.create.topics", false,
            "max.poll.records", 50_000,
            "fetch.max.bytes", 32 << 20,
            "max.partition.fetch.bytes", 8 << 20,
            "check.crcs", true);
        try (KafkaConsumer<byte[], byte[]> consumer =
                 new KafkaConsumer<>(configs, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> all = new ArrayList<>();
            for (String topic : topicIds.keySet()) {
                // All that there are: topics may have grown.
                consumer.partitionsFor(topic).forEach(info -> all.add(new TopicPartition(topic, info.partition())));
            }
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all);
            readToEnds(consumer, all, ends);
            for (int slot = 0; slot < open.length; slot++) {
                close(slot);
                frames.frame(ChaosFrames.END, 0, slot, 0, 0, 0);
            }
        }
        frames.flush();
    }

    private void readToEnds(
        KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> all, Map<TopicPartition, Long> ends) {
        long lastProgress = System.currentTimeMillis();
        while (all.stream().anyMatch(each -> consumer.position(each) < ends.get(each))) {
            ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
            for (TopicPartition partition : records.partitions()) {
                long end = ends.get(partition);
                for (ConsumerRecord<byte[], byte[]> record : records.records(partition)) {
                    if (record.offset() < end) {
                        take(record);
                    }
                }
            }
            if (!records.isEmpty()) {
                lastProgress = System.currentTimeMillis();
            } else if (System.currentTimeMillis() - lastProgress > PATIENCE_MS) {
                throw new IllegalStateException("nothing more to read, but the end was not reached");
            }
        }
    }

    /** What names its partition, or is not sound, counts for the slot of its partition, or of its topic if it has none. */
    private int slotOf(int topicId, int partition, boolean isFree) {
        return isFree || partition >= partitions ? namedSlots + topicId : topicId * partitions + partition;
    }

    /** Joins a sound record to the run of its slot. */
    private void take(ConsumerRecord<byte[], byte[]> record) {
        byte[] value = bytesOf(record.value());
        int topicId = topicIds.get(record.topic());
        int flags = judge(topicId, record.partition(), value) | judgeHeaders(record, value);
        long place = ChaosFrames.placeOf(record.partition(), record.offset());
        long sequence = (flags & TORN) != 0 ? 0 : sequenceOf(value);
        int slot = slotOf(topicId, record.partition(), flags == 0 && isFree(value));
        if (flags != 0) {
            close(slot);
            frames.frame(ChaosFrames.READ, flags, slot, 1, sequence, place);
            return;
        }
        Run run = open[slot];
        boolean continues = run.count > 0
            && run.sequence + run.count == sequence && run.place + run.count == place;
        if (!continues) {
            close(slot);
            run.sequence = sequence;
            run.place = place;
        }
        run.count++;
    }

    /** The record as its bytes, whatever it was sent as: rig/record.ts. */
    private static byte[] bytesOf(byte[] value) {
        if (value == null || value.length < 2 || value[0] != TEXT_MARK[0] || value[1] != TEXT_MARK[1]) {
            return value;
        }
        String text = new String(value, TEXT_MARK.length, value.length - TEXT_MARK.length, StandardCharsets.UTF_8);
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static long sequenceOf(byte[] value) {
        return ByteBuffer.wrap(value).getLong(12);
    }

    /** A header, and a key of a record that has that header, say the sequence, too. */
    private static int judgeHeaders(ConsumerRecord<byte[], byte[]> record, byte[] value) {
        Header said = record.headers().lastHeader("sequence");
        if (said == null || value == null || value.length < HEADER_BYTES) {
            return 0;
        }
        byte[] expected = Long.toString(sequenceOf(value)).getBytes(StandardCharsets.UTF_8);
        boolean isKeySound = record.key() == null || Arrays.equals(record.key(), expected);
        return isKeySound && Arrays.equals(said.value(), expected) ? 0 : TORN;
    }

    private void close(int slot) {
        Run run = open[slot];
        if (run.count > 0) {
            frames.frame(ChaosFrames.READ, 0, slot, run.count, run.sequence, run.place);
        }
        run.count = 0;
    }

    private static boolean isFree(byte[] value) {
        return (ByteBuffer.wrap(value).getShort(10) & 0xffff) == FREE_PARTITION;
    }

    private int judge(int topicId, int partition, byte[] value) {
        if (value == null || value.length < HEADER_BYTES) {
            return TORN;
        }
        ByteBuffer bytes = ByteBuffer.wrap(value);
        if (bytes.getInt(0) != MAGIC || bytes.getInt(20) != value.length - HEADER_BYTES) {
            return TORN;
        }
        CRC32C crc = new CRC32C();
        crc.update(value, 0, CRC_AT);
        crc.update(value, HEADER_BYTES, value.length - HEADER_BYTES);
        if ((int) crc.getValue() != bytes.getInt(CRC_AT)) {
            return TORN;
        }
        boolean isAtHome = (bytes.getShort(8) & 0xffff) == topicId
            && (isFree(value) || (bytes.getShort(10) & 0xffff) == partition);
        return (bytes.getInt(4) == run ? 0 : STRANGER) | (isAtHome ? 0 : FOREIGN);
    }
}
