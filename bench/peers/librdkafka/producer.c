// librdkafka under measurement, as a program of its own: see bench/support/commands.js for what it is told.
//
// Modes: `callback` calls rd_kafka_produce for each record, `many` rd_kafka_produce_batch for 1,000 at a
// time. Either way every record has its delivery report. Producing and serving the reports share one thread,
// which is cheaper than a thread for each; reports are served every 1,000 records and whenever the most
// records that may be unsettled are.
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARRAY_LENGTH = 1000, LINE_BYTES = 256, POLL_MS = 100, ERROR_BYTES = 512 };

struct payload {
  const unsigned char* key;
  const unsigned char* value;
  size_t key_bytes;
  size_t value_bytes;
};

static struct payload* ring;
static uint32_t ring_mask;
static int64_t unsettled;

static void die(const char* what, const char* why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static const char* argument(int count, char** words, const char* name) {
  const size_t name_bytes = strlen(name);
  for (int i = 1; i < count; i++) {
    if (strncmp(words[i], name, name_bytes) == 0 && words[i][name_bytes] == '=') {
      return words[i] + name_bytes + 1;
    }
  }
  die(name, "is not given");
  return NULL;
}

static int32_t read_int32(const unsigned char* from) {
  return (int32_t)((uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3]);
}

static const unsigned char* read_bytes(const unsigned char* from, const unsigned char** bytes,
                                       size_t* count) {
  const int32_t length = read_int32(from);
  *bytes = length < 0 ? NULL : from + 4;
  *count = length < 0 ? 0 : (size_t)length;
  return from + 4 + *count;
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
  const uint32_t count = (uint32_t)read_int32(content);
  ring = calloc(count, sizeof *ring);
  ring_mask = count - 1;
  const unsigned char* at = content + 4;
  for (uint32_t i = 0; i < count; i++) {
    at = read_bytes(at, &ring[i].key, &ring[i].key_bytes);
    at = read_bytes(at, &ring[i].value, &ring[i].value_bytes);
  }
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
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  char error[ERROR_BYTES];
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
  if (producer == NULL) die("rd_kafka_new", error);
  return producer;
}

static void produce_each(rd_kafka_t* producer, rd_kafka_topic_t* topic, int64_t records,
                         int64_t unsettled_max) {
  for (int64_t i = 0; i < records; i++) {
    while (unsettled >= unsettled_max) rd_kafka_poll(producer, POLL_MS);
    if (i % ARRAY_LENGTH == 0) rd_kafka_poll(producer, 0);
    const struct payload* each = &ring[(uint32_t)i & ring_mask];
    unsettled++;
    if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, (void*)(uintptr_t)each->value,
                         each->value_bytes, each->key, each->key_bytes, NULL) != 0) {
      die("rd_kafka_produce", rd_kafka_err2str(rd_kafka_last_error()));
    }
  }
}

static void produce_many(rd_kafka_t* producer, rd_kafka_topic_t* topic, int64_t records,
                         int64_t unsettled_max) {
  static rd_kafka_message_t messages[ARRAY_LENGTH];
  for (int64_t sent = 0; sent < records;) {
    const int64_t rest = records - sent;
    const int count = rest < ARRAY_LENGTH ? (int)rest : ARRAY_LENGTH;
    rd_kafka_poll(producer, 0);
    while (unsettled + count > unsettled_max) rd_kafka_poll(producer, POLL_MS);
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < count; i++, sent++) {
      const struct payload* each = &ring[(uint32_t)sent & ring_mask];
      messages[i].payload = (void*)(uintptr_t)each->value;
      messages[i].len = each->value_bytes;
      messages[i].key = (void*)(uintptr_t)each->key;
      messages[i].key_len = each->key_bytes;
    }
    unsettled += count;
    const int queued =
        rd_kafka_produce_batch(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, messages, count);
    if (queued != count) die("rd_kafka_produce_batch", "some records were not taken");
  }
}

int main(int count, char** words) {
  read_payloads(argument(count, words, "payloads"));
  const int64_t unsettled_max = atoll(argument(count, words, "unsettledMax"));
  const char* mode = argument(count, words, "mode");
  rd_kafka_t* producer = create(count, words);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(producer, argument(count, words, "topic"), NULL);
  if (topic == NULL) die("rd_kafka_topic_new", rd_kafka_err2str(rd_kafka_last_error()));

  printf("{\"version\":\"librdkafka %s\"}\n", rd_kafka_version_str());
  fflush(stdout);
  char line[LINE_BYTES];
  long long records;
  while (fgets(line, sizeof line, stdin) != NULL && sscanf(line, "run %lld", &records) == 1) {
    if (strcmp(mode, "many") == 0) {
      produce_many(producer, topic, records, unsettled_max);
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
