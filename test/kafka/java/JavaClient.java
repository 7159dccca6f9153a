import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's own Java classes behind one JVM: reads commands, one a line and with its words separated by tabs, from
 * standard input and answers on standard output. The last line of an answer is `ok` or `error` and a message.
 *
 *   create     BOOTSTRAP TOPIC PARTITIONS REPLICATION [NAME=VALUE]...
 *   produce    BOOTSTRAP TOPIC KEY VALUE HEADERS   one record, its words as RecordReader writes them
 *   read       BOOTSTRAP TOPIC ISOLATION      one line a record, see RecordReader
 *   digest     BOOTSTRAP TOPIC ISOLATION      one line a partition, see RecordReader
 *   offsets    BOOTSTRAP GROUP                one line a partition: topic, partition, offset
 *   feature    BOOTSTRAP NAME LEVEL           finalizes the level, up or down
 *   subscribe  BOOTSTRAP NAME METRICS INTERVAL   asks clients for metrics every so many milliseconds
 *   quota      BOOTSTRAP CLIENT_ID BYTES      bytes a second that the client may produce
 *   partition  PARTITIONS KEY...              one line a key (base64), see JavaPartitioner
 */
public final class JavaClient {
    public static void main(String[] arguments) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), 1 << 16);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            try {
                run(line.split("\t", -1), out);
                out.write("ok\n");
            } catch (Exception error) {
                out.write("error\t" + error.toString().replaceAll("\\s+", " ") + "\n");
            }
            out.flush();
        }
    }

    private static void run(String[] words, BufferedWriter out) throws Exception {
        switch (words[0]) {
            case "create" -> create(words);
            case "produce" -> produce(words);
            case "read" -> RecordReader.read(words[1], words[2], words[3], out);
            case "digest" -> RecordReader.digest(words[1], words[2], words[3], out);
            case "offsets" -> offsets(words, out);
            case "feature" -> feature(words);
            case "subscribe" -> subscribe(words);
            case "quota" -> quota(words);
            case "partition" -> JavaPartitioner.partition(words, out);
            default -> throw new IllegalArgumentException("unknown command " + words[0]);
        }
    }

    private static void subscribe(String[] words) throws Exception {
        ConfigResource name = new ConfigResource(ConfigResource.Type.CLIENT_METRICS, words[2]);
        List<AlterConfigOp> set = List.of(
            new AlterConfigOp(new ConfigEntry("metrics", words[3]), AlterConfigOp.OpType.SET),
            new AlterConfigOp(new ConfigEntry("interval.ms", words[4]), AlterConfigOp.OpType.SET));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", words[1]))) {
            admin.incrementalAlterConfigs(Map.of(name, set)).all().get();
        }
    }

    private static void create(String[] words) throws Exception {
        Map<String, String> configs = new HashMap<>();
        for (int i = 5; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            configs.put(words[i].substring(0, equals), words[i].substring(equals + 1));
        }
        NewTopic topic = new NewTopic(
            words[2], Optional.of(Integer.parseInt(words[3])), Optional.of(Short.parseShort(words[4])));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", words[1]))) {
            admin.createTopics(List.of(topic.configs(configs))).all().get();
        }
    }

    private static void feature(String[] words) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", words[1]))) {
            Features.set(admin, words[2], Short.parseShort(words[3]));
        }
    }

    private static void quota(String[] words) throws Exception {
        var client = new ClientQuotaEntity(Map.of(ClientQuotaEntity.CLIENT_ID, words[2]));
        var rate = new ClientQuotaAlteration.Op("producer_byte_rate", Double.valueOf(words[3]));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", words[1]))) {
            admin.alterClientQuotas(List.of(new ClientQuotaAlteration(client, List.of(rate)))).all().get();
        }
    }

    private static void offsets(String[] words, BufferedWriter out) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", words[1]))) {
            var offsets = admin.listConsumerGroupOffsets(words[2]).partitionsToOffsetAndMetadata().get();
            for (var entry : offsets.entrySet()) {
                var partition = entry.getKey();
                out.write(partition.topic() + "\t" + partition.partition() + "\t" + entry.getValue().offset() + "\n");
            }
        }
    }

    private static void produce(String[] words) throws Exception {
        RecordHeaders headers = new RecordHeaders();
        for (String header : words[5].isEmpty() ? new String[0] : words[5].split(",")) {
            String[] parts = header.split(":", -1);
            headers.add(new String(bytes(parts[0]), StandardCharsets.UTF_8), bytes(parts[1]));
        }
        var record = new ProducerRecord<>(words[2], null, null, bytes(words[3]), bytes(words[4]), headers);
        Map<String, Object> configs = Map.of("bootstrap.servers", words[1]);
        try (var producer = new KafkaProducer<>(configs, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.send(record).get();
        }
    }

    private static byte[] bytes(String word) {
        return word.equals("-") ? null : Base64.getDecoder().decode(word);
    }
}
