#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "storage/xet/internal/xorb_footer.h"

namespace {

using hearth::storage::XetHash;
using hearth::storage::XorbIndex;
using hearth::storage::internal::ParseXorbFooter;
using hearth::storage::internal::XorbFooterBytes;

// Takes `bytes` bytes off the front as a little-endian number; zeros follow the end.
uint32_t Take(std::string_view& input, size_t bytes) {
  uint32_t value = 0;
  input.copy(reinterpret_cast<char*>(&value), bytes);
  input.remove_prefix(std::min(bytes, input.size()));
  return value;
}

// A footer with lengths from the input and the right hash, then changed in a few places: what
// random bytes alone would hardly ever be.
std::string MakeFooter(std::string_view input) {
  XorbIndex index;
  hearth::storage::MerkleAggregator merkle;
  size_t count = 1 + Take(input, 1) % 16;
  uint32_t record_end = 0;
  for (size_t i = 0; i < count; ++i) {
    record_end += Take(input, 3);
    uint32_t unpacked_bytes = Take(input, 3);
    XetHash hash = hearth::storage::HashChunk(std::string(1, static_cast<char>(i)));
    index.chunks.push_back({hash, record_end, unpacked_bytes});
    merkle.Add(hash, unpacked_bytes);
  }
  index.hash = merkle.FinishXorb();
  std::string footer = hearth::storage::WriteXorbFooter(index, Take(input, 4));
  while (!input.empty()) {
    size_t at = Take(input, 2) % footer.size();
    footer[at] = static_cast<char>(footer[at] ^ Take(input, 1));
  }
  return footer;
}

// The records' length is taken from the footer itself, so that the checks behind that one are
// reached. What is accepted is the footer that would be written for it: only the nonce and the
// reserved bytes are free.
void Check(std::string_view footer) {
  uint32_t body_bytes = 0;
  if (footer.size() >= XorbFooterBytes(1)) {
    size_t count = (footer.size() - XorbFooterBytes(0)) / 40;
    footer.copy(reinterpret_cast<char*>(&body_bytes), 4, footer.size() - 36 - 4 * count);
  }
  XorbIndex index;
  try {
    index = ParseXorbFooter(footer, body_bytes, "fuzz");
  } catch (const hearth::Error&) {
    return;
  }
  std::string again = hearth::storage::WriteXorbFooter(index, 0);
  size_t compared = footer.size() - 20;
  if (again.size() != footer.size() || again.substr(0, compared) != footer.substr(0, compared)) {
    abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Check(input);
  Check(MakeFooter(input));
  return 0;
}
