// A file of any size made of a few xorbs: what a hub must store is small, what it must register and
// rebuild is not. Writes xorb bodies and a shard whose one file names them again and again.
// Usage: xet_giant FOLDER BYTES CHUNKS_PER_TERM [sha256]; prints a JSON object. Without `sha256`
// the shard carries none (as uploads to buckets do), and nobody has to read the whole file.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "storage/xet/shard.h"
#include "storage/xet/xet_hash.h"
#include "storage/xet/xorb.h"

namespace {

using namespace hearth;  // NOLINT: a tool of one file
using storage::XetHash;

constexpr size_t kXorbs = 4;
constexpr size_t kChunkBytes = 64 << 10;  // the usual size
constexpr uint32_t kChunks = storage::kXorbMaxUnpackedBytes / kChunkBytes;

struct Xorb {
  storage::XorbIndex index;
  std::string content;
};

void WriteFile(const std::string& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

std::string RandomBytes(uint64_t state, size_t bytes) {  // SplitMix64
  std::string out(bytes, '\0');
  for (size_t at = 0; at < bytes; at += 8) {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    std::memcpy(out.data() + at, &z, 8);
  }
  return out;
}

Xorb MakeXorb(uint64_t seed, const std::string& folder) {
  Xorb xorb;
  xorb.content = RandomBytes(seed, storage::kXorbMaxUnpackedBytes);
  storage::XorbBuilder builder;
  for (size_t at = 0; at < xorb.content.size(); at += kChunkBytes) {
    std::string_view chunk = std::string_view(xorb.content).substr(at, kChunkBytes);
    builder.Add(storage::HashChunk(chunk), chunk);
  }
  storage::XorbBuilder::Built built = builder.Finish();
  WriteFile(folder + "/" + built.index.hash.Text(), built.body);
  xorb.index = std::move(built.index);
  return xorb;
}

storage::ShardTerm MakeTerm(const storage::XorbIndex& index, uint32_t start, uint32_t end) {
  std::vector<XetHash> hashes;
  for (uint32_t i = start; i < end; ++i) hashes.push_back(index.chunks[i].hash);
  return {index.hash, static_cast<uint32_t>((end - start) * kChunkBytes), start, end,
          storage::HashVerification(hashes)};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) return 2;
  std::string folder = argv[1];
  uint64_t chunks_left = std::strtoull(argv[2], nullptr, 10) / kChunkBytes;
  uint32_t per_term = static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10));
  if (per_term == 0 || per_term > kChunks) return 2;
  std::vector<Xorb> xorbs;
  for (size_t i = 0; i < kXorbs; ++i) xorbs.push_back(MakeXorb(i + 1, folder));

  storage::ShardFile file;
  file.has_verification = true;
  storage::MerkleAggregator merkle;
  Sha256Hasher hasher;
  uint64_t bytes = 0;
  for (size_t number = 0; chunks_left > 0; ++number) {
    const Xorb& xorb = xorbs[number % kXorbs];
    uint32_t start = static_cast<uint32_t>(number / kXorbs * per_term % (kChunks - per_term + 1));
    uint32_t count = static_cast<uint32_t>(std::min<uint64_t>(per_term, chunks_left));
    file.terms.push_back(MakeTerm(xorb.index, start, start + count));
    for (uint32_t i = start; i < start + count; ++i) {
      merkle.Add(xorb.index.chunks[i].hash, kChunkBytes);
    }
    if (argc == 5) {
      hasher.Update(
          std::string_view(xorb.content).substr(start * kChunkBytes, count * kChunkBytes));
    }
    bytes += count * kChunkBytes;
    chunks_left -= count;
  }
  file.hash = merkle.FinishFile();
  std::string sha256;
  if (argc == 5) {
    file.sha256 = hasher.Finish();
    sha256 = file.sha256->Hex();
  }
  storage::Shard shard;
  std::string names;
  for (const Xorb& xorb : xorbs) {
    shard.xorbs.push_back(storage::DescribeXorb(xorb.index));
    names += (names.empty() ? "\"" : ",\"") + xorb.index.hash.Text() + "\"";
  }
  size_t terms = file.terms.size();
  shard.files.push_back(std::move(file));
  WriteFile(folder + "/shard", storage::WriteShard(shard));
  std::printf(
      "{\"xet_hash\":\"%s\",\"size\":%llu,\"sha256\":\"%s\",\"terms\":%zu,\"xorbs\":[%s]}\n",
      shard.files[0].hash.Text().c_str(), static_cast<unsigned long long>(bytes), sha256.c_str(),
      terms, names.c_str());
}
