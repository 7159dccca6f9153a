#include "bytes.h"
#include "crc32c.h"
#include "crc32c_polynomial.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <nmmintrin.h>
#include <wmmintrin.h>

#if defined(_MSC_VER)
#include <intrin.h>
#define MILLRACE_TARGET_SSE42
#else
#include <cpuid.h>
#if defined(__clang__) && __clang_major__ >= 14
// SSE4.2 alone does not bring the instruction back where the command line has switched it off, as zig's does.
#define MILLRACE_TARGET_SSE42 __attribute__((target("sse4.2,crc32,pclmul")))
#else
#define MILLRACE_TARGET_SSE42 __attribute__((target("sse4.2,pclmul")))
#endif
#endif

namespace millrace {
namespace {

bool processorHasSse42AndPclmul() {
  constexpr unsigned sse42 = 1U << 20;
  constexpr unsigned pclmul = 1U << 1;
#if defined(_MSC_VER)
  int registers[4] = {};
  __cpuid(registers, 1);
  const unsigned features = static_cast<unsigned>(registers[2]);
#else
  unsigned a = 0, b = 0, features = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &features, &d) == 0) return false;
#endif
  return (features & sse42) != 0 && (features & pclmul) != 0;
}

inline uint64_t load64(const uint8_t* from) {
  uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// The register after `zeroBytes` more zero bytes. A carry-less product of two reflected registers stands for
// A·B·x and the crc32 instruction multiplies by x^32 and reduces, hence the 33 taken off the exponent.
template <uint64_t zeroBytes>
MILLRACE_TARGET_SSE42 inline uint32_t skipZeroBytes(uint32_t state) {
  constexpr uint32_t factor = powerOfX(zeroBytes * 8 - 33);
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi32_si128(static_cast<int>(state)),
                                               _mm_cvtsi32_si128(static_cast<int>(factor)), 0);
  return static_cast<uint32_t>(_mm_crc32_u64(0, static_cast<uint64_t>(_mm_cvtsi128_si64(product))));
}

// The instruction takes a new operand every cycle but answers after three: three streams keep it busy.
template <size_t streamBytes>
MILLRACE_TARGET_SSE42 inline uint32_t updateThreeStreams(uint32_t state, const uint8_t* data) {
  uint64_t first = state, second = 0, third = 0;
  for (size_t i = 0; i < streamBytes; i += 8) {
    first = _mm_crc32_u64(first, load64(data + i));
    second = _mm_crc32_u64(second, load64(data + streamBytes + i));
    third = _mm_crc32_u64(third, load64(data + 2 * streamBytes + i));
  }
  return skipZeroBytes<2 * streamBytes>(static_cast<uint32_t>(first)) ^
         skipZeroBytes<streamBytes>(static_cast<uint32_t>(second)) ^ static_cast<uint32_t>(third);
}

MILLRACE_TARGET_SSE42 uint32_t updateSse42(uint32_t state, const uint8_t* data, size_t count) {
  constexpr size_t longStream = 1360;
  constexpr size_t shortStream = 128;
  for (; count >= 3 * longStream; count -= 3 * longStream, data += 3 * longStream) {
    state = updateThreeStreams<longStream>(state, data);
  }
  for (; count >= 3 * shortStream; count -= 3 * shortStream, data += 3 * shortStream) {
    state = updateThreeStreams<shortStream>(state, data);
  }
  uint64_t wide = state;
  for (; count >= 8; count -= 8, data += 8) wide = _mm_crc32_u64(wide, load64(data));
  state = static_cast<uint32_t>(wide);
  for (; count > 0; count--, data++) state = _mm_crc32_u8(state, *data);
  return state;
}

}  // namespace

Crc32cImplementation crc32cSse42() {
  return {"sse4.2", processorHasSse42AndPclmul() ? updateSse42 : nullptr};
}

}  // namespace millrace

#else

namespace millrace {

Crc32cImplementation crc32cSse42() {
  return {"sse4.2", nullptr};
}

}  // namespace millrace

#endif
