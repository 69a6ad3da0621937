#include "tensor/cpu/packed_file.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "base/error.h"

namespace hearth::tensor {
namespace {

constexpr char kMagic[8] = {'H', 'T', 'H', 'P', 'K', 'F', '1', '\n'};
constexpr uint64_t kAlignment = 64;
// The data begins at a page of any machine's size.
constexpr uint64_t kDataAlignment = 1 << 16;
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 46;

struct Header {
  char magic[8];
  uint64_t checksum;  // of all before the data, with zero in its place
  uint32_t version;
  uint32_t matrices;
  char key[32];
  uint64_t data_offset, data_bytes;
};
static_assert(sizeof(Header) == 72);

struct Entry {
  uint64_t offset, bytes;
};

uint64_t AlignUp(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

// Multiply and rotate in eight lanes: as fast as memory is read.
uint64_t PackedFileLayout::Checksum(std::span<const uint8_t> bytes) {
  constexpr size_t kLanes = 8, kStep = kLanes * sizeof(uint64_t);
  uint64_t lanes[kLanes] = {1, 2, 3, 4, 5, 6, 7, 8};
  size_t at = 0;
  for (; at + kStep <= bytes.size(); at += kStep) {
    uint64_t words[kLanes];
    std::memcpy(words, bytes.data() + at, kStep);
    for (size_t k = 0; k < kLanes; ++k) {
      lanes[k] = std::rotl((lanes[k] ^ words[k]) * 0x9E3779B97F4A7C15u, 29);
    }
  }
  uint64_t tail[kLanes] = {};
  if (at < bytes.size()) std::memcpy(tail, bytes.data() + at, bytes.size() - at);
  uint64_t sum = bytes.size();
  for (size_t k = 0; k < kLanes; ++k) {
    sum = std::rotl((sum ^ lanes[k] ^ (tail[k] * 0xA24BAED4963EE407u)) * 0xD6E8FEB86659FD93u, 31);
  }
  return sum ^ sum >> 32;
}

PackedFileLayout::PackedFileLayout(const Sha256& key, std::span<const uint64_t> sizes)
    : key_(key), sizes_(sizes.begin(), sizes.end()) {
  for (uint64_t size : sizes) {
    offsets_.push_back(data_bytes_);
    if (size > kMaxFileBytes || data_bytes_ > kMaxFileBytes) {
      throw Error(Code::kTooLarge, "packed weights are too large");
    }
    data_bytes_ += AlignUp(size, kAlignment);
  }
  data_offset_ = AlignUp(checksums_offset() + chunks() * sizeof(uint64_t), kDataAlignment);
}

uint64_t PackedFileLayout::checksums_offset() const {
  return sizeof(Header) + sizes_.size() * sizeof(Entry);
}

std::string PackedFileLayout::Head(std::span<const uint64_t> checksums) const {
  std::string head(data_offset_, '\0');
  Header header = {};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kVersion;
  header.matrices = static_cast<uint32_t>(sizes_.size());
  std::memcpy(header.key, key_.data(), sizeof header.key);
  header.data_offset = data_offset_;
  header.data_bytes = data_bytes_;
  std::memcpy(head.data(), &header, sizeof header);
  for (size_t i = 0; i < sizes_.size(); ++i) {
    const Entry entry = {offsets_[i], sizes_[i]};
    std::memcpy(head.data() + sizeof header + i * sizeof entry, &entry, sizeof entry);
  }
  const auto stored = std::as_bytes(checksums);  // none without matrices
  std::transform(stored.begin(), stored.end(), head.begin() + checksums_offset(),
                 [](std::byte each) { return static_cast<char>(each); });
  header.checksum = Checksum(BytesOf(head));
  std::memcpy(head.data(), &header, sizeof header);
  return head;
}

bool PackedFileLayout::IsHead(std::span<const uint8_t> file) const {
  if (file.size() != file_bytes()) return false;
  std::vector<uint64_t> checksums(chunks());
  for (uint64_t i = 0; i < chunks(); ++i) {
    std::memcpy(&checksums[i], file.data() + checksums_offset() + i * sizeof(uint64_t),
                sizeof(uint64_t));
  }
  const std::string expected = Head(checksums);
  return std::memcmp(expected.data(), file.data(), expected.size()) == 0;
}

std::span<const uint8_t> PackedFileLayout::Chunk(std::span<const uint8_t> file, uint64_t i) const {
  const uint64_t begin = i * kChunkBytes;
  return file.subspan(data_offset_ + begin, std::min(kChunkBytes, data_bytes_ - begin));
}

bool PackedFileLayout::ChunkHolds(std::span<const uint8_t> file, uint64_t i) const {
  uint64_t expected;
  std::memcpy(&expected, file.data() + checksums_offset() + i * sizeof expected, sizeof expected);
  return Checksum(Chunk(file, i)) == expected;
}

}  // namespace hearth::tensor
