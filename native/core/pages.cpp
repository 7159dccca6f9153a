#include "pages.h"

#if defined(__linux__) || defined(__APPLE__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace millrace {

#if defined(__linux__) || defined(__APPLE__)
namespace {

#if defined(__APPLE__)
// There MADV_DONTNEED is only a hint. The pages of this one are taken when the system is short of them.
constexpr int kAdvice = MADV_FREE;
#else
constexpr int kAdvice = MADV_DONTNEED;
#endif

}  // namespace

void giveBackPages(uint8_t* memory, size_t bytes) {
  const long answer = sysconf(_SC_PAGESIZE);
  if (answer <= 0) return;
  const auto pageBytes = static_cast<uintptr_t>(answer);
  const auto start = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t first = (start + pageBytes - 1) / pageBytes * pageBytes;
  const uintptr_t end = (start + bytes) / pageBytes * pageBytes;
  // Where it is refused the pages stay, which is only a pity.
  if (first < end) static_cast<void>(madvise(reinterpret_cast<void*>(first), end - first, kAdvice));
}
#else
void giveBackPages(uint8_t*, size_t) {}
#endif

}  // namespace millrace
