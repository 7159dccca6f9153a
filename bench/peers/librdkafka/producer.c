// librdkafka under measurement, as a program of its own: see bench/support/commands.js for what it is told.
//
// Modes: `callback` calls rd_kafka_produce for each record (rd_kafka_producev where it has headers), `many`
// rd_kafka_produce_batch for 1,000 at a time, which takes no headers. Either way every record has its
// delivery report. `paced` sends one at a time. Producing and serving the reports share one thread, which is
// cheaper than a thread for each; reports are served every 1,000 records and whenever the most records that
// may be unsettled are.
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ARRAY_LENGTH_MAX = 1000, LINE_BYTES = 256, POLL_MS = 100, ERROR_BYTES = 512 };

static const int64_t NANOS_PER_S = 1000000000;
/* How far it may fall behind, as after a stall, and still catch up. */
static const int64_t BEHIND_NANOS_MAX = 50000000;
static const char TRACE_NAME[] = "traceparent";
static const char TYPE_NAME[] = "content-type";
static const char CONTENT_TYPE[] = "application/json";

struct field {
  const unsigned char* bytes; /* NULL: null */
  size_t count;
};

/* A power of two of fields, or none. */
struct ring {
  struct field* fields;
  uint32_t count;
};

static struct ring keys;
static struct ring values;
static struct ring traces;
static int64_t unsettled;

static void die(const char* what, const char* why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

/* NULL where it is not given. */
static const char* find_argument(int count, char** words, const char* name) {
  const size_t name_bytes = strlen(name);
  for (int i = 1; i < count; i++) {
    if (strncmp(words[i], name, name_bytes) == 0 && words[i][name_bytes] == '=') {
      return words[i] + name_bytes + 1;
    }
  }
  return NULL;
}

static const char* argument(int count, char** words, const char* name) {
  const char* found = find_argument(count, words, name);
  if (found == NULL) die(name, "is not given");
  return found;
}

static int32_t read_int32(const unsigned char* from) {
  return (int32_t)((uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3]);
}

static const unsigned char* read_ring(const unsigned char* from, struct ring* ring) {
  ring->count = (uint32_t)read_int32(from);
  ring->fields = calloc(ring->count + 1, sizeof *ring->fields);
  if (ring->fields == NULL) die("payloads", "no memory");
  from += 4;
  for (uint32_t i = 0; i < ring->count; i++) {
    const int32_t length = read_int32(from);
    from += 4;
    if (length < 0) continue;
    ring->fields[i].bytes = from;
    ring->fields[i].count = (size_t)length;
    from += length;
  }
  return from;
}

static const struct field* at_turn(const struct ring* ring, int64_t i) {
  return &ring->fields[(uint32_t)i & (ring->count - 1)];
}

/* A file of bench/support/payload-file.js. */
static void read_payloads(const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) die(path, "cannot be read");
  fseek(file, 0, SEEK_END);
  const size_t bytes = (size_t)ftell(file);
  rewind(file);
  unsigned char* content = malloc(bytes);
  if (content == NULL || fread(content, 1, bytes, file) != bytes) die(path, "cannot be read");
  fclose(file);
  read_ring(read_ring(read_ring(content, &keys), &values), &traces);
}

static void on_delivery(rd_kafka_t* producer, const rd_kafka_message_t* message, void* opaque) {
  (void)producer;
  (void)opaque;
  if (message->err) die("delivery", rd_kafka_err2str(message->err));
  unsettled--;
}

static void set(rd_kafka_conf_t* conf, const char* name, const char* value) {
  char error[ERROR_BYTES];
  if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK) die(name, error);
}

static rd_kafka_t* create(int count, char** words) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", argument(count, words, "bootstrapServers"));
  set(conf, "enable.idempotence", "true");
  set(conf, "partitioner", "murmur2_random");
  set(conf, "linger.ms", argument(count, words, "lingerMs"));
  set(conf, "batch.size", argument(count, words, "batchBytes"));
  const char* compression = argument(count, words, "compression");
  set(conf, "compression.codec", compression);
  if (strcmp(compression, "zstd") == 0) set(conf, "compression.level", argument(count, words, "zstdLevel"));
  const char* ca = find_argument(count, words, "ca");
  if (ca != NULL) {
    set(conf, "security.protocol", "ssl");
    set(conf, "ssl.ca.location", ca);
  }
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  char error[ERROR_BYTES];
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
  if (producer == NULL) die("rd_kafka_new", error);
  return producer;
}

static void produce_one(rd_kafka_topic_t* topic, int64_t i) {
  const struct field* key = at_turn(&keys, i);
  const struct field* value = at_turn(&values, i);
  if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, (void*)(uintptr_t)value->bytes,
                       value->count, key->bytes, key->count, NULL) != 0) {
    die("rd_kafka_produce", rd_kafka_err2str(rd_kafka_last_error()));
  }
}

static void produce_one_with_headers(rd_kafka_t* producer, rd_kafka_topic_t* topic, int64_t i) {
  const struct field* key = at_turn(&keys, i);
  const struct field* value = at_turn(&values, i);
  const struct field* trace = at_turn(&traces, i);
  rd_kafka_headers_t* headers = rd_kafka_headers_new(2);
  rd_kafka_header_add(headers, TRACE_NAME, sizeof TRACE_NAME - 1, trace->bytes, (ssize_t)trace->count);
  rd_kafka_header_add(headers, TYPE_NAME, sizeof TYPE_NAME - 1, CONTENT_TYPE, sizeof CONTENT_TYPE - 1);
  const rd_kafka_resp_err_t error = rd_kafka_producev(
      producer, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_VALUE((void*)(uintptr_t)value->bytes, value->count),
      RD_KAFKA_V_KEY((void*)(uintptr_t)key->bytes, key->count), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) die("rd_kafka_producev", rd_kafka_err2str(error));
}

