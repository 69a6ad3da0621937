#include <lz4.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "storage/xet/internal/lz4_block.h"

namespace {

using hearth::storage::internal::Lz4Block;

// In memory of exactly that size, so that a sanitizer sees each byte too many.
struct Copy {
  std::unique_ptr<char[]> packed, out;
};

void Compare(const Lz4Block& block) {
  std::unique_ptr<char[]> out(new char[block.room]);
  int expected =
      LZ4_decompress_safe(block.packed.data(), out.get(), static_cast<int>(block.packed.size()),
                          static_cast<int>(block.room));
  if (block.produced != (expected < 0 ? -1 : expected)) abort();
  if (expected > 0 && std::memcmp(out.get(), block.out, static_cast<size_t>(expected)) != 0) {
    abort();
  }
}

}  // namespace

// Up to four blocks in one call, each 16 bits of length, 16 of room and its bytes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<Copy> copies;
  std::vector<Lz4Block> blocks;
  while (size >= 4 && blocks.size() < 4) {
    size_t bytes = std::min<size_t>(data[0] | data[1] << 8, size - 4);
    size_t room = data[2] | data[3] << 8;
    Copy copy{std::unique_ptr<char[]>(new char[bytes]), std::unique_ptr<char[]>(new char[room])};
    std::memcpy(copy.packed.get(), data + 4, bytes);
    blocks.push_back({{copy.packed.get(), bytes}, copy.out.get(), room});
    copies.push_back(std::move(copy));
    data += 4 + bytes;
    size -= 4 + bytes;
  }
  hearth::storage::internal::DecodeBlocks(blocks);
  for (const Lz4Block& block : blocks) Compare(block);
  return 0;
}
