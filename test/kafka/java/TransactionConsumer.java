import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * The consuming half of a consume-transform-produce loop: a static member of a group, read_committed, whose offsets
 * are committed by somebody else's transactions. Arguments: bootstrap servers, group, instance id, topic, records of
 * a poll. Commands come one a line; the last line of an answer is `ok` or `error` and a message.
 *
 *   poll     line: group, generation, member, instance id; then one a record: partition, offset, value (one line)
 *   rewind   back to the committed offsets: what was polled since is polled again
 *   commit   commits by the consumer itself what was polled, which a transactional loop must never do
 */
public final class TransactionConsumer {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration CALL = Duration.ofSeconds(60);
    private static final int PARENT_GONE = 4;

    public static void main(String[] arguments) throws IOException {
        Map<String, Object> configs = new HashMap<>(Map.of(
            "bootstrap.servers", arguments[0],
            "group.id", arguments[1],
            "group.instance.id", arguments[2],
            "isolation.level", "read_committed",
            "enable.auto.commit", false,
            "auto.offset.reset", "earliest",
            "allow.auto.create.topics", false,
            "session.timeout.ms", 30_000,
            "request.timeout.ms", 10_000,
            "max.poll.records", Integer.parseInt(arguments[4])));
        configs.put("reconnect.backoff.max.ms", 500);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), 1 << 16);
        var consumer = new KafkaConsumer<>(configs, new StringDeserializer(), new StringDeserializer());
        consumer.subscribe(List.of(arguments[3]));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            try {
                switch (line) {
                    case "poll" -> poll(consumer, out);
                    case "rewind" -> rewind(consumer);
                    case "commit" -> consumer.commitSync(CALL);
                    default -> throw new IllegalArgumentException("unknown command " + line);
                }
                out.write("ok\n");
            } catch (RuntimeException error) {
                out.write("error\t" + error.toString().replaceAll("\\s+", " ") + "\n");
            }
            out.flush();
        }
        // Whoever ends its input has died, and a dead member does not leave its group.
        Runtime.getRuntime().halt(PARENT_GONE);
    }

    private static void poll(KafkaConsumer<String, String> consumer, BufferedWriter out) throws IOException {
        var records = consumer.poll(POLL);
        var group = consumer.groupMetadata();
        out.write(String.join("\t", group.groupId(), Integer.toString(group.generationId()), group.memberId(),
            group.groupInstanceId().orElse("")));
        out.write('\n');
        for (ConsumerRecord<String, String> record : records) {
            out.write(record.partition() + "\t" + record.offset() + "\t" + record.value() + "\n");
        }
    }

    private static void rewind(KafkaConsumer<String, String> consumer) {
        Set<TopicPartition> assigned = consumer.assignment();
        Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(assigned, CALL);
        for (TopicPartition partition : assigned) {
            OffsetAndMetadata offset = committed.get(partition);
            if (offset == null) {
                consumer.seekToBeginning(List.of(partition));
            } else {
                consumer.seek(partition, offset);
            }
        }
    }
}
