// The header of a GGUF file (versions 2 and 3, little-endian): key-value metadata and tensor infos.
//
// Read through a buffered window over the source: vocabularies of 250,000 tokens are walked but not
// kept. Every count is checked against the bytes that are left before anything is allocated.
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md . Pure apart from the source's
// reads. Errors: kInvalidArgument with the position or key; kUnimplemented for version 1 and
// big-endian files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "formats/source/source.h"

namespace hearth {

struct GgufLimits {
  uint64_t max_metadata = 100'000;  // key-value pairs
  uint64_t max_tensors = 100'000;
  uint64_t max_key_bytes = 65'535;           // the format's own limit
  uint64_t max_string_bytes = 16u << 20;     // one string value (chat templates are below 100 kB)
  uint64_t max_kept_items = 256;             // arrays longer than this are counted, not kept
  uint64_t max_kept_total = 65'536;          // and all kept arrays together
  uint64_t max_kept_bytes = 64u << 20;       // all kept strings together
  uint64_t max_array_depth = 4;              // arrays of arrays
  uint64_t max_header_bytes = 512ull << 20;  // all that may be read
};

struct GgufMetadata {
  std::string key;
  std::string type;    // "uint32", "string", "array[string]", ...
  Json value;          // null for an array that was not kept
  uint64_t count = 1;  // items, for arrays
};

struct GgufTensor {
  std::string name;
  std::vector<uint64_t> dims;  // innermost first, as in the file
  std::string type;            // "F32", "Q4_K", ...; "type_N" when unknown
  uint64_t offset = 0;         // from data_offset
  uint64_t elements = 0;
  uint64_t bytes = 0;  // 0 when the type is unknown
};

struct GgufHeader {
  uint32_t version = 0;
  std::vector<GgufMetadata> metadata;  // in file order
  std::vector<GgufTensor> tensors;
  uint64_t alignment = 32;
  uint64_t data_offset = 0;

  // Read out of the above; absent when the file does not say.
  std::string architecture;                // general.architecture
  uint64_t total_parameters = 0;           // sum of the elements of all tensors
  std::optional<uint64_t> context_length;  // {architecture}.context_length
  std::optional<uint64_t> file_type;       // general.file_type
  std::string quantization;  // "Q4_K_M", "F16", ...: from file_type, else the most used type
  std::optional<std::string> chat_template;  // tokenizer.chat_template
  std::optional<std::string> bos_token;      // the text of tokenizer.ggml.bos_token_id
  std::optional<std::string> eos_token;

  const GgufMetadata* Find(std::string_view key) const;
};

// Reads the header only; checks that each tensor of known type lies inside the file and is aligned.
GgufHeader ReadGgufHeader(ByteSource& source, const GgufLimits& limits = {});

}  // namespace hearth
