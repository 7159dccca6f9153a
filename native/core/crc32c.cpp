#include "crc32c.h"

#include "crc32c_polynomial.h"
#include "crc_slicing.h"

namespace millrace {
namespace {

constexpr CrcSlicingTables kSlicing = makeCrcSlicingTables(kCrc32cPolynomial);

uint32_t updateTable(uint32_t state, const uint8_t* data, size_t count) {
  return crcOfSlices(kSlicing, state, data, count);
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
