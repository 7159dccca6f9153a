// Memory that holds nothing goes back to the system without being freed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace {

// Gives back the pages that lie wholly within the memory: they cost nothing until they are touched again,
// and what they held is gone. Memory of the heap or of an ArrayBuffer, not of a file. Does nothing on a
// system that has no call for it.
void giveBackPages(uint8_t* memory, size_t bytes);

}  // namespace millrace
