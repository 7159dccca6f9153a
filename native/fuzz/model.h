// A model of the appender: what it must answer, and the records each batch must hold.
#pragma once

#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "core/appender.h"
#include "core/split.h"
#include "core/staged.h"
#include "records.h"

namespace millrace::fuzz {

struct ModelBatch {
  int32_t topic = 0;
  int32_t partition = 0;
  bool open = true;
  bool settled = false;
  int32_t pins = 0;
  uint64_t chargeBytes = 0;
  uint64_t limitBytes = 0;
  int32_t slabs = 0;  // 0: the memory is its own
  uint64_t size = 0;  // header included
  std::vector<reference::Record> records;
  bool isCompressed = false;
  std::string finished;  // all its bytes, empty before
  std::unique_ptr<uint8_t[]> large;
};

struct ModelTopic {
  int32_t partitions = 0;
  int32_t partitionsEver = 0;
  int32_t sticky = -1;
  uint64_t batchLimitBytes = 0;
  uint64_t stickyLimitBytes = 0;
  uint64_t producedBytes = 0;
};

struct StagedRecords;
struct DrainMemory;

bool isForNowhere(const ModelTopic& topic, int32_t partition, const reference::Record& record);

struct Limits {
  uint32_t slabBytes;
  int32_t slabCount;
  int32_t batchSlabsMax;
  uint64_t budgetBytes;
  uint32_t batchLimitBytes;
  uint32_t recordLimitBytes;
};

class AppenderModel {
 public:
  explicit AppenderModel(Input* input);

  void step();
  // Everything is given back, and then nothing is missing.
  void finish();

 private:
  static constexpr int32_t kTopics = 3;
  static constexpr int32_t kStagedMax = 8;

  // The calls on a batch pick one, and do nothing where it is in no phase for that.
  void setTopic();
  void setBatchLimit();
  void setSticky();
  void append();
  void appendStaged();
  void appendRun();
  static void checkConsecutive(const StagedRecords& staged, const DrainMemory& memory, uint32_t first,
                               const DrainResult& result);
  void promiseLast(int32_t topic, int32_t partition, uint32_t before, StagedRecords* staged);
  // Whether a staged record goes to the place promised for it.
  bool isNext(const int32_t* asked, const reference::Record& record);
  // What was drained is what was staged, from `first` on.
  void checkDrained(const StagedRecords& staged, const DrainMemory& memory, uint32_t first,
                    const DrainResult& result);
  void offerLarge();
  void sealAny();
  void finishAny();
  void compressAny();
  void splitAny();
  void pinAny();
  void unpinAny();
  void settleAny();

  reference::Record randomRecord();
  int32_t randomPartition(int32_t topic);
  static int32_t partitionOf(const std::string& key, const ModelTopic& topic);
  ModelBatch* pick(int32_t* handle);
  std::map<int32_t, ModelBatch>::iterator openBatchOf(int32_t topic, int32_t partition);

  // The size of a batch with one more record; null: of a batch of that record.
  static uint64_t bytesWith(const ModelBatch* batch, const reference::Record& record);
  bool stickyIsDone(const ModelTopic& topic);
  // Bytes that a batch of slabs may have as it is.
  uint64_t fullBytes(const ModelBatch& batch) const;
  bool isSlabFree(int32_t slab) const;
  // The longest run of free slabs of one group.
  int32_t longestRun() const;
  // Whether an open batch can have so many bytes; it grows as far as it can.
  bool grows(int32_t handle, ModelBatch* batch, uint64_t bytes);
  // Whether there are slabs side by side for a new batch of so many bytes.
  bool hasSlabs(uint64_t bytes) const;
  // The answer the appender owes, and the partition; notes that the batch is sealed that is too full.
  AppendStatus expected(int32_t topic, int32_t* partition, const reference::Record& record);
  static void checkAnswer(AppendStatus status, AppendStatus owed, const reference::Record& record,
                          int64_t sizeBytes);
  void appended(int32_t topic, int32_t partition, bool sticky, const reference::Record& record,
                int32_t handle, int32_t index);

  void splitNonsense(int32_t handle, ModelBatch* parent);
  Child checkedChild(const RecordsRegion& region, size_t position,
                     const std::vector<reference::Record>& records, size_t first);
  void unpin(int32_t handle, ModelBatch* batch);
  void settle(int32_t handle, ModelBatch* batch);
  void checkReleased(int32_t handle, bool wentBack);
  // Memory and batches are as the model has them.
  void checkState() const;
  void checkBytes(int32_t handle, const ModelBatch& batch) const;

  Input& input_;
  Limits limits_;
  std::unique_ptr<uint8_t[]> arena_;
  std::unique_ptr<Appender> appender_;
  std::array<ModelTopic, kTopics> topics_;
  std::map<int32_t, ModelBatch> batches_;  // not given back yet, by handle
  std::unique_ptr<uint8_t[]> offer_;
  uint32_t offerBytes_ = 0;
  uint64_t usedBytes_ = 0;
  bool closed_ = false;
};

}  // namespace millrace::fuzz
