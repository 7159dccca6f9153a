// CRC-32C (Castagnoli), reflected polynomial 0x82f63b78, picked for the processor once at load.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace {

// Continues from `crc`, the value of an earlier call (0 to begin).
uint32_t crc32c(uint32_t crc, const uint8_t* data, size_t count);

// Works on the raw register (not inverted at begin and end).
using Crc32cUpdate = uint32_t (*)(uint32_t state, const uint8_t* data, size_t count);

struct Crc32cImplementation {
  const char* name;  // "avx512", "sse4.2", "armv8" or "table"
  Crc32cUpdate update;
};

// Each answers {name, nullptr} where the processor or the compiler's target does not have it.
Crc32cImplementation crc32cAvx512();
Crc32cImplementation crc32cSse42();
Crc32cImplementation crc32cArmv8();
Crc32cImplementation crc32cTable();

const Crc32cImplementation& crc32cPicked();

}  // namespace millrace
