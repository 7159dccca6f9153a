import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * The Java producer under measurement, as a program of its own: see bench/support/commands.js for what it is
 * told. Mode `callback`: send with a callback, the same one for each record. What may be unsettled is bounded
 * by its own buffer.memory: a counter beside it would only cost.
 */
public final class PeerProducer {
    public static void main(String[] words) throws IOException {
        Arguments given = new Arguments(words);
        byte[][] ring = given.payloads();
        String topic = given.text("topic");
        Callback settled = (metadata, error) -> {
            if (error != null) {
                error.printStackTrace();
                Runtime.getRuntime().halt(1);
            }
        };
        ByteArraySerializer serializer = new ByteArraySerializer();
        try (var producer = new KafkaProducer<>(given.producerProperties(), serializer, serializer)) {
            String java = System.getProperty("java.version");
            System.out.printf("{\"version\":\"kafka-clients %s, Java %s\"}%n", AppInfoParser.getVersion(), java);
            BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
            for (String line = lines.readLine(); line != null && line.startsWith("run ");
                    line = lines.readLine()) {
                int records = Integer.parseInt(line.substring("run ".length()));
                produce(producer, topic, ring, records, settled);
                System.out.printf("{\"records\":%d}%n", records);
            }
        }
    }

    private static void produce(
            KafkaProducer<byte[], byte[]> producer, String topic, byte[][] ring, int records, Callback settled) {
        int mask = ring.length / 2 - 1;
        for (int i = 0; i < records; i++) {
            int at = (i & mask) * 2;
            producer.send(new ProducerRecord<>(topic, ring[at], ring[at + 1]), settled);
        }
        producer.flush();
    }
}
