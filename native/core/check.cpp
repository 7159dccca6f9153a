#include "check.h"

#include <cstdio>
#include <cstdlib>

namespace millrace {

void assertFailed(const char* condition, const char* message, const char* file, int line) {
  std::fprintf(stderr, "millrace: %s (%s) at %s:%d\n", message, condition, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace millrace
