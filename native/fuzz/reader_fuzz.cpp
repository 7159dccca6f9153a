// The reader on batches that are cut, changed, repaired or nonsense: it agrees with the reference on what is
// readable and on what it says, and never looks outside its bytes.
#include <cstring>
#include <memory>

#include "records.h"

namespace millrace::fuzz {
namespace {

// Some of the records are longer or shorter than their fields.
std::string makeBatch(Input* input) {
  reference::Batch batch;
  batch.baseTimestampMs = input->number();
  std::string bytes = encoded(batch);
  const uint32_t records = input->below(6);
  for (uint32_t i = 0; i < records; i++) {
    reference::Record record = makeRecord(input, 300);
    record.offsetDelta = static_cast<int32_t>(i);
    std::string body = reference::body(record, batch.baseTimestampMs);
    if (input->rarely(32)) body += input->bytes(1 + input->below(3));
    if (input->rarely(32)) body.resize(body.size() - 1 - input->below(5));
    bytes += reference::encoded(reference::Bytes(body));
  }
  bytes[60] = static_cast<char>(records);
  reference::repair(&bytes);
  return bytes;
}

void change(Input* input, std::string* bytes) {
  // Half of the changes hit the records, where the varints are.
  const size_t from = input->flip() && bytes->size() > 61 ? 61 : 0;
  const size_t at = from + input->below(static_cast<uint32_t>(bytes->size() - from));
  switch (input->below(5)) {
    case 0:
      (*bytes)[at] = static_cast<char>(input->byte());
      break;
    case 1:
      (*bytes)[at] = static_cast<char>((*bytes)[at] ^ 1 << input->below(8));
      break;
    case 2:
      bytes->insert(at, input->bytes(1 + input->below(12)));
      break;
    case 3:
      bytes->erase(at, 1 + input->below(12));
      break;
    default:
      bytes->replace(at, std::min<size_t>(5, bytes->size() - at), reference::zigzag(input->number()));
      break;
  }
}

void checkReader(const std::string& bytes) {
  // In memory of exactly its size: what reads past it is found.
  const auto exact = std::make_unique<uint8_t[]>(bytes.size());
  if (!bytes.empty()) std::memcpy(exact.get(), bytes.data(), bytes.size());
  reference::Batch read, decoded;
  const bool readable = readByCore(exact.get(), bytes.size(), &read);
  const bool decodable = reference::Decoder(exact.get(), bytes.size()).decode(&decoded);
  FUZZ_CHECK(readable == decodable);
  if (readable) checkEqual(read, decoded);
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t count) {
  using namespace millrace::fuzz;
  Input input(data, count);
  const uint8_t way = input.byte();
  if (way < 16) {
    checkReader(input.bytes(input.left()));
    return 0;
  }
  std::string bytes;
  if (way < 32) {
    // A header over anything.
    bytes = encoded(reference::Batch{});
    bytes[60] = static_cast<char>(input.below(4));
    bytes += input.bytes(input.left());
  } else {
    bytes = makeBatch(&input);
    for (uint32_t changes = input.below(4); changes > 0 && !bytes.empty(); changes--) change(&input, &bytes);
  }
  if (!input.rarely(8)) reference::repair(&bytes);
  if (input.rarely(16)) bytes.resize(input.below(static_cast<uint32_t>(bytes.size()) + 1));
  if (input.rarely(16)) bytes += input.bytes(input.below(30));
  checkReader(bytes);
  return 0;
}
