// Looks for what runs, or could run, when a model file is loaded; executes nothing.
//
// A file is examined as everything that some loader could take it for, not only as what its name
// says: as a row of pickles, as a zip archive (directory, local headers and hidden members), tar,
// compressed stream, numpy array, HDF5, GGUF, ONNX, JSON, YAML or source code. What is inside goes
// through the same again. The rule is default deny: names that are not known to be harmless are
// suspicious, and so is what cannot be examined. Memory is bounded: bytes are read by ranges, large
// unpacked members go through a temporary file. Not thread-safe. Errors of the source (kInternal,
// ...) pass; the content never throws.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "formats/archive/archive_decode.h"
#include "formats/pickle/pickle_walk.h"
#include "formats/scan/scan_finding.h"
#include "formats/source/source.h"

namespace hearth {

struct ScanLimits {
  int max_depth = 10;                         // archives in archives
  uint64_t max_objects = 500'000;             // files and members of one scan
  uint64_t max_unpacked_bytes = 16ull << 30;  // all of one scan
  UnpackLimits unpack;
  PickleWalkLimits pickle;
  uint64_t max_text_bytes = 64ull << 20;  // a JSON or source file beyond is reported, not read
  size_t max_findings = 2'000;
  // Also search the bytes that belong to nothing (between members, after pickles). Reads the whole
  // file; switched off where a range costs a round trip.
  bool deep = true;
};

struct ScannedGlobal {
  std::string path;
  PickleGlobal global;
};

struct ScanReport {
  std::vector<ScanFinding> findings;   // worst first
  std::vector<ScannedGlobal> globals;  // all, also the safe ones
  uint64_t objects = 0;                // files and members that were examined
  uint64_t unpacked_bytes = 0;
  Severity verdict() const;  // kNote when there is nothing worse
  Json ToJson() const;
  // Of the findings alone, the worst `most`.
  Json FindingsJson(size_t most = SIZE_MAX) const;
};

class Scanner {
 public:
  explicit Scanner(const ScanLimits& limits = {});
  ~Scanner();
  // `name` is what the file is called; findings carry it as their path. May be called for many
  // files.
  void Scan(ByteSource& source, std::string_view name);
  // Something of that name that is there but cannot be read as a file, with the reason for people.
  void AddUnread(std::string_view name, std::string why);
  ScanReport Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

ScanReport ScanSource(ByteSource& source, std::string_view name, const ScanLimits& limits = {});

// Constructs in a chat template that reach for Python's insides instead of the messages.
std::vector<ScanFinding> ScanTemplate(std::string_view text, std::string_view path);

}  // namespace hearth
