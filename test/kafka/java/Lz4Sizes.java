import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Factory;

/**
 * What Kafka's LZ4 library makes of a file in blocks of 64 KiB: a line {@code level bytes nanoseconds} for each
 * level from 1 to 17 of its high compressor, and one for its fast one, with level 0. The time is that of the
 * second of two turns, on the processor.
 */
final class Lz4Sizes {
    private static final int BLOCK_BYTES = 64 * 1024;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private Lz4Sizes() {}

    public static void main(String[] args) throws Exception {
        byte[] content = Files.readAllBytes(Path.of(args[0]));
        LZ4Factory factory = LZ4Factory.fastestInstance();
        for (int level = 0; level <= 17; level++) {
            LZ4Compressor compressor = level == 0 ? factory.fastCompressor() : factory.highCompressor(level);
            compress(compressor, content);
            long start = THREADS.getCurrentThreadCpuTime();
            long bytes = compress(compressor, content);
            System.out.println(level + " " + bytes + " " + (THREADS.getCurrentThreadCpuTime() - start));
        }
    }

    private static long compress(LZ4Compressor compressor, byte[] content) {
        byte[] output = new byte[compressor.maxCompressedLength(BLOCK_BYTES)];
        long total = 0;
        for (int at = 0; at < content.length; at += BLOCK_BYTES) {
            int count = Math.min(BLOCK_BYTES, content.length - at);
            total += Math.min(count, compressor.compress(content, at, count, output, 0, output.length));
        }
        return total;
    }
}
