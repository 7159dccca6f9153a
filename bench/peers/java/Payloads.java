import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** The rings of a file of bench/support/payload-file.js; trace contexts only where records have headers. */
record Payloads(byte[][] keys, byte[][] values, byte[][] traces) {
    static Payloads read(Path path) throws IOException {
        ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(path));
        return new Payloads(ring(content), ring(content), ring(content));
    }

    private static byte[][] ring(ByteBuffer content) {
        byte[][] ring = new byte[content.getInt()][];
        for (int i = 0; i < ring.length; i++) {
            int length = content.getInt();
            if (length >= 0) {
                ring[i] = new byte[length];
                content.get(ring[i]);
            }
        }
        return ring;
    }

    static String[] texts(byte[][] ring) {
        return Arrays.stream(ring)
                .map(bytes -> bytes == null ? null : new String(bytes, StandardCharsets.UTF_8))
                .toArray(String[]::new);
    }

    /** The element whose turn it is; rings are of a power of two. */
    static <T> T at(T[] ring, int i) {
        return ring[i & (ring.length - 1)];
    }
}
