import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.ByteBufferOutputStream;

/**
 * Reads {@code NAME.stream} as a Java consumer does; {@code NAME.plain} is its content. Writes that content as a
 * Java producer does to {@code NAME.java}. Prints a line {@code NAME equal|differs BYTES} for each name, with the
 * size of what it has written.
 */
final class CodecStreams {
    /** Of record batches. */
    private static final byte MAGIC = 2;

    private CodecStreams() {}

    public static void main(String[] args) throws Exception {
        Compression codec = Compression.of(args[0]).build();
        Path folder = Path.of(args[1]);
        for (String name : Arrays.copyOfRange(args, 2, args.length)) {
            byte[] plain = Files.readAllBytes(folder.resolve(name + ".plain"));
            ByteBuffer stream = ByteBuffer.wrap(Files.readAllBytes(folder.resolve(name + ".stream")));
            boolean isEqual;
            try (InputStream input = codec.wrapForInput(stream, MAGIC, BufferSupplier.NO_CACHING)) {
                isEqual = Arrays.equals(input.readAllBytes(), plain);
            }
            ByteBufferOutputStream written = new ByteBufferOutputStream(plain.length + 512);
            try (OutputStream output = codec.wrapForOutput(written, MAGIC)) {
                output.write(plain);
            }
            ByteBuffer bytes = written.buffer();
            bytes.flip();
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            Files.write(folder.resolve(name + ".java"), copy);
            System.out.println(name + " " + (isEqual ? "equal" : "differs") + " " + copy.length);
        }
    }
}
