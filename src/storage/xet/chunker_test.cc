#include "storage/xet/chunker.h"

#include <gtest/gtest.h>

#include <vector>

#include "storage/xet/internal/test_bytes.h"
#include "storage/xet/xet_hash.h"

namespace hearth::storage {
namespace {

using internal::SplitMixBytes;
using internal::TextRows;

std::string Repeated(const std::string& unit, size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += unit;
  out.resize(bytes);
  return out;
}

std::vector<std::string> Cut(std::string_view bytes, size_t step) {
  std::vector<std::string> chunks;
  auto keep = [&](std::string_view chunk) { chunks.emplace_back(chunk); };
  Chunker chunker;
  for (size_t at = 0; at < bytes.size(); at += step) chunker.Feed(bytes.substr(at, step), keep);
  chunker.Finish(keep);
  return chunks;
}

TEST(Chunker, CutsWhereTheStockClientCuts) {
  struct Vector {
    std::string bytes;
    size_t chunks;
    std::vector<size_t> first_lengths;  // at most 20
    const char* file_hash;
  } vectors[] = {
      {"", 0, {}, "0000000000000000000000000000000000000000000000000000000000000000"},
      {"a", 1, {1}, "49a7fffaf5f34109d4a191757f3e541e26437dcd1e0e83153454a503757856be"},
      {"Hello, World!",
       1,
       {13},
       "2028081f8fc86d0698acffb85c902a410549c3ffcc45a0b6ed666e1032d17157"},
      {SplitMixBytes(1, 8127),
       1,
       {8127},
       "2ede22382c28add5322fdfe592cde270980d8a20a576ad54df875ad612e8c378"},
      {SplitMixBytes(1, 8128),
       1,
       {8128},
       "83d96824ad30241801578f37064e296f9bd261996e2eb8e9d1ac9ed8624186bc"},
      {SplitMixBytes(1, 8191),
       1,
       {8191},
       "c9972474e2169b770d0595da498b63ce4ceb28b565bd5395121b648c0c0c8d6a"},
      {SplitMixBytes(1, 8192),
       1,
       {8192},
       "092549df2ade2842aaf826348895bc281d6ea61507857a40659ffa139d1e60ae"},
      {SplitMixBytes(1, 8193),
       1,
       {8193},
       "dae9a611062da0b461aab85e2a61d4bd646262421a028bfa0bf66de682a376aa"},
      {SplitMixBytes(1, 65536),
       2,
       {25125, 40411},
       "b48b4fbf53a789fb5a2b8aca9b820be84aa6648f3184f80b1bfc329196d11e42"},
      {SplitMixBytes(1, 131071),
       3,
       {25125, 79372, 26574},
       "fca0b970a0222c926774708547d3bfd8efaa01b1ffdb01a0f33490160a5ec47b"},
      {SplitMixBytes(1, 131072),
       3,
       {25125, 79372, 26575},
       "c192e90f65eb8a8e18dc554fcb11697f884301cb1789ea401dfffe717abca740"},
      {SplitMixBytes(1, 131073),
       3,
       {25125, 79372, 26576},
       "eebb9c2202901ba249894e16fdec34084d6c71a9608665f6b8acebf38cda57c5"},
      {std::string(300000, '\x00'),
       3,
       {131072, 131072, 37856},
       "3d7bd4178bc2851ba07d59c24c3a88ae0c7220e9920d6c5c6a06b01556d46404"},
      {std::string(1000000, '\x3b'),
       8,
       {131072, 131072, 131072, 131072, 131072, 131072, 131072, 82496},
       "53f845640fcd1c7440befff65bd93434c83a30c6559a705597d61f2ef64e2f88"},
      {std::string(400000, '\xff'),
       4,
       {131072, 131072, 131072, 6784},
       "5c8193147b0966d580d96f47bd795d4c8554ca6daadfce294623b185d3ce894c"},
      {SplitMixBytes(0, 1000000),
       19,
       {84493, 49928, 10432, 98465, 28475, 64664, 131072, 27052, 87419, 14735, 20080, 36349, 25038,
        46308, 91081, 12169, 131072, 32260, 8908},
       "3d17b2d7d64a0e011b6717a52d9a16bd2c3f05b743fa8adf52a7d75dafab6d89"},
      {SplitMixBytes(5, 5242880),
       90,
       {11836, 20250, 49270, 29209, 89282,  38100, 131072, 10221, 21499, 54946,
        18331, 39718, 25369, 45838, 131072, 97033, 18800,  31882, 28023, 20577},
       "94cd0429d36dcc3849606ca813d701e9ce88d6dd7c3bbf23418bf83ce7e8832f"},
      {TextRows(20000),
       8,
       {55229, 55191, 119651, 18756, 54435, 131072, 58341, 116215},
       "fe7cfa12a934f6f80bb5fb963182ef3430fab50b1e0e7194a158ef8521ad01ff"},
      {SplitMixBytes(100, 600000),
       7,
       {17274, 131072, 23459, 101053, 66247, 131072, 129823},
       "139394bc999cddf8740069cfd4bf5d9021e0669a5eed3c6af8c969a6a3abbce0"},
      {SplitMixBytes(102, 600000),
       10,
       {131072, 15690, 71336, 112650, 47266, 90643, 26661, 27457, 20021, 57204},
       "eb989deae988056e0534c4086408662077666e070c1406e125631b3c8b26cbc8"},
      {Repeated(SplitMixBytes(1108, 300), 100000),
       12,
       {8200, 8400, 8400, 8400, 8400, 8400, 8400, 8400, 8400, 8400, 8400, 7800},
       "aac99b614ea4814dcce036d05ea2ab9a7f555813935d8418decd10f1433fe44d"},
  };
  for (const Vector& v : vectors) {
    std::vector<std::string> chunks = Cut(v.bytes, v.bytes.size() + 1);
    ASSERT_EQ(chunks.size(), v.chunks) << v.file_hash;
    MerkleAggregator file;
    std::string joined;
    for (size_t i = 0; i < chunks.size(); ++i) {
      if (i < v.first_lengths.size()) EXPECT_EQ(chunks[i].size(), v.first_lengths[i]) << i;
      file.Add(HashChunk(chunks[i]), chunks[i].size());
      joined += chunks[i];
    }
    EXPECT_EQ(file.FinishFile().Text(), v.file_hash);
    EXPECT_TRUE(joined == v.bytes);
  }
}

TEST(Chunker, SplitOfTheInputOverCallsDoesNotMatter) {
  std::string bytes = SplitMixBytes(102, 600000);
  std::vector<std::string> whole = Cut(bytes, bytes.size());
  for (size_t step : {1, 7, 64, 4096, 8127, 8192, 65537, 131072, 200000}) {
    EXPECT_TRUE(Cut(bytes, step) == whole) << step;
  }
}

TEST(Chunker, FinishMakesItReadyForAnotherFile) {
  std::string bytes = SplitMixBytes(100, 300000);
  std::vector<std::string> chunks;
  auto keep = [&](std::string_view chunk) { chunks.emplace_back(chunk); };
  Chunker chunker;
  for (int round = 0; round < 2; ++round) {
    chunks.clear();
    chunker.Feed(bytes, keep);
    chunker.Finish(keep);
    EXPECT_TRUE(chunks == Cut(bytes, bytes.size())) << round;
  }
}

}  // namespace
}  // namespace hearth::storage
