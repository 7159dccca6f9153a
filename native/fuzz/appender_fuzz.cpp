// The appender under any sequence of calls, against a model that knows every record of every batch: where
// records go, when batches are full, what memory is left, and that no byte changes until it is given back.
#include <cstring>

#include "model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t count) {
  using namespace millrace::fuzz;
  Input input(data, count);
  AppenderModel model(&input);
  while (!input.empty()) model.step();
  model.finish();
  return 0;
}
