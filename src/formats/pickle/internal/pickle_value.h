// Values of the abstract pickle machine. Nodes live in an arena and are named by index; nothing is
// ever freed before the machine is, so cycles and depth cost nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

// Of a container, that are followed: more than what calls that matter take.
constexpr size_t kMaxPickleItems = 32;

struct PickleValue {
  enum class Kind : uint8_t {
    kUnknown,
    kNone,
    kBool,
    kInt,  // number
    kFloat,
    kText,    // node: a string or bytes
    kGlobal,  // node: text = module, second = name
    kTuple,   // node: items
    kList,
    kDict,  // node: items = key, value, key, value ... (the first ones)
    kSet,
    kCall,  // node: items = callee, arguments; state: what BUILD gave
    kPersistent,
    kEither,  // node: items = what it may be, for loaders that differ
  };
  Kind kind = Kind::kUnknown;
  int64_t number = 0;  // or the index of a node
};

struct PickleNode {
  std::string text;  // of literals up to 256 bytes
  std::string second;
  std::vector<PickleValue> items;  // at most kMaxPickleItems
  uint64_t data_offset = 0;
  uint64_t data_bytes = 0;
  bool whole = false;     // text is all of the literal
  bool is_bytes = false;  // bytes, not a string
};

// The text of STRING ('...' with escapes) and UNICODE (raw escapes) arguments; false when it is
// malformed.
bool DecodePickleString(std::string_view argument, std::string* text);
std::string DecodePickleUnicode(std::string_view argument);
// Memo keys of PUT and GET as int() reads them: blanks, signs and underscores included.
bool ParsePickleKey(std::string_view text, int64_t* key, bool* odd);

}  // namespace hearth
