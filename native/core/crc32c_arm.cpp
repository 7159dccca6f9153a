#include "bytes.h"
#include "crc32c.h"
#include "crc32c_polynomial.h"

#if defined(__aarch64__) && (defined(__GNUC__) || defined(__clang__))

#include <arm_acle.h>
#if defined(__linux__)
#include <sys/auxv.h>
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif
#endif

#if defined(__clang__)
#define MILLRACE_TARGET_CRC __attribute__((target("crc")))
#else
#define MILLRACE_TARGET_CRC __attribute__((target("+crc")))
#endif

namespace millrace {
namespace {

bool processorHasCrc() {
#if defined(__APPLE__)
  return true;
#elif defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#else
  return false;
#endif
}

constexpr size_t kStreamBytes = 2048;

// table[k][b]: what byte k of a register contributes after kStreamBytes zero bytes.
struct SkipTables {
  uint32_t table[4][256];
};

constexpr SkipTables makeSkipTables() {
  SkipTables tables{};
  const uint32_t factor = powerOfX(kStreamBytes * 8);
  for (uint32_t k = 0; k < 4; k++) {
    for (uint32_t byte = 0; byte < 256; byte++) {
      tables.table[k][byte] = multiplyPolynomials(byte << (8 * k), factor);
    }
  }
  return tables;
}

constexpr SkipTables kSkip = makeSkipTables();

inline uint32_t skipStream(uint32_t state) {
  return kSkip.table[0][state & 0xff] ^ kSkip.table[1][state >> 8 & 0xff] ^
         kSkip.table[2][state >> 16 & 0xff] ^ kSkip.table[3][state >> 24];
}

// Three streams, for the reason given in crc32c_x86.cpp.
MILLRACE_TARGET_CRC uint32_t updateArmv8(uint32_t state, const uint8_t* data, size_t count) {
  for (; count >= 3 * kStreamBytes; count -= 3 * kStreamBytes, data += 3 * kStreamBytes) {
    uint32_t second = 0, third = 0;
    for (size_t i = 0; i < kStreamBytes; i += 8) {
      state = __crc32cd(state, loadLittle64(data + i));
      second = __crc32cd(second, loadLittle64(data + kStreamBytes + i));
      third = __crc32cd(third, loadLittle64(data + 2 * kStreamBytes + i));
    }
    state = skipStream(skipStream(state) ^ second) ^ third;
  }
  for (; count >= 8; count -= 8, data += 8) state = __crc32cd(state, loadLittle64(data));
  for (; count > 0; count--, data++) state = __crc32cb(state, *data);
  return state;
}

}  // namespace

Crc32cImplementation crc32cArmv8() {
  return {"armv8", processorHasCrc() ? updateArmv8 : nullptr};
}

}  // namespace millrace

#else

namespace millrace {

Crc32cImplementation crc32cArmv8() {
  return {"armv8", nullptr};
}

}  // namespace millrace

#endif
