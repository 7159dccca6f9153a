#include "bytes.h"
#include "crc32c.h"
#include "crc32c_polynomial.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

#if defined(_MSC_VER)
#include <intrin.h>
#define MILLRACE_TARGET_SSE42
#define MILLRACE_TARGET_AVX512
#else
#include <cpuid.h>
#if defined(__clang__) && __clang_major__ >= 14
// SSE4.2 alone does not bring the instruction back where the command line has switched it off, as zig's does.
#define MILLRACE_TARGET_SSE42 __attribute__((target("sse4.2,crc32,pclmul")))
#define MILLRACE_TARGET_AVX512 __attribute__((target("sse4.2,crc32,avx512f,vpclmulqdq")))
#else
#define MILLRACE_TARGET_SSE42 __attribute__((target("sse4.2,pclmul")))
#define MILLRACE_TARGET_AVX512 __attribute__((target("sse4.2,avx512f,vpclmulqdq")))
#endif
#endif

namespace millrace {
namespace {

struct Features {
  unsigned ebx;
  unsigned ecx;

  bool haveEcx(unsigned bits) const { return (ecx & bits) == bits; }
  bool haveEbx(unsigned bits) const { return (ebx & bits) == bits; }
};

// Nothing where the processor does not have the leaf.
Features featuresOf(unsigned leaf) {
#if defined(_MSC_VER)
  int registers[4] = {};
  __cpuid(registers, 0);
  if (static_cast<unsigned>(registers[0]) < leaf) return {0, 0};
  __cpuidex(registers, static_cast<int>(leaf), 0);
  return {static_cast<unsigned>(registers[1]), static_cast<unsigned>(registers[2])};
#else
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(leaf, 0, &eax, &ebx, &ecx, &edx) == 0) return {0, 0};
  return {ebx, ecx};
#endif
}

// Which registers the system saves when it switches threads. Needs OSXSAVE.
uint64_t savedRegisters() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
#endif
}

bool processorHasSse42AndPclmul() {
  constexpr unsigned sse42 = 1U << 20;
  constexpr unsigned pclmul = 1U << 1;
  return featuresOf(1).haveEcx(sse42 | pclmul);
}

bool processorHasAvx512AndVpclmulqdq() {
  constexpr unsigned osxsave = 1U << 27;
  constexpr unsigned avx512f = 1U << 16;
  constexpr unsigned vpclmulqdq = 1U << 10;
  // SSE, AVX, and of AVX-512 the masks and both halves of the registers.
  constexpr uint64_t saved = 0xe6;
  if (!processorHasSse42AndPclmul() || !featuresOf(1).haveEcx(osxsave)) return false;
  const Features extended = featuresOf(7);
  return extended.haveEbx(avx512f) && extended.haveEcx(vpclmulqdq) && (savedRegisters() & saved) == saved;
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

// The last bytes, fewer than a stream is worth.
MILLRACE_TARGET_SSE42 inline uint32_t updateRest(uint32_t state, const uint8_t* data, size_t count) {
  uint64_t wide = state;
  for (; count >= 8; count -= 8, data += 8) wide = _mm_crc32_u64(wide, load64(data));
  state = static_cast<uint32_t>(wide);
  for (; count > 0; count--, data++) state = _mm_crc32_u8(state, *data);
  return state;
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
  return updateRest(state, data, count);
}

// What the two halves of 16 bytes are to be multiplied by to have them `bits` further on. A product of
// reflected operands stands for A·B·x, and a factor in the lower half of its word for itself times x^32,
// hence the 33; the half that comes first is 64 bits further away.
template <uint64_t bits>
struct Factors {
  static constexpr long long first = powerOfX(bits + 64 - 33);
  static constexpr long long second = powerOfX(bits - 33);
};

template <uint64_t bits>
MILLRACE_TARGET_AVX512 inline __m512i factorsFor() {
  using F = Factors<bits>;
  return _mm512_set_epi64(F::second, F::first, F::second, F::first, F::second, F::first, F::second, F::first);
}

// Each 16 bytes of `folded` as far on as the factors say, added to those of `to`.
MILLRACE_TARGET_AVX512 inline __m512i fold(__m512i folded, __m512i factors, __m512i to) {
  constexpr int sumOfThree = 0x96;
  const __m512i first = _mm512_clmulepi64_epi128(folded, factors, 0x00);
  const __m512i second = _mm512_clmulepi64_epi128(folded, factors, 0x11);
  return _mm512_ternarylogic_epi64(first, second, to, sumOfThree);
}

// The register of 64 bytes: the first three quarters are added to the last one.
MILLRACE_TARGET_AVX512 inline uint32_t registerOf(__m512i quarters) {
  const __m512i factors =
      _mm512_set_epi64(0, 0, Factors<128>::second, Factors<128>::first, Factors<256>::second,
                       Factors<256>::first, Factors<384>::second, Factors<384>::first);
  uint64_t own[8], folded[8];
  _mm512_storeu_si512(own, quarters);
  _mm512_storeu_si512(folded, fold(quarters, factors, _mm512_setzero_si512()));
  const uint64_t first = _mm_crc32_u64(0, folded[0] ^ folded[2] ^ folded[4] ^ own[6]);
  return static_cast<uint32_t>(_mm_crc32_u64(first, folded[1] ^ folded[3] ^ folded[5] ^ own[7]));
}

// Folding by carry-less multiplication, as in Gopal et al., "Fast CRC Computation for Generic Polynomials
// Using PCLMULQDQ Instruction" (2009): bytes are added, multiplied by a power of x, to bytes that come later,
// until the register of the few that are left is that of all.
MILLRACE_TARGET_AVX512 uint32_t updateAvx512(uint32_t state, const uint8_t* data, size_t count) {
  constexpr size_t width = 64;
  constexpr size_t stride = 4 * width;
  if (count < stride) return updateSse42(state, data, count);
  __m512i parts[4];
  for (size_t i = 0; i < 4; i++) parts[i] = _mm512_loadu_si512(data + i * width);
  parts[0] = _mm512_xor_si512(parts[0], _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(state))));
  data += stride;
  count -= stride;
  const __m512i byStride = factorsFor<8 * stride>();
  for (; count >= stride; count -= stride, data += stride) {
    for (size_t i = 0; i < 4; i++) parts[i] = fold(parts[i], byStride, _mm512_loadu_si512(data + i * width));
  }
  const __m512i byWidth = factorsFor<8 * width>();
  __m512i sum = parts[0];
  for (size_t i = 1; i < 4; i++) sum = fold(sum, byWidth, parts[i]);
  for (; count >= width; count -= width, data += width) sum = fold(sum, byWidth, _mm512_loadu_si512(data));
  state = registerOf(sum);
  // Where the upper halves are left in use, every SSE instruction from here on waits for them.
  _mm256_zeroupper();
  return updateRest(state, data, count);
}

}  // namespace

Crc32cImplementation crc32cSse42() {
  return {"sse4.2", processorHasSse42AndPclmul() ? updateSse42 : nullptr};
}

Crc32cImplementation crc32cAvx512() {
  return {"avx512", processorHasAvx512AndVpclmulqdq() ? updateAvx512 : nullptr};
}

}  // namespace millrace

#else

namespace millrace {

Crc32cImplementation crc32cSse42() {
  return {"sse4.2", nullptr};
}

Crc32cImplementation crc32cAvx512() {
  return {"avx512", nullptr};
}

}  // namespace millrace

#endif
