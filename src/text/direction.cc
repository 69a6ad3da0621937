#include "text/direction.h"

namespace hearth {
namespace {

// All are three bytes that begin with E2 80 or E2 81.
size_t FindNext(std::string_view utf8, size_t from) {
  for (size_t at = utf8.find('\xE2', from); at != std::string_view::npos && at + 2 < utf8.size();
       at = utf8.find('\xE2', at + 1)) {
    auto second = static_cast<unsigned char>(utf8[at + 1]);
    auto third = static_cast<unsigned char>(utf8[at + 2]);
    if ((second == 0x80 && third >= 0xAA && third <= 0xAE) ||
        (second == 0x81 && third >= 0xA6 && third <= 0xA9))
      return at;
  }
  return std::string_view::npos;
}

}  // namespace

bool ChangesDirection(std::string_view utf8) { return FindNext(utf8, 0) != std::string_view::npos; }

std::string WithDirectionShown(std::string_view utf8) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string shown;
  size_t from = 0;
  for (size_t at = FindNext(utf8, 0); at != std::string_view::npos; at = FindNext(utf8, from)) {
    shown += utf8.substr(from, at - from);
    auto third = static_cast<unsigned char>(utf8[at + 2]);
    bool isolate = utf8[at + 1] == '\x81';
    shown += isolate ? "[U+206" : "[U+202";
    shown += kHex[third & 0xF];
    shown += ']';
    from = at + 3;
  }
  shown += utf8.substr(from);
  return shown;
}

}  // namespace hearth
