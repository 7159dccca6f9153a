import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricConfig;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.Sensor;
import org.apache.kafka.common.metrics.stats.Avg;
import org.apache.kafka.common.metrics.stats.Max;
import org.apache.kafka.common.metrics.stats.Meter;
import org.apache.kafka.common.metrics.stats.WindowedCount;

/**
 * Kafka's own window arithmetic. Each line of standard input is one sequence: `SAMPLES WINDOW_MS` and then events,
 * `r:TIME:VALUE` to record and `m:TIME` to measure. Each measurement is answered by a line with the values of all
 * statistics, in the order of STATS.
 */
public final class MetricsOracle {
    private static final List<String> STATS =
        List.of("avg", "max", "rate", "total", "event-rate", "event-total", "ratio");

    public static void main(String[] arguments) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), 1 << 16);
        for (String line = in.readLine(); line != null; line = in.readLine()) replay(line.split(" "), out);
        out.flush();
    }

    private static void replay(String[] words, BufferedWriter out) throws IOException {
        MetricConfig config = new MetricConfig()
            .samples(Integer.parseInt(words[0]))
            .timeWindow(Long.parseLong(words[1]), TimeUnit.MILLISECONDS);
        try (Metrics metrics = new Metrics(config)) {
            Sensor sensor = metrics.sensor("s");
            sensor.add(name("avg"), new Avg());
            sensor.add(name("max"), new Max());
            sensor.add(new Meter(name("rate"), name("total")));
            sensor.add(new Meter(new WindowedCount(), name("event-rate"), name("event-total")));
            sensor.add(new Meter(TimeUnit.NANOSECONDS, name("ratio"), name("ns-total")));
            for (int at = 2; at < words.length; at++) {
                String[] event = words[at].split(":");
                long timeMs = Long.parseLong(event[1]);
                if (event[0].equals("r")) sensor.record(Double.parseDouble(event[2]), timeMs);
                else measure(metrics, timeMs, out);
            }
        }
    }

    private static void measure(Metrics metrics, long timeMs, BufferedWriter out) throws IOException {
        StringBuilder line = new StringBuilder();
        for (String stat : STATS) {
            KafkaMetric metric = metrics.metric(name(stat));
            line.append(line.length() == 0 ? "" : " ").append(metric.measurable().measure(metric.config(), timeMs));
        }
        out.append(line).append('\n');
    }

    private static MetricName name(String name) {
        return new MetricName(name, "group", "", java.util.Map.of());
    }
}
