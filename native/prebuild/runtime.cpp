// What the prebuilt addons use of the C++ library, in place of the library: they have no exceptions, no
// streams and no threads of their own. So no library has to be compiled for each target, and nobody's symbols
// can be mixed up with ours. scripts/packaging/verify.mjs refuses an addon that needs any other symbol of it.
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <vector>

// Without exceptions there is nobody to tell.
void* operator new(size_t bytes) {
  void* const memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) std::abort();
  return memory;
}

void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return std::malloc(bytes == 0 ? 1 : bytes);
}

const std::nothrow_t std::nothrow{};

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

// What libc++ calls for a length that no vector can have.
_LIBCPP_BEGIN_NAMESPACE_STD
[[noreturn]] void __libcpp_verbose_abort(const char* format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::abort();
}
_LIBCPP_END_NAMESPACE_STD
