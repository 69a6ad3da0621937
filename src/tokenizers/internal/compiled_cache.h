// Loaded tokenizers kept in files, ready to be mapped, so that a process has one in a millisecond
// or two instead of reading a vocabulary again.
//
// One file per path of a tokenizer.json, in a folder that may be emptied at any time. It names the
// source's identity (device, inode, size, times); another identity, another version, damage or
// another owner: it is made again. Files are written durably and replaced whole; a full or
// read-only disk costs the cache, not the result. Thread-safe; several processes may share a
// folder.
//
// What loading needs is checked when it is found; merges and the tables of the fast path, which are
// most of the file, when they are first used. Damage there sends their readers back to the source.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "codec/json.h"
#include "tokenizers/internal/source_file.h"
#include "tokenizers/model.h"
#include "tokenizers/models/model_parts.h"
#include "tokenizers/segment_encoder.h"
#include "tokenizers/segment_encoders/byte_bpe_plan.h"

namespace hearth::tokenizers::internal {

class CompiledCache {
 public:
  using MakeEncoder = std::function<std::unique_ptr<SegmentEncoder>(const Json&, const Model&)>;
  // The tables of the fast path: a plan, or else an encoder, or nothing.
  struct FastTables {
    const ByteBpePlan* plan = nullptr;
    const SegmentEncoder* encoder = nullptr;
  };
  struct Found {
    Json rest;  // as TokenizerText::rest
    ModelParts parts;
    // The fast path of `rest` and the model, from the tables that are kept and whole.
    MakeEncoder make_encoder;
  };

  // The folder is made, for this user alone, when the first file is written.
  explicit CompiledCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // nullopt when the source at this path is not kept as it is now. Never throws for what is in the
  // cache. `read` as ReadSource takes it.
  std::optional<Found> Find(const std::filesystem::path& source,
                            const ReadText& read = nullptr) const;
  // `rest` and `model` are what the source says. Errors are logged.
  void Keep(const std::filesystem::path& path, const SourceFile& source, const Json& rest,
            const Model& model, const FastTables& fast) const;

  std::filesystem::path PathOf(const std::filesystem::path& source) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace hearth::tokenizers::internal
