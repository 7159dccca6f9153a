import java.util.Arrays;
import java.util.Locale;

/** Times as the JSON object that the bench reads, in milliseconds. */
final class Quantiles {
    private static final double NANOS_PER_MS = 1e6;

    private Quantiles() {}

    static String of(long[] nanos) {
        Arrays.sort(nanos);
        return String.format(Locale.ROOT, "{\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}",
                at(nanos, 0.5), at(nanos, 0.99), at(nanos, 0.999), at(nanos, 1));
    }

    private static double at(long[] sorted, double share) {
        return sorted[Math.min(sorted.length - 1, (int) (sorted.length * share))] / NANOS_PER_MS;
    }
}
