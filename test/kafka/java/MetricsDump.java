import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's producer under a fixed load, and what its `metrics()` say of it: arguments are
 * `TOPIC ROUNDS RECORDS VALUE_BYTES [NAME=VALUE]...`. Each round sends its records to partition 0 and flushes, so that
 * it makes one batch. One line a metric: group, name, tags, class of the value, value.
 */
public final class MetricsDump {
    /** One for all records: the difference of two takes more bytes the longer it is. */
    private static final long TIMESTAMP_MS = 1_700_000_000_000L;

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        for (int at = 4; at < arguments.length; at++) {
            String[] pair = arguments[at].split("=", 2);
            properties.put(pair[0], pair[1]);
        }
        ByteArraySerializer bytes = new ByteArraySerializer();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties, bytes, bytes)) {
            int rounds = Integer.parseInt(arguments[1]);
            int records = Integer.parseInt(arguments[2]);
            for (int round = 0; round < rounds; round++)
                send(producer, arguments[0], records, new byte[Integer.parseInt(arguments[3])]);
            producer.metrics().forEach((name, metric) -> {
                Map<String, String> tags = new TreeMap<>(name.tags());
                Object value = metric.metricValue();
                String type = value.getClass().getSimpleName();
                System.out.println(String.join("\t", name.group(), name.name(), tags.toString(), type, value.toString()));
            });
        }
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, String topic, int records, byte[] value)
        throws InterruptedException {
        List<Future<?>> outcomes = new ArrayList<>();
        for (int record = 0; record < records; record++)
            outcomes.add(producer.send(new ProducerRecord<>(topic, 0, TIMESTAMP_MS, null, value)));
        producer.flush();
        for (Future<?> outcome : outcomes) {
            try {
                outcome.get();
            } catch (ExecutionException failed) {
                // Some scenarios want records to fail; the metrics say how many did.
            }
        }
    }
}