static void produce_each(rd_kafka_t* producer, rd_kafka_topic_t* topic, int64_t records,
                         int64_t unsettled_max) {
  for (int64_t i = 0; i < records; i++) {
    while (unsettled >= unsettled_max) rd_kafka_poll(producer, POLL_MS);
    if (i % ARRAY_LENGTH_MAX == 0) rd_kafka_poll(producer, 0);
    unsettled++;
    if (traces.count == 0) {
      produce_one(topic, i);
    } else {
      produce_one_with_headers(producer, topic, i);
    }
  }
}

static void produce_many(rd_kafka_t* producer, rd_kafka_topic_t* topic, int64_t records,
                         int64_t unsettled_max, int array_length) {
  static rd_kafka_message_t messages[ARRAY_LENGTH_MAX];
  for (int64_t sent = 0; sent < records;) {
    const int64_t rest = records - sent;
    const int count = rest < array_length ? (int)rest : array_length;
    rd_kafka_poll(producer, 0);
    while (unsettled + count > unsettled_max) rd_kafka_poll(producer, POLL_MS);
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < count; i++, sent++) {
      const struct field* key = at_turn(&keys, sent);
      const struct field* value = at_turn(&values, sent);
      messages[i].payload = (void*)(uintptr_t)value->bytes;
      messages[i].len = value->count;
      messages[i].key = (void*)(uintptr_t)key->bytes;
      messages[i].key_len = key->count;
    }
    unsettled += count;
    const int queued =
        rd_kafka_produce_batch(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, messages, count);
    if (queued != count) die("rd_kafka_produce_batch", "some records were not taken");
  }
}

static int64_t now_nanos(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * NANOS_PER_S + now.tv_nsec;
}

static void sleep_nanos(int64_t nanos) {
  struct timespec left = {nanos / NANOS_PER_S, nanos % NANOS_PER_S};
  while (nanosleep(&left, &left) != 0) continue;
}

static int compare_nanos(const void* left, const void* right) {
  const int64_t a = *(const int64_t*)left;
  const int64_t b = *(const int64_t*)right;
  return (a > b) - (a < b);
}

static double quantile_ms(const int64_t* sorted, int64_t count, double share) {
  const int64_t at = (int64_t)((double)count * share);
  return (double)sorted[at < count ? at : count - 1] / 1e6;
}

/* One record at a time, as bench/support/paced-load.js does; prints the latencies. */
static void produce_paced(rd_kafka_t* producer, rd_kafka_topic_t* topic, int64_t records, int64_t rate) {
  const int64_t period = NANOS_PER_S / rate;
  int64_t* latencies = calloc((size_t)records, sizeof *latencies);
  if (latencies == NULL) die("paced", "no memory");
  int64_t due = now_nanos();
  for (int64_t i = 0; i < records; i++) {
    const int64_t now = now_nanos();
    if (due < now - BEHIND_NANOS_MAX) due = now - BEHIND_NANOS_MAX;
    if (due > now) sleep_nanos(due - now);
    const int64_t sent = now_nanos();
    unsettled++;
    produce_one(topic, i);
    while (unsettled > 0) rd_kafka_poll(producer, POLL_MS);
    latencies[i] = now_nanos() - sent;
    due += period;
  }
  qsort(latencies, (size_t)records, sizeof *latencies, compare_nanos);
  printf("{\"records\":%lld,\"latency\":{\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}}\n",
         (long long)records, quantile_ms(latencies, records, 0.5), quantile_ms(latencies, records, 0.99),
         quantile_ms(latencies, records, 0.999), quantile_ms(latencies, records, 1));
  fflush(stdout);
  free(latencies);
}

int main(int count, char** words) {
  read_payloads(argument(count, words, "payloads"));
  const int64_t unsettled_max = atoll(argument(count, words, "unsettledMax"));
  const char* mode = argument(count, words, "mode");
  const int is_many = strcmp(mode, "many") == 0;
  const int64_t rate = strcmp(mode, "paced") == 0 ? atoll(argument(count, words, "rate")) : 0;
  const int array_length = is_many ? atoi(argument(count, words, "arrayLength")) : 1;
  if (array_length < 1 || array_length > ARRAY_LENGTH_MAX) die("arrayLength", "is out of range");
  if (is_many && traces.count > 0) die("many", "takes no headers");
  rd_kafka_t* producer = create(count, words);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(producer, argument(count, words, "topic"), NULL);
  if (topic == NULL) die("rd_kafka_topic_new", rd_kafka_err2str(rd_kafka_last_error()));

  printf("{\"version\":\"librdkafka %s\"}\n", rd_kafka_version_str());
  fflush(stdout);
  char line[LINE_BYTES];
  long long records;
  while (fgets(line, sizeof line, stdin) != NULL && sscanf(line, "run %lld", &records) == 1) {
    if (rate > 0) {
      produce_paced(producer, topic, records, rate);
      continue;
    }
    if (is_many) {
      produce_many(producer, topic, records, unsettled_max, array_length);
    } else {
      produce_each(producer, topic, records, unsettled_max);
    }
    while (unsettled > 0) rd_kafka_poll(producer, POLL_MS);
    printf("{\"records\":%lld}\n", records);
    fflush(stdout);
  }
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(producer);
  return 0;
}
