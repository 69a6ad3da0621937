#include "net/internal/source_pull.h"

#include <algorithm>
#include <exception>

namespace hearth::net {

void SourcePull::Fill() {
  chunk.clear();
  try {
    if (!next_) next_ = open_(start_, end_);
    bool more = true;
    while (more && chunk.empty()) more = next_(&chunk);
    if (chunk.size() > left_) failure_ = "the content is longer than was promised";
    left_ -= std::min<uint64_t>(left_, chunk.size());
    if (!more && left_ > 0)
      failure_ = "the content ended " + std::to_string(left_) + " bytes early";
  } catch (const std::exception& error) {
    failure_ = error.what();
  }
}

}  // namespace hearth::net
