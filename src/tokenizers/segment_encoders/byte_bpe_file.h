// A ByteBpePlan in a file, to be mapped: a header, then the tables as they lie in memory, each at a
// multiple of 64 bytes. Numbers are little-endian (a machine of the other order refuses the magic).
//
//   magic "HBBPE\1\r\n", version, config, sizes, SHA-256 of the tokenizer.json, checksum of the
//   whole
//
// Not an exchange format: files of another version are made again.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/hash.h"
#include "tokenizers/segment_encoders/byte_bpe_plan.h"

namespace hearth::tokenizers {

class ByteBpePlanFile {
 public:
  // Changes with the layout, the hash functions and the splitting rules.
  static constexpr uint32_t kVersion = 1;

  static std::string Write(const ByteBpePlan& plan, const Sha256& tokenizer_json);
  // nullptr when the file is missing, of another version, for another tokenizer.json, or damaged in
  // any byte. The plan keeps the file mapped; the file may be replaced or removed meanwhile, but
  // not changed in place.
  static std::shared_ptr<const ByteBpePlan> Map(const std::filesystem::path& path,
                                                const Sha256& tokenizer_json);
};

}  // namespace hearth::tokenizers
