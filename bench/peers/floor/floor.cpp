// The floor: millrace's native core alone, without JavaScript, as a program of its own. See
// bench/support/commands.js for what it is told.
//
// It appends each record to its batch (murmur2 of the key, or the sticky partition), gives full batches their
// header and CRC, gathers a batch of each partition into a Produce request and writes that to a socket, with
// at most five requests in flight. There is no outcome by record, no idempotence, no retry and no
// compression: what this costs, any producer built on the core costs at least.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "../../../native/core/appender.h"
#include "../../../native/core/bytes.h"

namespace {

using namespace millrace;

constexpr uint32_t kArenaBytes = 32 << 20;
constexpr int32_t kTopic = 0;
constexpr int kInFlightMax = 5;
constexpr int16_t kProduceVersion = 7;
constexpr int32_t kTimeoutMs = 30000;
constexpr long long kRecordsPerClockRead = 256;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "floor: %s\n", what);
  std::exit(1);
}

struct Field {
  std::vector<uint8_t> bytes;
  bool isNull;
};

// The rings of a file of bench/support/payload-file.js, as far as they are used here.
struct Payloads {
  std::vector<Field> keys;
  std::vector<Field> values;
};

Payloads readPayloads(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (content.size() < 4) die("no payloads");
  const auto* at = reinterpret_cast<const uint8_t*>(content.data());
  const auto next = [&at] {
    at += 4;
    return static_cast<int32_t>(loadBig32(at - 4));
  };
  const auto readRing = [&] {
    std::vector<Field> ring(static_cast<size_t>(next()));
    for (Field& each : ring) {
      const int32_t length = next();
      each.isNull = length < 0;
      if (!each.isNull) each.bytes.assign(at, at + length);
      at += each.bytes.size();
    }
    return ring;
  };
  Payloads payloads;
  payloads.keys = readRing();
  payloads.values = readRing();
  return payloads;
}

const Field& atTurn(const std::vector<Field>& ring, long long i) {
  return ring[static_cast<size_t>(i) & (ring.size() - 1)];
}

// A blocking connection that speaks just enough of Produce.
class Connection {
 public:
  Connection(const std::string& server, std::string topic) : topic_(std::move(topic)) {
    const size_t colon = server.find(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(server.substr(colon + 1))));
    inet_pton(AF_INET, server.substr(0, colon).c_str(), &address.sin_addr);
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("cannot connect");
  }

  // Returns when the socket has taken all of it: the batches' memory may then be used again.
  void produce(const std::vector<const Batch*>& batches) {
    while (inFlight_ >= kInFlightMax) awaitAnswer();
    glue_.clear();
    std::vector<size_t> cuts;
    uint32_t recordBytes = 0;
    head(static_cast<int32_t>(batches.size()));
    for (const Batch* batch : batches) {
      put32(static_cast<uint32_t>(batch->partition));
      put32(batch->bytes);
      cuts.push_back(glue_.size());
      recordBytes += batch->bytes;
    }
    storeBig32(glue_.data(), static_cast<uint32_t>(glue_.size()) - 4 + recordBytes);
    std::vector<iovec> pieces;
    size_t from = 0;
    for (size_t i = 0; i < batches.size(); from = cuts[i++]) {
      pieces.push_back({glue_.data() + from, cuts[i] - from});
      pieces.push_back({batches[i]->memory, batches[i]->bytes});
    }
    write(pieces);
    inFlight_++;
  }

  void awaitAll() {
    while (inFlight_ > 0) awaitAnswer();
  }

 private:
  void put16(uint16_t value) {
    glue_.resize(glue_.size() + 2);
    storeBig16(&glue_[glue_.size() - 2], value);
  }
  void put32(uint32_t value) {
    glue_.resize(glue_.size() + 4);
    storeBig32(&glue_[glue_.size() - 4], value);
  }

  // Size, key, version, correlation id, client id; transactional id, acks, time-out, one topic.
  void head(int32_t partitions) {
    put32(0);
    put16(0);
    put16(kProduceVersion);
    put32(correlationId_++);
    put16(0xffff);
    put16(0xffff);
    put16(0xffff);
    put32(kTimeoutMs);
    put32(1);
    put16(static_cast<uint16_t>(topic_.size()));
    glue_.insert(glue_.end(), topic_.begin(), topic_.end());
    put32(static_cast<uint32_t>(partitions));
  }

  void write(std::vector<iovec>& pieces) {
    for (size_t at = 0; at < pieces.size();) {
      ssize_t written = writev(socket_, &pieces[at], static_cast<int>(pieces.size() - at));
      if (written < 0) die("cannot write");
      for (; at < pieces.size() && written >= static_cast<ssize_t>(pieces[at].iov_len); at++) {
        written -= static_cast<ssize_t>(pieces[at].iov_len);
      }
      if (written > 0) {
        pieces[at].iov_base = static_cast<uint8_t*>(pieces[at].iov_base) + written;
        pieces[at].iov_len -= static_cast<size_t>(written);
      }
    }
  }

  void awaitAnswer() {
    uint8_t size[4];
    if (recv(socket_, size, sizeof size, MSG_WAITALL) != sizeof size) die("the connection has ended");
    answer_.resize(loadBig32(size));
    const auto expected = static_cast<ssize_t>(answer_.size());
    if (recv(socket_, answer_.data(), answer_.size(), MSG_WAITALL) != expected) die("an answer is cut");
    inFlight_--;
  }

  std::string topic_;
  int socket_ = -1;
  uint32_t correlationId_ = 0;
  int inFlight_ = 0;
  std::vector<uint8_t> glue_;
  std::vector<uint8_t> answer_;
};

