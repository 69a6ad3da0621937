// What a scan says about a file. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth {

enum class Severity {
  kNote,        // worth knowing
  kSuspicious,  // not known to be harmless, or built in a way that honest writers do not use
  kDangerous,   // known to reach code, files, processes or the network
};
std::string_view SeverityName(Severity severity);  // "note", "suspicious", "dangerous"

struct ScanFinding {
  Severity severity = Severity::kNote;
  std::string
      kind;  // stable word: "pickle-global", "zip-hidden-member", ... (docs/formats/scanner.md)
  std::string path;      // "model.bin!archive/data.pkl": '!' goes into an archive
  uint64_t offset = 0;   // in the bytes of that path
  std::string evidence;  // "os.system, called with ('id',)"
  std::string advice;    // what to do about it
};

}  // namespace hearth
