import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.apicurio.registry.serde.avro.AvroKafkaDeserializer;
import io.apicurio.registry.serde.jsonschema.JsonSchemaKafkaDeserializer;
import io.apicurio.registry.serde.protobuf.ProtobufSchemaParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Reads topics of one partition with Kafka's consumer and Apicurio's deserializers, in wire format v0. Apicurio's for
 * Protobuf has another place for the message's name, so that one is of Google's parser and Apicurio's schemas.
 *
 * <p>Arguments: bootstrap servers, URL of the registry. Each line of standard input, {@code FORMAT TOPIC COUNT},
 * has that many records read; each is printed as {@code record JSON}, then {@code done}, or {@code error TEXT}.
 */
public final class RegistryReader {
  private static final long TIMEOUT_MS = 30_000;

  private RegistryReader() {}

  public static void main(String[] args) throws Exception {
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String[] words = line.split(" ");
      try {
        read(args[0], args[1], words[0], words[1], Integer.parseInt(words[2]));
        System.out.println("done");
      } catch (Exception error) {
        System.out.println("error " + String.valueOf(error).replace('\n', ' ') + " " + causeOf(error));
      }
      System.out.flush();
    }
  }

  private static String causeOf(Throwable error) {
    return error.getCause() == null ? "" : String.valueOf(error.getCause()).replace('\n', ' ');
  }

  private static void read(String servers, String registry, String format, String topic, int count)
      throws Exception {
    Map<String, Object> config =
        Map.of(
            "apicurio.registry.url", registry,
            "apicurio.registry.as-confluent", true,
            "apicurio.registry.use-id", "contentId",
            "apicurio.registry.headers.enabled", false);
    try (Deserializer<?> deserializer = deserializerOf(format);
        KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(
                Map.of("bootstrap.servers", servers),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
      deserializer.configure(config, false);
      TopicPartition partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = System.currentTimeMillis() + TIMEOUT_MS;
      int seen = 0;
      while (seen < count) {
        if (System.currentTimeMillis() > end) throw new IllegalStateException(seen + " of " + count);
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          Object value = deserializer.deserialize(topic, record.headers(), record.value());
          System.out.println("record " + jsonOf(value));
          seen++;
        }
      }
    }
  }

  private static Deserializer<?> deserializerOf(String format) {
    switch (format) {
      case "AVRO":
        return new AvroKafkaDeserializer<Object>();
      case "JSON":
        return new JsonSchemaKafkaDeserializer<Object>();
      case "PROTOBUF":
        return new ProtobufDeserializer();
      default:
        throw new IllegalArgumentException(format);
    }
  }

  /** {@code 0x00 id:int32 indexes payload}; indexes are zigzag varints after their count, none for the first message. */
  private static final class ProtobufDeserializer implements Deserializer<Message> {
    private String registry;

    @Override
    public void configure(Map<String, ?> config, boolean isKey) {
      registry = String.valueOf(config.get("apicurio.registry.url"));
    }

    @Override
    public Message deserialize(String topic, byte[] data) {
      try {
        ByteBuffer buffer = ByteBuffer.wrap(data);
        if (buffer.get() != 0) throw new IOException("not wire format v0");
        URI address = URI.create(registry + "/ids/contentIds/" + buffer.getInt());
        HttpRequest request = HttpRequest.newBuilder(address).build();
        byte[] schema = HttpClient.newHttpClient().send(request, BodyHandlers.ofByteArray()).body();
        List<Descriptor> types =
            new ProtobufSchemaParser<Message>()
                .parseSchema(schema, Map.of())
                .getFileDescriptor()
                .getMessageTypes();
        int count = varint(buffer);
        Descriptor type = types.get(count == 0 ? 0 : varint(buffer));
        for (int level = 1; level < count; level++) type = type.getNestedTypes().get(varint(buffer));
        byte[] payload = new byte[buffer.remaining()];
        buffer.get(payload);
        return DynamicMessage.parseFrom(type, payload);
      } catch (IOException | InterruptedException error) {
        throw new IllegalStateException(error);
      }
    }

    private static int varint(ByteBuffer buffer) {
      int value = 0;
      for (int shift = 0; ; shift += 7) {
        byte next = buffer.get();
        value |= (next & 0x7f) << shift;
        if (next >= 0) return (value >>> 1) ^ -(value & 1);
      }
    }
  }

  private static String jsonOf(Object value) throws Exception {
    if (value instanceof Message) {
      return JsonFormat.printer().omittingInsignificantWhitespace().print((Message) value);
    }
    // Records of Avro and nodes of Jackson print themselves as JSON.
    return String.valueOf(value).replace("\n", "");
  }
}
