import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;

import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/** The Java producer at a low rate, one record at a time, as bench/support/paced-load.js drives the others. */
public final class PeerPaced {
    /** How far it may fall behind, as after a stall, and still catch up. */
    private static final long BEHIND_NANOS_MAX = 50_000_000;

    private PeerPaced() {}

    public static void main(String[] words) throws Exception {
        Arguments given = new Arguments(words);
        Payloads payloads = given.payloads();
        ByteArraySerializer serializer = new ByteArraySerializer();
        try (var producer = new KafkaProducer<>(given.producerProperties(), serializer, serializer)) {
            String java = System.getProperty("java.version");
            System.out.printf("{\"version\":\"kafka-clients %s, Java %s\"}%n", AppInfoParser.getVersion(), java);
            BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
            for (String line = lines.readLine(); line != null && line.startsWith("run ");
                    line = lines.readLine()) {
                int records = Integer.parseInt(line.substring("run ".length()));
                long[] latencies = run(producer, given, payloads, records);
                System.out.printf("{\"records\":%d,\"latency\":%s}%n", records, Quantiles.of(latencies));
            }
        }
    }

    private static long[] run(
            KafkaProducer<byte[], byte[]> producer, Arguments given, Payloads payloads, int records)
            throws ExecutionException, InterruptedException {
        String topic = given.text("topic");
        long period = 1_000_000_000L / given.number("rate");
        long[] latencies = new long[records];
        long due = System.nanoTime();
        for (int i = 0; i < records; i++) {
            due = Math.max(due, System.nanoTime() - BEHIND_NANOS_MAX);
            for (long rest = due - System.nanoTime(); rest > 0; rest = due - System.nanoTime()) {
                LockSupport.parkNanos(rest);
            }
            byte[] key = Payloads.at(payloads.keys(), i);
            byte[] value = Payloads.at(payloads.values(), i);
            long sent = System.nanoTime();
            producer.send(new ProducerRecord<>(topic, key, value)).get();
            latencies[i] = System.nanoTime() - sent;
            due += period;
        }
        return latencies;
    }
}
