import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * Kafka's own producer as a client of the fault rig: the counterpart of rig/client/driver.ts, with the same
 * records, pace, windows and reports. Arguments are name=value pairs, those named property.* go to the producer.
 */
public final class ChaosProducer {
    private static final int MAGIC = 0x4d6c5261;
    private static final int HEADER_BYTES = 28;
    private static final int CRC_AT = 24;
    private static final String TEXT_MARK = "\u00a7";
    private static final int POOL_BYTES = 64 * 1024;
    private static final int CHUNK_RECORDS = 64;
    private static final long REPORT_EVERY_MS = 100;
    private static final int CREDIT_SECONDS_MAX = 30;

    private final Map<String, String> job = new HashMap<>();
    private final ChaosFrames frames = new ChaosFrames();
    private final String[] topics;
    private final int run;
    private final int payloadMin;
    private final int payloadMax;
    private final boolean isService;
    private final byte[] pool;
    private final Slot[] slots;
    private final Map<String, Integer> errors = new TreeMap<>();
    private final long startedNs = System.nanoTime();
    private long sent;
    private long settled;
    private long progressNs = System.nanoTime();
    private long stallNs;
    private long blackoutNs;
    private long rssMaxBytes;
    private volatile boolean isStopping;

    private static final class Slot {
        int topicId;
        int partition;
        long sent;
        long settled;
        double credit;
        long creditNs = System.nanoTime();
        long progressNs = System.nanoTime();
        int kind;
        long first;
        long count;
        long place;
    }

