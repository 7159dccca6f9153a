import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Writes the 32-byte frames of rig/frames.ts to standard output. */
final class ChaosFrames {
    static final int ACKED = 1;
    static final int REFUSED = 2;
    static final int AMBIGUOUS = 3;
    static final int SENT = 4;
    static final int NOTE = 5;
    static final int READ = 6;
    static final int END = 7;

    private static final int FRAME_BYTES = 32;
    private static final int OFFSET_BITS = 40;

    private final OutputStream out = new BufferedOutputStream(System.out, 1 << 16);
    private final ByteBuffer bytes = ByteBuffer.allocate(FRAME_BYTES);

    /** Where a record stands in its topic, in one number, as rig/place.ts has it. */
    static long placeOf(int partition, long offset) {
        return offset < 0 ? -1 : ((long) partition << OFFSET_BITS) + offset;
    }

    void frame(int kind, int flags, int slot, long count, long sequence, long place) {
        bytes.clear();
        bytes.put((byte) kind).put((byte) flags).putShort((short) slot).putInt((int) count);
        bytes.putDouble(sequence).putDouble(place).putDouble(0);
        write(bytes.array());
    }

    void note(String json) {
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        frame(NOTE, 0, 0, text.length, 0, 0);
        write(text);
        flush();
    }

    void flush() {
        try {
            out.flush();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private void write(byte[] what) {
        try {
            out.write(what);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
