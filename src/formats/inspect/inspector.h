// The inspectors: one file a format, one line in inspectors.inc. An inspector says what a file
// states about itself, with the place where it stands; it reads headers by ranges and never the
// weights.
//
// An inspector is a probe (how sure is it that the file is its own?) and a function that fills an
// Inspection. What is dangerous about a file is the scanner's subject (scan.h), not theirs. Thread
// rule: pure functions. Errors: kInvalidArgument, kForbidden, kTooLarge, kUnimplemented with the
// reason; the caller shows the file with that reason.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "formats/scan/scan_finding.h"
#include "formats/source/source.h"

namespace hearth {

// A statement of the file: "architecture" = "llama", which stands at key general.architecture.
struct InspectedFact {
  std::string key;
  Json value;
  std::string evidence;  // "key general.architecture", "bytes 0-7", "header"
};

struct InspectedTensor {
  std::string name;
  std::string dtype;  // the format's own word: "F32", "Q4_K", "float32"
  std::vector<uint64_t> shape;
  uint64_t elements = 0;
  uint64_t bytes = 0;   // as stored
  uint64_t offset = 0;  // in the file; 0 when it does not lie there as it is
  std::string note;     // "view of storage 3", "external: weights.bin", ...
  std::string sha256;   // of its bytes, row-major; where asked for
};

struct Inspection {
  bool want_digests = false;         // set by the caller: fill sha256, which reads the tensors
  std::string format;                // "safetensors", "gguf", "pytorch", ...
  std::vector<InspectedFact> facts;  // in the order to be shown
  std::vector<InspectedTensor> tensors;
  std::vector<std::pair<std::string, Json>> metadata;  // the file's free text fields
  std::vector<std::string> warnings;                   // what could not be read, and why

  void Add(std::string key, Json value, std::string evidence) {
    facts.push_back({std::move(key), std::move(value), std::move(evidence)});
  }
  // Elements per dtype, most first; tensors that share memory with an earlier one are not counted.
  std::vector<std::pair<std::string, uint64_t>> CountParameters() const;
  Json ToJson() const;
};

struct Inspector {
  std::string_view name;
  // 0 = not mine, 100 = certain. `first`: up to 1024 bytes of the file.
  int (*probe)(std::string_view name, std::string_view first);
  void (*inspect)(ByteSource& source, std::string_view name, Inspection* inspection);
};

// All of inspectors.inc.
const std::vector<Inspector>& Inspectors();

// The surest inspector's answer. A file that nobody knows has the format "json", "text" or
// "unknown"; one that its inspector refuses keeps the format and gets a warning.
struct InspectOptions {
  bool digests = false;
};
Inspection InspectSource(ByteSource& source, std::string_view name,
                         const InspectOptions& options = {});

}  // namespace hearth
