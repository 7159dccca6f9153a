import java.io.IOException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs the main methods of several classes in one JVM, each in a thread of its own: a broker and, before Kafka 4,
 * the ZooKeeper that it needs. Arguments: a class, its arguments, then after "--" the next class. It uses nothing
 * of Kafka, so one compiled class serves every version. The JVM lives as long as its standard input is open, so it
 * cannot outlive the test that started it.
 */
public final class Together {
    private static final int PROGRAM_FAILED = 3;
    private static final int PARENT_GONE = 4;

    private Together() {
    }

    public static void main(String[] arguments) {
        List<String> program = new ArrayList<>();
        for (String argument : arguments) {
            if (argument.equals("--")) {
                start(program);
                program = new ArrayList<>();
            } else {
                program.add(argument);
            }
        }
        start(program);
        haltAtEndOfInput();
    }

    private static void start(List<String> program) {
        String[] rest = program.subList(1, program.size()).toArray(new String[0]);
        new Thread(() -> run(program.get(0), rest), program.get(0)).start();
    }

    private static void run(String mainClass, String[] arguments) {
        try {
            Method main = Class.forName(mainClass).getMethod("main", String[].class);
            main.invoke(null, (Object) arguments);
        } catch (ReflectiveOperationException error) {
            error.printStackTrace();
            Runtime.getRuntime().halt(PROGRAM_FAILED);
        }
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
