// Follows a pickle without loading it, to say which globals it imports and what it does with them.
//
// An abstract machine of all protocols: values are kept as far as names need them (literals,
// globals, tuples, what calls give), so a global whose name is put together on the stack, fetched
// from the memo or decoded is still found; a name that cannot be known is itself a finding. Nothing
// stops the walk but bytes that no loader would take for an opcode: a stack that runs empty or a
// memo that is missing is noted and the walk goes on, since everything before the break has run by
// then and other loaders may be laxer. Memory is bounded by the limits. Pure apart from the
// source's reads. Never throws for the content.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "formats/pickle/pickle_globals.h"
#include "formats/scan/scan_finding.h"
#include "formats/source/source.h"

namespace hearth {

struct PickleWalkLimits {
  uint64_t max_ops = 200'000'000;
  uint64_t max_values =
      1'000'000;  // literals and containers that are followed; later ones are "unknown"
  uint64_t max_stack = 10'000'000;
  size_t max_globals = 10'000;  // different ones that are listed
};

struct PickleGlobal {
  std::string module;
  std::string name;
  GlobalClass cls = GlobalClass::kSuspicious;
  uint64_t offset = 0;  // where it is named first
  uint64_t count = 0;
  std::string use;  // "called with ('id',)"; empty when it is only named
  // Called or changed while nothing was wrong with the pickle yet: every loader gets that far.
  bool runs = false;
};

struct PickleIssue {
  Severity severity = Severity::kSuspicious;
  std::string kind;  // "pickle-computed-name", "pickle-malformed", ...
  uint64_t offset = 0;
  std::string text;
};

// Bytes inside of the pickle that may be a file of their own.
struct PickleLiteral {
  uint64_t offset = 0;  // of the data
  uint64_t bytes = 0;
  bool latin1 = false;  // text that stands for bytes: code points below 256
  bool base64 = false;  // text that is base64
};

// A stretch that a joblib reader takes as array data and any other reader as opcodes.
struct PickleRawData {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

struct PickleReport {
  std::vector<PickleGlobal> globals;
  std::vector<PickleIssue> issues;
  std::vector<PickleLiteral>
      literals;  // only those whose first bytes look like a pickle or an archive
  std::vector<PickleRawData> raw;
  bool complete = false;  // reached STOP
  bool has_proto = false;
  uint64_t end = 0;  // after STOP, or where the walk broke
  uint64_t ops = 0;
  GlobalClass worst() const;
};

// Walks one pickle of [begin, end). The walker carries the memo on from one call to the next, as
// one Unpickler object does for a row of pickles.
class PickleWalker {
 public:
  explicit PickleWalker(ByteSource& source, const PickleWalkLimits& limits = {});
  ~PickleWalker();
  PickleReport Walk(uint64_t begin, uint64_t end);

 private:
  class Machine;
  std::unique_ptr<Machine> machine_;
};

// Could these bytes start a pickle? Certain for protocol 2 and later; for older ones the first
// opcodes must make sense.
bool LooksLikePickle(std::string_view first);
bool HasPickleHeader(std::string_view first);  // PROTO and a known protocol

}  // namespace hearth
