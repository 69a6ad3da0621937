#include "storage/xet/internal/paired_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "storage/xet/internal/test_bytes.h"

namespace hearth::storage {
namespace {

using internal::SplitMixBytes;

constexpr Blake3Key kKey = {9, 8, 7, 6, 5, 4, 3, 2, 1};

// Of whole blocks, as OpenSSL computes them.
std::array<uint32_t, 8> WordsAfter(std::string_view blocks) {
  Sha256Hasher hasher;
  hasher.Update(blocks);
  std::array<uint32_t, 8> words;
  std::copy_n(hasher.ChainingWords(), 8, words.begin());
  return words;
}

// Nothing to see where the machine lacks the instructions: there the two are computed one after the
// other.
TEST(PairedHash, BothDigestsAreThoseOfTheLibraries) {
  const std::string bytes = SplitMixBytes(3, internal::kPairedMaxBytes + 128);
  std::string_view all = bytes;
  // Around every leaf of 1 KiB, and around the blocks of some.
  std::vector<size_t> lengths;
  for (size_t leaf = 2; leaf <= 128; ++leaf) {
    for (size_t more : {0, 1, 63, 64, 65, 511, 960, 1023}) lengths.push_back(leaf * 1024 + more);
  }
  if (!internal::HasPairedHash()) lengths.clear();
  for (size_t length : lengths) {
    if (length < internal::kPairedMinBytes || length > internal::kPairedMaxBytes) continue;
    size_t most = length / 64;
    for (size_t blocks : {size_t{0}, size_t{1}, size_t{9}, most / 2, most}) {
      std::string_view sha_bytes = all.substr(length % 64, 64 * blocks);
      std::array<uint32_t, 8> words = WordsAfter("");
      XetHash hash;
      size_t taken = internal::PairedHash(kKey, all.substr(length % 7, length),
                                          {words.data(), sha_bytes.data(), blocks}, &hash);
      ASSERT_LE(taken, blocks);
      ASSERT_EQ(hash, Blake3Keyed(kKey, all.substr(length % 7, length))) << length;
      ASSERT_EQ(words, WordsAfter(sha_bytes.substr(0, 64 * taken))) << length << " " << blocks;
    }
  }
}

// What the network and the files give: chunks of all lengths behind each other.
TEST(HashChunkTest, TheSha256OfAllChunksIsThatOfTheContent) {
  std::string bytes = SplitMixBytes(4, 3 << 20);
  std::vector<size_t> cuts = {1, 2, 63, 64, 65, 1000, 1024, 1025, 2048, 2049, 2050, 8192, 131072};
  for (size_t step = 1; step <= 67; step += 3) cuts.push_back(8192 + 977 * step);
  Sha256Hasher hasher;
  std::string_view rest = bytes;
  for (size_t i = 0; !rest.empty(); ++i) {
    std::string_view chunk = rest.substr(0, cuts[i * 7 % cuts.size()]);
    EXPECT_EQ(HashChunk(chunk, hasher), HashChunk(chunk)) << chunk.size();
    rest.remove_prefix(chunk.size());
  }
  EXPECT_EQ(hasher.Finish(), Sha256Of(bytes));
}

TEST(HashChunkTest, ItBeginsAnywhereInABlock) {
  std::string bytes = SplitMixBytes(5, 70000);
  for (size_t lead = 0; lead < 130; ++lead) {
    Sha256Hasher hasher;
    hasher.Update(std::string_view(bytes).substr(0, lead));
    std::string_view chunk = std::string_view(bytes).substr(lead, 40000 + 17 * lead);
    EXPECT_EQ(HashChunk(chunk, hasher), HashChunk(chunk));
    EXPECT_EQ(hasher.Finish(), Sha256Of(std::string_view(bytes).substr(0, lead + chunk.size())));
  }
}

}  // namespace
}  // namespace hearth::storage
