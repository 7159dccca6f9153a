import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * The Java producer at a steady rate, as bench/support/latency-client.js drives millrace: every millisecond it
 * sends what is due, each record with a callback, and tells the latency from the call to the callback.
 */
public final class PeerLatency {
    private static final long TICK_NANOS = 1_000_000;

    private final KafkaProducer<byte[], byte[]> producer;
    private final String topic;
    private final Payloads payloads;
    private final double recordsPerNano;

    private PeerLatency(Arguments given, KafkaProducer<byte[], byte[]> producer) throws IOException {
        this.producer = producer;
        topic = given.text("topic");
        payloads = given.payloads();
        recordsPerNano = given.number("rate") / 1e9;
    }

    public static void main(String[] words) throws IOException, InterruptedException {
        Arguments given = new Arguments(words);
        ByteArraySerializer serializer = new ByteArraySerializer();
        try (var producer = new KafkaProducer<>(given.producerProperties(), serializer, serializer)) {
            PeerLatency measured = new PeerLatency(given, producer);
            String java = System.getProperty("java.version");
            System.out.printf("{\"version\":\"kafka-clients %s, Java %s\"}%n", AppInfoParser.getVersion(), java);
            BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
            for (String line = lines.readLine(); line != null && line.startsWith("run ");
                    line = lines.readLine()) {
                measured.run(Integer.parseInt(line.substring("run ".length())));
            }
        }
    }

    private void run(int records) throws InterruptedException {
        long[] latencies = new long[records];
        long[] lateness = new long[records];
        AtomicInteger settled = new AtomicInteger();
        CountDownLatch rest = new CountDownLatch(records);
        long start = System.nanoTime();
        for (int sent = 0; sent < records;) {
            int due = (int) Math.min(records, (System.nanoTime() - start) * recordsPerNano);
            for (; sent < due; sent++) {
                byte[] key = Payloads.at(payloads.keys(), sent);
                byte[] value = Payloads.at(payloads.values(), sent);
                long sentNanos = System.nanoTime();
                lateness[sent] = sentNanos - start - (long) (sent / recordsPerNano);
                producer.send(new ProducerRecord<>(topic, key, value), (metadata, error) -> {
                    if (error != null) {
                        error.printStackTrace();
                        Runtime.getRuntime().halt(1);
                    }
                    latencies[settled.getAndIncrement()] = System.nanoTime() - sentNanos;
                    rest.countDown();
                });
            }
            LockSupport.parkNanos(TICK_NANOS);
        }
        rest.await();
        System.out.printf("{\"records\":%d,\"latency\":%s,\"lateness\":%s}%n", records, Quantiles.of(latencies),
                Quantiles.of(lateness));
    }
}