    private ChaosProducer(String[] arguments) {
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            job.put(argument.substring(0, equals), argument.substring(equals + 1));
        }
        topics = job.get("topics").split(",");
        run = Integer.parseUnsignedInt(job.get("run"));
        isService = Boolean.parseBoolean(job.get("isService"));
        payloadMin = (int) number("payloadMin");
        payloadMax = (int) number("payloadMax");
        pool = new byte[POOL_BYTES + payloadMax];
        int state = run | 1;
        for (int i = 0; i < pool.length; i++) {
            state = state * 1664525 + 1013904223;
            pool[i] = (byte) (state >>> 24);
        }
        int partitions = (int) number("partitions");
        slots = new Slot[topics.length * partitions];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = new Slot();
            slots[i].topicId = i / partitions;
            slots[i].partition = i % partitions;
        }
    }

    public static void main(String[] arguments) throws Exception {
        new ChaosProducer(arguments).produce();
    }

    private long number(String name) {
        return Long.parseLong(job.get(name));
    }

    private void produce() throws Exception {
        Map<String, Object> configs = new HashMap<>();
        job.forEach((name, value) -> {
            if (name.startsWith("property.")) {
                configs.put(name.substring("property.".length()), value);
            }
        });
        configs.put("bootstrap.servers", job.get("bootstrap"));
        try (var producer = new KafkaProducer<>(configs, new ByteArraySerializer(), new ByteArraySerializer())) {
            listen();
            frames.note("{\"ready\":true}");
            send(producer);
            long graceMs = number("graceMs");
            long deadline = System.nanoTime() + Duration.ofMillis(graceMs).toNanos();
            while (!isAllSettled() && System.nanoTime() < deadline) {
                Thread.sleep(REPORT_EVERY_MS);
                tell();
            }
            double seconds = (System.nanoTime() - startedNs) / 1e9;
            producer.close(Duration.ofMillis(graceMs));
            tell();
            synchronized (frames) {
                frames.note(report(seconds));
            }
        }
    }

    private void listen() {
        Thread commands = new Thread(() -> {
            try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in))) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    if (line.equals("stop")) {
                        isStopping = true;
                    }
                }
            } catch (IOException error) {
                // An unreadable input is as good as an ended one.
            }
            isStopping = true;
        }, "commands");
        commands.setDaemon(true);
        commands.start();
    }

    /** Sends what pace and windows allow, chunk by chunk in rotation. */
    private void send(KafkaProducer<byte[], byte[]> producer) throws InterruptedException {
        long records = number("records");
        double rate = (double) number("recordsPerSecond") / slots.length;
        long window = number("window") == 0 ? Long.MAX_VALUE : number("window");
        boolean isSerial = Boolean.parseBoolean(job.get("isSerial"));
        long toldNs = System.nanoTime();
        int next = 0;
        int idle = 0;
        while (!isStopping && sent < records) {
            long now = System.nanoTime();
            Slot slot = slots[next];
            slot.credit = rate == 0 ? Double.MAX_VALUE
                : Math.min(slot.credit + (now - slot.creditNs) / 1e9 * rate, rate * CREDIT_SECONDS_MAX);
            slot.creditNs = now;
            int index = next;
            next = (next + 1) % slots.length;
            long unsettled = unsettled(slot);
            long room = isSerial && unsettled > 0 ? 0 : Math.min((long) Math.min(slot.credit, records - sent), window - unsettled);
            if (room >= 1) {
                int chunk = (int) Math.min(room, CHUNK_RECORDS);
                slot.credit -= chunk;
                sendChunk(producer, index, slot, chunk);
                idle = 0;
            } else if (++idle >= slots.length) {
                Thread.sleep(1);
                idle = 0;
            }
            if (now - toldNs > REPORT_EVERY_MS * 1_000_000) {
                tell();
                toldNs = now;
            }
        }
    }

    private long unsettled(Slot slot) {
        synchronized (frames) {
            return slot.sent - slot.settled;
        }
    }

    private boolean isAllSettled() {
        synchronized (frames) {
            return settled == sent;
        }
    }

    private void sendChunk(KafkaProducer<byte[], byte[]> producer, int index, Slot slot, int records) {
        long first;
        synchronized (frames) {
            first = slot.sent;
            long now = System.nanoTime();
            if (slot.settled == slot.sent) {
                slot.progressNs = now;
            }
            if (settled == sent) {
                progressNs = now;
            }
            slot.sent += records;
            sent += records;
        }
        for (long sequence = first; sequence < first + records; sequence++) {
            long each = sequence;
            byte[] value = value(slot, sequence);
            var record = record(slot, sequence, value);
            try {
                producer.send(record, (metadata, error) -> settle(index, slot, each, metadata, error));
            } catch (RuntimeException error) {
                settle(index, slot, each, null, error);
            }
        }
    }

    /** What services send is text with headers, as rig/client/millrace.ts has it. */
    private ProducerRecord<byte[], byte[]> record(Slot slot, long sequence, byte[] value) {
        String topic = topics[slot.topicId];
        if (!isService) {
            return new ProducerRecord<>(topic, slot.partition, null, value);
        }
        byte[] text = (TEXT_MARK + new String(value, StandardCharsets.ISO_8859_1)).getBytes(StandardCharsets.UTF_8);
        byte[] said = Long.toString(sequence).getBytes(StandardCharsets.UTF_8);
        var record = new ProducerRecord<>(topic, slot.partition, said, text);
        record.headers().add("content-type", "text/plain; charset=utf-8".getBytes(StandardCharsets.UTF_8));
        record.headers().add("source", "rig".getBytes(StandardCharsets.UTF_8));
        record.headers().add("sequence", said);
        return record;
    }

    private byte[] value(Slot slot, long sequence) {
        int length = payloadMin + (int) (sequence % (payloadMax - payloadMin + 1));
        ByteBuffer bytes = ByteBuffer.allocate(HEADER_BYTES + length);
        bytes.putInt(MAGIC).putInt(run).putShort((short) slot.topicId).putShort((short) slot.partition);
        bytes.putLong(sequence).putInt(length);
        int from = (int) sequence * 0x9e3779b1 & POOL_BYTES - 1;
        System.arraycopy(pool, from, bytes.array(), HEADER_BYTES, length);
        CRC32C crc = new CRC32C();
        crc.update(bytes.array(), 0, CRC_AT);
        crc.update(bytes.array(), HEADER_BYTES, length);
        bytes.putInt(CRC_AT, (int) crc.getValue());
        return bytes.array();
    }

    private void settle(int index, Slot slot, long sequence, RecordMetadata metadata, Exception error) {
        synchronized (frames) {
            int kind = ChaosFrames.ACKED;
            long place = -1;
            if (error == null) {
                long offset = metadata.hasOffset() ? metadata.offset() : -1;
                place = ChaosFrames.placeOf(metadata.partition(), offset);
                long now = System.nanoTime();
                stallNs = Math.max(stallNs, now - slot.progressNs);
                blackoutNs = Math.max(blackoutNs, now - progressNs);
                slot.progressNs = now;
                progressNs = now;
            } else {
                kind = error instanceof RecordTooLargeException ? ChaosFrames.REFUSED : ChaosFrames.AMBIGUOUS;
                String words = error.toString().replaceAll("[0-9.]+", "#").replaceAll("[\"\\\\\\s]+", " ");
                errors.merge(words.substring(0, Math.min(words.length(), 120)), 1, Integer::sum);
            }
            slot.settled++;
            settled++;
            boolean continues = slot.count > 0 && slot.kind == kind && slot.first + slot.count == sequence
                && (place < 0 ? slot.place < 0 : slot.place >= 0 && slot.place + slot.count == place);
            if (!continues) {
                flush(index, slot);
                slot.kind = kind;
                slot.first = sequence;
                slot.place = place;
            }
            slot.count++;
        }
    }

    private void flush(int index, Slot slot) {
        if (slot.count > 0) {
            frames.frame(slot.kind, 0, index, slot.count, slot.first, slot.place);
        }
        slot.count = 0;
    }

    private void tell() {
        rssMaxBytes = Math.max(rssMaxBytes, residentBytes());
        synchronized (frames) {
            for (int index = 0; index < slots.length; index++) {
                flush(index, slots[index]);
                frames.frame(ChaosFrames.SENT, 0, index, 0, slots[index].sent, 0);
            }
            frames.flush();
        }
    }

    /** Linux says it in pages; elsewhere it stays unknown. */
    private static long residentBytes() {
        try {
            return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * 4096;
        } catch (IOException error) {
            return 0;
        }
    }

    private String report(double seconds) {
        StringBuilder told = new StringBuilder();
        errors.forEach((words, count) ->
            told.append(told.isEmpty() ? "" : ",").append('"').append(words).append("\":").append(count));
        return "{\"report\":{\"versions\":{\"kafka-clients\":\"" + AppInfoParser.getVersion() + "\",\"java\":\""
            + Runtime.version() + "\"},\"longestStallMs\":" + stallNs / 1e6 + ",\"longestBlackoutMs\":"
            + blackoutNs / 1e6 + ",\"rssMaxBytes\":" + rssMaxBytes + ",\"seconds\":" + seconds
            + ",\"blockedMs\":{\"count\":0,\"min\":0,\"max\":0,\"isInOrder\":true},\"errors\":{" + told + "}}}";
    }
}
