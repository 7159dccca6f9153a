import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * The Java producer under measurement with transactions or without, a thread for each producer: the twin of
 * bench/support/transactions-client.js, where the modes are explained.
 */
public final class PeerTransactions {
    private static final Callback SETTLED = (metadata, error) -> {
        if (error != null) {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    };

    private final String topic;
    private final String mode;
    private final int partitions;
    private final int perTransaction;
    private final byte[][] values;

    private PeerTransactions(Arguments given) throws IOException {
        this.topic = given.text("topic");
        this.mode = given.text("mode");
        this.partitions = given.number("partitions");
        this.perTransaction = given.number("perTransaction");
        this.values = given.payloads().values();
    }

    public static void main(String[] words) throws Exception {
        Arguments given = new Arguments(words);
        PeerTransactions self = new PeerTransactions(given);
        List<KafkaProducer<byte[], byte[]>> producers = new ArrayList<>();
        for (int i = 0; i < given.number("producers"); i++) {
            Properties properties = given.producerProperties();
            if (self.mode.equals("transactions")) {
                properties.put("transactional.id", "java-" + ProcessHandle.current().pid() + "-" + i);
            }
            ByteArraySerializer serializer = new ByteArraySerializer();
            KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties, serializer, serializer);
            if (self.mode.equals("transactions")) {
                producer.initTransactions();
            }
            producers.add(producer);
        }
        String java = System.getProperty("java.version");
        System.out.printf("{\"version\":\"kafka-clients %s, Java %s\"}%n", AppInfoParser.getVersion(), java);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        ExecutorService threads = Executors.newFixedThreadPool(producers.size());
        for (String line = lines.readLine(); line != null && line.startsWith("run "); line = lines.readLine()) {
            int records = Integer.parseInt(line.substring("run ".length()));
            List<Future<?>> runs = new ArrayList<>();
            for (KafkaProducer<byte[], byte[]> producer : producers) {
                runs.add(threads.submit(() -> self.send(producer, records / producers.size())));
            }
            for (Future<?> run : runs) {
                run.get();
            }
            System.out.printf("{\"records\":%d}%n", records);
        }
        threads.shutdown();
        for (KafkaProducer<byte[], byte[]> producer : producers) {
            producer.close();
        }
    }

    private void send(KafkaProducer<byte[], byte[]> producer, int count) {
        for (int first = 0; first < count; first += perTransaction) {
            if (mode.equals("transactions")) {
                producer.beginTransaction();
            }
            for (int i = first; i < first + perTransaction; i++) {
                byte[] value = Payloads.at(values, i);
                producer.send(new ProducerRecord<>(topic, i % partitions, null, value), SETTLED);
            }
            switch (mode) {
                case "transactions" -> producer.commitTransaction();
                case "flush" -> producer.flush();
                default -> { }
            }
        }
        producer.flush();
    }
}
