import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;

/** What both programs of this folder are told on their command lines: words of the form name=value. */
final class Arguments {
    private final Map<String, String> given = new HashMap<>();

    Arguments(String[] words) {
        for (String word : words) {
            int at = word.indexOf('=');
            given.put(word.substring(0, at), word.substring(at + 1));
        }
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
        return properties;
    }

    /** Keys and values, in turn, of a file of bench/support/payload-file.js. */
    byte[][] payloads() throws IOException {
        ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(Path.of(text("payloads"))));
        byte[][] ring = new byte[content.getInt() * 2][];
        for (int i = 0; i < ring.length; i++) {
            int length = content.getInt();
            if (length >= 0) {
                ring[i] = new byte[length];
                content.get(ring[i]);
            }
        }
        return ring;
    }
}
