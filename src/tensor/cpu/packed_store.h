// Packed weights kept in a folder, one file per program (packed_file.h), so that only the first
// start of a model packs them.
//
// The folder may be emptied at any time, but its files must not be changed in place: they are
// written beside, made durable and renamed, and a process that has one mapped keeps it. Files of
// other users are not read. Several processes may share a folder; of those that would keep the same
// file one writes it. When the files take more than `max_bytes`, those that were not used for the
// longest are removed. A full or read-only disk costs the cache, not the model: Find and Keep never
// throw for what is in the folder or what is wrong with it. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "base/hash.h"
#include "tensor/cpu/packed_file.h"
#include "tensor/thread_team.h"

namespace hearth::tensor {

class PackedStore {
 public:
  struct Options {
    std::filesystem::path folder;  // made when the first file is written
    uint64_t max_bytes = uint64_t{32} << 30;
    // What the weights are made from, as it is now: nullopt when that cannot be told, or changed
    // so lately that it may yet change unseen. Nothing is found or kept then.
    std::function<std::optional<Sha256>()> identity;
  };

  explicit PackedStore(Options options) : options_(std::move(options)) {}

  std::optional<Sha256> Identity() const { return options_.identity(); }

  // A file as it is mapped.
  struct Found {
    std::shared_ptr<const void> owner;
    std::span<const uint8_t> data;  // after the head
  };
  // nullopt when there is no such file, or it is damaged. Reads it all, by the members of the team.
  std::optional<Found> Find(const Sha256& key, const PackedFileLayout& layout,
                            ThreadTeam& team) const;
  // Blocks until the file is durable. `data` is what the layout says; `identity` is what it was
  // made from: when that is no longer so, nothing is kept.
  void Keep(const Sha256& key, const Sha256& identity, const PackedFileLayout& layout,
            std::span<const uint8_t> data) const;

  std::filesystem::path PathOf(const Sha256& key) const;

 private:
  void Write(const Sha256& key, const PackedFileLayout& layout,
             std::span<const uint8_t> data) const;
  void RemoveOldest(const std::filesystem::path& kept) const;

  Options options_;
};

}  // namespace hearth::tensor
