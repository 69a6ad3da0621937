// The packed matrices of one program in a file, to be mapped read-only: a later start has them
// without packing, and processes that run one model share their memory.
//
//   magic "HTHPKF1\n", version, number of matrices, key, sizes, checksum of the head
//   for each matrix its place and size
//   a checksum for each MiB of what follows
//   the matrices as PackedMatrix::bytes() gives them, each at a multiple of 64
//
// The key says what was packed from what and how; it and the sizes are known to whoever reads, so
// a file is taken only when its head is the expected one byte for byte. Not an exchange format:
// numbers are those of the machine, and a file of another version is made again. Checksums find
// damage, not malice: what reads a matrix stays in bounds whatever its values are
// (PackedMatrix::FromBytes).
// Pure; use from any number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"

namespace hearth::tensor {

class PackedFileLayout {
 public:
  // Changes with the layout of the file or of panels, and with what packing makes of weights.
  static constexpr uint32_t kVersion = 1;
  static constexpr uint64_t kChunkBytes = 1 << 20;

  // `sizes` of the matrices, in order. Throws kTooLarge when the sum has no number.
  PackedFileLayout(const Sha256& key, std::span<const uint64_t> sizes);

  uint64_t file_bytes() const { return data_offset_ + data_bytes_; }
  uint64_t data_offset() const { return data_offset_; }
  uint64_t data_bytes() const { return data_bytes_; }
  // Of matrix i, from the start of the data.
  uint64_t offset(size_t i) const { return offsets_[i]; }
  uint64_t size(size_t i) const { return sizes_[i]; }
  size_t matrices() const { return sizes_.size(); }
  uint64_t chunks() const { return (data_bytes_ + kChunkBytes - 1) / kChunkBytes; }

  // Everything before the data, whose checksums are given, one a chunk.
  std::string Head(std::span<const uint64_t> checksums) const;
  // Whether a file of this size begins as one that was made by this layout. Then the checksums lie
  // in it.
  bool IsHead(std::span<const uint8_t> file) const;
  // Chunk i of the data in a file that IsHead holds for.
  std::span<const uint8_t> Chunk(std::span<const uint8_t> file, uint64_t i) const;
  bool ChunkHolds(std::span<const uint8_t> file, uint64_t i) const;

  static uint64_t Checksum(std::span<const uint8_t> bytes);

 private:
  uint64_t checksums_offset() const;

  Sha256 key_;
  std::vector<uint64_t> sizes_, offsets_;
  uint64_t data_bytes_ = 0, data_offset_ = 0;
};

}  // namespace hearth::tensor
