// Runs a fuzz target without libFuzzer: replays files, then makes inputs of its own.
//
//   millrace_fuzz_NAME [--seed N] [--executions N | --seconds N] [--first N] [FILE …]
//
// Input n follows from seed and n alone, so a finding is repeated by --seed S --first N --executions 1.
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "input.h"

// Findings of the sanitizers end in abort(), where the handler below tells which input it was.
extern "C" const char* __asan_default_options();
extern "C" const char* __ubsan_default_options();
extern "C" const char* __asan_default_options() {
  return "abort_on_error=1:detect_stack_use_after_return=1";
}
extern "C" const char* __ubsan_default_options() {
  return "abort_on_error=1:print_stacktrace=1";
}

namespace {

constexpr size_t kInputBytesMax = 4096;

struct Options {
  uint64_t seed = 1;
  uint64_t first = 0;
  uint64_t executions = 0;  // 0: by time
  uint64_t seconds = 10;
  std::vector<const char*> files;
};

const char* currentFile = nullptr;
uint64_t currentSeed = 0;
uint64_t currentInput = 0;

void onAbort(int) {
  if (currentFile != nullptr) {
    std::fprintf(stderr, "while replaying %s\n", currentFile);
  } else {
    std::fprintf(stderr, "repeat with: --seed %llu --first %llu --executions 1\n",
                 static_cast<unsigned long long>(currentSeed), static_cast<unsigned long long>(currentInput));
  }
}

class Random {
 public:
  Random(uint64_t seed, uint64_t input) : state_(mixed(mixed(seed + 1) ^ input)) {}

  uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  size_t below(size_t limit) { return static_cast<size_t>(next() % limit); }

 private:
  // Neighbouring numbers become unlike each other; never 0, where xorshift would stay.
  static uint64_t mixed(uint64_t value) {
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9U;
    value = (value ^ value >> 27) * 0x94d049bb133111ebU;
    return value ^ value >> 31 ? value ^ value >> 31 : 1;
  }

  uint64_t state_;
};

// Mostly short; bytes of one of several tempers, as a decision by uniform bytes leaves much untried.
size_t makeInput(Random* random, uint8_t* to) {
  static const size_t limits[] = {24, 64, 64, 160, 160, 400, 1000, kInputBytesMax};
  static const uint8_t edges[] = {0, 1, 2, 0x7f, 0x80, 0x81, 0xfe, 0xff};
  const size_t limit = limits[random->below(100) < 97 ? random->below(7) : 7];
  const size_t count = 1 + random->below(limit);
  for (size_t i = 0; i < count; i += 8) {
    const uint64_t word = random->next();
    std::memcpy(to + i, &word, 8);
  }
  const size_t temper = random->below(8);
  if (temper < 4) return count;
  for (size_t i = 0; i < count; i++) {
    if (temper == 4) to[i] &= 0x0f;
    if (temper == 5) to[i] &= 0x3f;
    if (temper == 6 && (to[i] & 3) != 0) to[i] = edges[to[i] >> 5];
    if (temper == 7 && (to[i] & 1) != 0 && i > 0) to[i] = to[i - 1];
  }
  return count;
}

void replay(const char* file) {
  std::ifstream stream(file, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream.good() && !stream.eof()) {
    std::fprintf(stderr, "%s cannot be read\n", file);
    std::exit(2);
  }
  currentFile = file;
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  currentFile = nullptr;
}

uint64_t numberOf(const char* text) {
  char* end = nullptr;
  const uint64_t value = std::strtoull(text, &end, 10);
  if (end != text && *end == '\0') return value;
  std::fprintf(stderr, "%s is no number\n", text);
  std::exit(2);
}

Options readOptions(int count, char** words) {
  Options options;
  for (int i = 1; i < count; i++) {
    uint64_t* number = nullptr;
    if (std::strcmp(words[i], "--seed") == 0) number = &options.seed;
    if (std::strcmp(words[i], "--first") == 0) number = &options.first;
    if (std::strcmp(words[i], "--executions") == 0) number = &options.executions;
    if (std::strcmp(words[i], "--seconds") == 0) number = &options.seconds;
    if (number == nullptr) {
      options.files.push_back(words[i]);
    } else if (++i < count) {
      *number = numberOf(words[i]);
    } else {
      std::fprintf(stderr, "%s needs a number\n", words[i - 1]);
      std::exit(2);
    }
  }
  return options;
}

}  // namespace

int main(int count, char** words) {
  using Clock = std::chrono::steady_clock;
  const Options options = readOptions(count, words);
  std::signal(SIGABRT, onAbort);
  for (const char* file : options.files) replay(file);

  currentSeed = options.seed;
  const auto start = Clock::now();
  const auto end = start + std::chrono::seconds(options.seconds);
  uint8_t scratch[kInputBytesMax + 8];
  uint64_t done = 0;
  for (; options.executions != 0 ? done < options.executions : (done % 64 != 0 || Clock::now() < end);
       done++) {
    currentInput = options.first + done;
    Random random(options.seed, currentInput);
    const size_t bytes = makeInput(&random, scratch);
    // Of exactly its size, so that a target that reads past its input is found, too.
    const std::vector<uint8_t> input(scratch, scratch + bytes);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::printf("%llu executions in %.1f s, %zu files, seed %llu, 0 findings\n",
              static_cast<unsigned long long>(done), seconds, options.files.size(),
              static_cast<unsigned long long>(options.seed));
  return 0;
}
