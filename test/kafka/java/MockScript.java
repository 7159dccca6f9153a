import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Kafka's own MockProducer, driven by scripts: a line `new auto|manual` makes one, every other line is a call.
 * Each line is answered with one: what the call did, then the state of the mock and of all its sends.
 */
final class MockScript {
    private MockProducer<String, String> mock;
    private final List<Future<RecordMetadata>> sends = new ArrayList<>();

    private MockScript() {
    }

    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        MockScript script = new MockScript();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String did;
            try {
                did = script.call(line.split(" "));
            } catch (ProducerFencedException error) {
                did = "fenced";
            } catch (KafkaException error) {
                did = error.getCause() instanceof ProducerFencedException ? "fenced" : "kafka";
            } catch (IllegalStateException error) {
                did = error.getMessage().contains("already closed") ? "closed" : "illegal";
            } catch (RuntimeException error) {
                did = error.getMessage();
            }
            out.println(did + " " + script.state());
        }
        out.flush();
    }

    @SuppressWarnings({"deprecation", "removal"})
    private String call(String[] words) {
        switch (words[0]) {
            case "new":
                mock = new MockProducer<>(words[1].equals("auto"), null, new StringSerializer(), new StringSerializer());
                sends.clear();
                return "ok";
            case "send":
                sends.add(mock.send(new ProducerRecord<>(words[1], "key", words[2])));
                return "ok";
            case "completeNext":
                return String.valueOf(mock.completeNext());
            case "errorNext":
                return String.valueOf(mock.errorNext(new IllegalArgumentException("scripted")));
            case "offsets":
                Map<TopicPartition, OffsetAndMetadata> offsets = words.length == 2
                    ? Map.of()
                    : Map.of(new TopicPartition("in", Integer.parseInt(words[2])),
                        new OffsetAndMetadata(Long.parseLong(words[3])));
                mock.sendOffsetsToTransaction(offsets, new ConsumerGroupMetadata(words[1]));
                return "ok";
            case "fault":
                RuntimeException fault = words[2].equals("on") ? new RuntimeException("fault") : null;
                setFault(words[1], fault);
                return "ok";
            default:
                run(words[0]);
                return "ok";
        }
    }

    private void run(String call) {
        switch (call) {
            case "initTransactions": mock.initTransactions(); break;
            case "beginTransaction": mock.beginTransaction(); break;
            case "commitTransaction": mock.commitTransaction(); break;
            case "abortTransaction": mock.abortTransaction(); break;
            case "flush": mock.flush(); break;
            case "close": mock.close(); break;
            case "clear": mock.clear(); break;
            case "fenceProducer": mock.fenceProducer(); break;
            default: throw new IllegalArgumentException("no call " + call);
        }
    }

    private void setFault(String name, RuntimeException fault) {
        switch (name) {
            case "initTransactionException": mock.initTransactionException = fault; break;
            case "beginTransactionException": mock.beginTransactionException = fault; break;
            case "sendOffsetsToTransactionException": mock.sendOffsetsToTransactionException = fault; break;
            case "commitTransactionException": mock.commitTransactionException = fault; break;
            case "abortTransactionException": mock.abortTransactionException = fault; break;
            case "sendException": mock.sendException = fault; break;
            case "flushException": mock.flushException = fault; break;
            case "closeException": mock.closeException = fault; break;
            default: throw new IllegalArgumentException("no fault " + name);
        }
    }

    private String state() {
        List<String> parts = new ArrayList<>();
        parts.add(valuesOf(mock.history()));
        parts.add(valuesOf(mock.uncommittedRecords()));
        parts.add(offsetsOf(mock.uncommittedOffsets()));
        List<String> past = new ArrayList<>();
        mock.consumerGroupOffsetsHistory().forEach(offsets -> past.add(offsetsOf(offsets)));
        parts.add(String.join("/", past));
        parts.add(mock.flushed() + "," + mock.closed() + "," + mock.transactionInitialized() + ","
            + mock.transactionInFlight() + "," + mock.transactionCommitted() + "," + mock.transactionAborted() + ","
            + mock.sentOffsets() + "," + mock.commitCount());
        List<String> outcomes = new ArrayList<>();
        for (Future<RecordMetadata> send : sends) outcomes.add(outcomeOf(send));
        parts.add(String.join(",", outcomes));
        return String.join("|", parts);
    }

    private static String outcomeOf(Future<RecordMetadata> send) {
        if (!send.isDone()) return "pending";
        try {
            RecordMetadata metadata = send.get();
            return metadata.topic() + "-" + metadata.partition() + "@" + metadata.offset();
        } catch (ExecutionException error) {
            return error.getCause().getMessage();
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    private static String valuesOf(List<ProducerRecord<String, String>> records) {
        List<String> values = new ArrayList<>();
        for (ProducerRecord<String, String> record : records) values.add(record.topic() + ":" + record.value());
        return String.join(",", values);
    }

    private static String offsetsOf(Map<String, Map<TopicPartition, OffsetAndMetadata>> groups) {
        List<String> all = new ArrayList<>();
        groups.forEach((group, offsets) ->
            offsets.forEach((partition, offset) -> all.add(group + ":" + partition + "@" + offset.offset())));
        all.sort(null);
        return String.join(",", all);
    }
}
