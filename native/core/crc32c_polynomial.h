// Arithmetic of CRC-32C registers at compile time: polynomials over GF(2) modulo P, bit 31 being x^0
// (reflected).
#pragma once

#include <cstdint>

namespace millrace {

constexpr uint32_t kCrc32cPolynomial = 0x82f63b78;

constexpr uint32_t timesX(uint32_t a) {
  return a >> 1 ^ ((a & 1) != 0 ? kCrc32cPolynomial : 0U);
}

constexpr uint32_t multiplyPolynomials(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 0x80000000U; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = timesX(b);
  }
  return product;
}

// x^exponent modulo P.
constexpr uint32_t powerOfX(uint64_t exponent) {
  uint32_t result = 0x80000000U;
  uint32_t square = 0x40000000U;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = multiplyPolynomials(result, square);
    square = multiplyPolynomials(square, square);
  }
  return result;
}

}  // namespace millrace
