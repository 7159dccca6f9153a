// Two grades of assert: MILLRACE_ASSERT guards state and ownership and is always on; MILLRACE_DEBUG_ASSERT
// guards bytes on the hot path and exists in builds with MILLRACE_DEBUG_CHECKS only (tests, sanitizers).
#pragma once

#if defined(__GNUC__) || defined(__clang__)
#define MILLRACE_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define MILLRACE_INLINE inline __attribute__((always_inline))
#else
#define MILLRACE_LIKELY(condition) (!!(condition))
#define MILLRACE_INLINE inline
#endif
#define MILLRACE_UNLIKELY(condition) (!MILLRACE_LIKELY(!(condition)))

namespace millrace {

// Prints the broken condition to stderr and aborts: going on would send wrong bytes to somebody.
[[noreturn]] void assertFailed(const char* condition, const char* message, const char* file, int line);

}  // namespace millrace

#define MILLRACE_ASSERT(condition, message)          \
  (MILLRACE_LIKELY(condition) ? static_cast<void>(0) \
                              : ::millrace::assertFailed(#condition, message, __FILE__, __LINE__))

#if defined(MILLRACE_DEBUG_CHECKS)
#define MILLRACE_DEBUG_ASSERT(condition, message) MILLRACE_ASSERT(condition, message)
#else
#define MILLRACE_DEBUG_ASSERT(condition, message) static_cast<void>(0)
#endif
