// CRC-32 of any reflected polynomial, eight bytes at a time through tables.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bytes.h"

namespace millrace {

// Slicing by 8: table[k][b] is the register after byte b followed by k zero bytes.
struct CrcSlicingTables {
  uint32_t table[8][256];
};

constexpr CrcSlicingTables makeCrcSlicingTables(uint32_t polynomial) {
  CrcSlicingTables tables{};
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t state = byte;
    for (int bit = 0; bit < 8; bit++) state = state >> 1 ^ ((state & 1) != 0 ? polynomial : 0U);
    tables.table[0][byte] = state;
  }
  for (uint32_t byte = 0; byte < 256; byte++) {
    for (int k = 1; k < 8; k++) {
      const uint32_t before = tables.table[k - 1][byte];
      tables.table[k][byte] = before >> 8 ^ tables.table[0][before & 0xff];
    }
  }
  return tables;
}

// Works on the raw register.
inline uint32_t crcOfSlices(const CrcSlicingTables& slicing, uint32_t state, const uint8_t* data,
                            size_t count) {
  const auto& table = slicing.table;
  for (; count >= 8; count -= 8, data += 8) {
    const uint32_t low = loadLittle32(data) ^ state;
    const uint32_t high = loadLittle32(data + 4);
    state = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^
            table[4][low >> 24] ^ table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^
            table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
  }
  for (; count > 0; count--, data++) state = state >> 8 ^ table[0][(state ^ *data) & 0xff];
  return state;
}

}  // namespace millrace
