// Contents for codecs, made from an input.
#pragma once

#include <algorithm>
#include <string>

#include "input.h"

namespace millrace::fuzz {

// Pieces of the input, repeated in part: runs, near and far matches of any length, noise.
inline std::string makeContent(Input* input, size_t most) {
  const size_t limit = input->rarely(8) ? most : input->below(4096);
  std::string content;
  while (content.size() < limit && !input->empty()) {
    const size_t room = limit - content.size();
    if (content.empty() || input->rarely(3)) {
      content += input->bytes(std::min<size_t>(room, 1 + input->below(40)));
      continue;
    }
    const size_t offset = 1 + input->below(static_cast<uint32_t>(content.size()));
    const size_t wanted = input->rarely(8) ? input->below(20000) : 1 + input->below(300);
    for (size_t left = std::min(room, wanted); left > 0; left--) {
      content.push_back(content[content.size() - offset]);
    }
  }
  return content;
}

}  // namespace millrace::fuzz
