import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;

/** What the programs of this folder are told on their command lines: words of the form name=value. */
final class Arguments {
    private final Map<String, String> given = new HashMap<>();

    Arguments(String[] words) {
        for (String word : words) {
            int at = word.indexOf('=');
            given.put(word.substring(0, at), word.substring(at + 1));
        }
    }

    boolean has(String name) {
        return given.containsKey(name);
    }

    String text(String name) {
        String value = given.get(name);
        if (value == null) {
            throw new IllegalArgumentException(name + " is not given");
        }
        return value;
    }

    int number(String name) {
        return Integer.parseInt(text(name));
    }

    /** Everything that is not given here is Kafka's default: idempotent, acks=all, 32 MiB of memory. */
    Properties producerProperties() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", text("bootstrapServers"));
        properties.put("linger.ms", text("lingerMs"));
        properties.put("batch.size", text("batchBytes"));
        properties.put("compression.type", text("compression"));
        properties.put("compression.zstd.level", text("zstdLevel"));
        if (has("ca")) {
            properties.put("security.protocol", "SSL");
            properties.put("ssl.truststore.type", "PEM");
            properties.put("ssl.truststore.location", text("ca"));
        }
        return properties;
    }

    Payloads payloads() throws IOException {
        return Payloads.read(Path.of(text("payloads")));
    }
}
