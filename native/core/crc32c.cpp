#include "crc32c.h"

#include "bytes.h"
#include "crc32c_polynomial.h"

namespace millrace {
namespace {

// Slicing by 8: table[k][b] is the register after byte b followed by k zero bytes.
struct SlicingTables {
  uint32_t table[8][256];
};

constexpr SlicingTables makeSlicingTables() {
  SlicingTables tables{};
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t state = byte;
    for (int bit = 0; bit < 8; bit++) state = timesX(state);
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

constexpr SlicingTables kSlicing = makeSlicingTables();

uint32_t updateTable(uint32_t state, const uint8_t* data, size_t count) {
  const auto& table = kSlicing.table;
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

Crc32cImplementation pick() {
  if (crc32cAvx512().update != nullptr) return crc32cAvx512();
  if (crc32cSse42().update != nullptr) return crc32cSse42();
  if (crc32cArmv8().update != nullptr) return crc32cArmv8();
  return crc32cTable();
}

}  // namespace

Crc32cImplementation crc32cTable() {
  return {"table", updateTable};
}

// When the library is loaded: a static of the function would be guarded at every call.
static const Crc32cImplementation kPicked = pick();

const Crc32cImplementation& crc32cPicked() {
  return kPicked;
}

uint32_t crc32c(uint32_t crc, const uint8_t* data, size_t count) {
  return ~crc32cPicked().update(~crc, data, count);
}

}  // namespace millrace
