import java.io.BufferedWriter;
import java.io.IOException;
import java.util.Base64;

import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;

/** The partition that Kafka's own producer chooses for each key. */
final class JavaPartitioner {
    private JavaPartitioner() {
    }

    /** Words: the command, the number of partitions, then keys in base64. */
    static void partition(String[] words, BufferedWriter out) throws IOException {
        int partitions = Integer.parseInt(words[1]);
        for (int i = 2; i < words.length; i++) {
            byte[] key = Base64.getDecoder().decode(words[i]);
            out.write(Integer.toString(BuiltInPartitioner.partitionForKey(key, partitions)));
            out.write('\n');
        }
    }
}
