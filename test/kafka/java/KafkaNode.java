import java.io.IOException;

import kafka.Kafka;
import kafka.tools.StorageTool;

/**
 * Formats the storage of one KRaft node and runs it in the same JVM, which saves the start of a second one.
 * Arguments: the properties file, the cluster id, then whatever else `kafka-storage format` should be given.
 * The node lives as long as its standard input is open, so it cannot outlive the test that started it.
 */
public final class KafkaNode {
    private static final int FORMAT_FAILED = 3;
    private static final int PARENT_GONE = 4;

    public static void main(String[] arguments) throws Exception {
        String properties = arguments[0];
        Thread watch = new Thread(KafkaNode::haltAtEndOfInput, "end-of-input");
        watch.setDaemon(true);
        watch.start();

        String[] format = new String[arguments.length + 4];
        String[] fixed = {"format", "--ignore-formatted", "--cluster-id", arguments[1], "--config", properties};
        System.arraycopy(fixed, 0, format, 0, fixed.length);
        System.arraycopy(arguments, 2, format, fixed.length, arguments.length - 2);
        int status = StorageTool.execute(format, System.out);
        if (status != 0) {
            System.exit(FORMAT_FAILED);
        }
        Kafka.main(new String[] {properties});
    }

    private static void haltAtEndOfInput() {
        try {
            while (System.in.read() >= 0) {
                // Whatever arrives is ignored: only the end matters.
            }
        } catch (IOException error) {
            // An unreadable input is as good as an ended one.
        }
        Runtime.getRuntime().halt(PARENT_GONE);
    }
}
