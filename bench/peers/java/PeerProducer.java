import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * The Java producer under measurement, as a program of its own: see bench/support/commands.js for what it is
 * told. Mode `callback`: send with a callback, the same one for each record. What may be unsettled is bounded
 * by its own buffer.memory: a counter beside it would only cost. The values of headers are bytes, as it takes
 * them; their encoding from strings is not counted.
 */
public final class PeerProducer<T> {
    private static final byte[] CONTENT_TYPE = "application/json".getBytes(StandardCharsets.UTF_8);
    private static final Callback SETTLED = (metadata, error) -> {
        if (error != null) {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    };

    private final String topic;
    private final T[] keys;
    private final T[] values;
    private final byte[][] traces;

    private PeerProducer(String topic, T[] keys, T[] values, byte[][] traces) {
        this.topic = topic;
        this.keys = keys;
        this.values = values;
        this.traces = traces;
    }

    public static void main(String[] words) throws IOException {
        Arguments given = new Arguments(words);
        Payloads payloads = given.payloads();
        String topic = given.text("topic");
        byte[][] keys = payloads.keys();
        byte[][] values = payloads.values();
        byte[][] traces = payloads.traces();
        if (given.has("text")) {
            new PeerProducer<>(topic, Payloads.texts(keys), Payloads.texts(values), traces)
                    .obey(given, new StringSerializer());
        } else {
            new PeerProducer<>(topic, keys, values, traces).obey(given, new ByteArraySerializer());
        }
    }

    private void obey(Arguments given, Serializer<T> serializer) throws IOException {
        try (var producer = new KafkaProducer<>(given.producerProperties(), serializer, serializer)) {
            String java = System.getProperty("java.version");
            System.out.printf("{\"version\":\"kafka-clients %s, Java %s\"}%n", AppInfoParser.getVersion(), java);
            BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
            for (String line = lines.readLine(); line != null && line.startsWith("run ");
                    line = lines.readLine()) {
                int records = Integer.parseInt(line.substring("run ".length()));
                produce(producer, records);
                System.out.printf("{\"records\":%d}%n", records);
            }
        }
    }

    private void produce(KafkaProducer<T, T> producer, int records) {
        boolean hasHeaders = traces.length > 0;
        for (int i = 0; i < records; i++) {
            ProducerRecord<T, T> record =
                    new ProducerRecord<>(topic, Payloads.at(keys, i), Payloads.at(values, i));
            if (hasHeaders) {
                record.headers().add("traceparent", Payloads.at(traces, i)).add("content-type", CONTENT_TYPE);
            }
            producer.send(record, SETTLED);
        }
        producer.flush();
    }
}
