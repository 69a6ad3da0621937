// Fast paths kept in files: what a segment encoder needs, ready to be mapped, so that a process has
// it in a millisecond instead of reading a vocabulary again.
//
// One file per tokenizer.json, named by its SHA-256 and the format version, in a folder that may be
// emptied at any time. Files are written durably and replaced whole; one that is damaged, or of
// another version, is made again. A full or read-only disk costs the cache, not the result.
// Thread-safe; several processes may share a folder.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "base/hash.h"
#include "tokenizers/segment_encoder.h"

namespace hearth::tokenizers {

class CompiledCache {
 public:
  // The folder is made when the first file is written.
  explicit CompiledCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // The encoder of the tokenizer.json with this digest; nullptr when it is not kept (only
  // byte-level BPE is) or damaged.
  std::unique_ptr<SegmentEncoder> Find(const Sha256& tokenizer_json) const;
  // Find, else made from the text, whose digest the caller knows, and kept. nullptr when no family
  // recognises it.
  std::unique_ptr<SegmentEncoder> Load(std::string_view text, const Sha256& digest) const;
  std::unique_ptr<SegmentEncoder> Load(std::string_view text) const {
    return Load(text, Sha256Of(text));
  }

  std::filesystem::path PathOf(const Sha256& tokenizer_json) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace hearth::tokenizers