// Appends records and sends batches as they get full.
class Floor {
 public:
  Floor(Connection& connection, uint32_t batchBytes, int32_t partitions)
      : connection_(connection),
        partitions_(partitions),
        arena_(kArenaBytes),
        appender_(
            {{arena_.data(), batchBytes, static_cast<int32_t>(kArenaBytes / batchBytes), kArenaBytes, false},
             batchBytes,
             1 << 20}),
        open_(static_cast<size_t>(partitions), kNoBatch),
        full_(static_cast<size_t>(partitions), kNoBatch) {
    appender_.setTopic(kTopic, partitions);
  }

  void append(const Field& key, const Field& value, int64_t timestampMs) {
    const RecordShape shape{timestampMs, key.isNull ? -1 : static_cast<int32_t>(key.bytes.size()),
                            static_cast<int32_t>(value.bytes.size()), 0};
    const int32_t wanted = key.isNull ? kPartitionSticky : kPartitionByKey;
    Reservation place;
    while (appender_.reserve(kTopic, wanted, key.bytes.data(), shape, &place) != AppendStatus::Ok) {
      sticky_ = (sticky_ + 1) % partitions_;
      appender_.setSticky(kTopic, sticky_);
    }
    copyBytes(place.targets.key, key.bytes.data(), key.bytes.size());
    copyBytes(place.targets.value, value.bytes.data(), value.bytes.size());
    appender_.commit();
    if (place.index > 0) return;
    const auto partition = static_cast<size_t>(place.partition);
    if (open_[partition] != kNoBatch) isFull(partition);
    open_[partition] = place.batch;
  }

  void flush() {
    send();
    for (size_t partition = 0; partition < open_.size(); partition++) {
      if (open_[partition] != kNoBatch) isFull(partition);
      open_[partition] = kNoBatch;
    }
    send();
    connection_.awaitAll();
  }

 private:
  void isFull(size_t partition) {
    if (full_[partition] != kNoBatch) send();
    full_[partition] = open_[partition];
    if (++fullCount_ == partitions_) send();
  }

  void send() {
    if (fullCount_ == 0) return;
    batches_.clear();
    for (const int32_t handle : full_) {
      if (handle == kNoBatch) continue;
      appender_.seal(handle);
      appender_.finish(handle, -1, -1, -1, 0);
      batches_.push_back(&appender_.pool().at(handle));
    }
    connection_.produce(batches_);
    for (int32_t& handle : full_) {
      if (handle != kNoBatch) appender_.settle(handle);
      handle = kNoBatch;
    }
    fullCount_ = 0;
  }

  Connection& connection_;
  int32_t partitions_;
  std::vector<uint8_t> arena_;
  Appender appender_;
  int32_t sticky_ = -1;
  std::vector<int32_t> open_;  // by partition
  std::vector<int32_t> full_;  // by partition: the next request
  int32_t fullCount_ = 0;
  std::vector<const Batch*> batches_;
};

int64_t nowMs() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

int main(int count, char** words) {
  std::map<std::string, std::string> given;
  for (int i = 1; i < count; i++) {
    const std::string word = words[i];
    const size_t at = word.find('=');
    given[word.substr(0, at)] = word.substr(at + 1);
  }
  const Payloads payloads = readPayloads(given["payloads"]);
  Connection connection(given["bootstrapServers"], given["topic"]);
  Floor floor(connection, static_cast<uint32_t>(std::stoul(given["batchBytes"])),
              std::stoi(given["partitions"]));

  std::cout << "{\"version\":\"native core of millrace\"}" << std::endl;
  std::string word;
  long long records = 0;
  while (std::cin >> word >> records && word == "run") {
    int64_t timestampMs = 0;
    for (long long i = 0; i < records; i++) {
      if (i % kRecordsPerClockRead == 0) timestampMs = nowMs();
      floor.append(atTurn(payloads.keys, i), atTurn(payloads.values, i), timestampMs);
    }
    floor.flush();
    std::cout << "{\"records\":" << records << "}" << std::endl;
  }
}
