// Bytes from outside through the three pure parsers; what they accept must hold their promises.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "storage/git/git_repository.h"
#include "storage/git/internal/raw_tree.h"
#include "storage/git/internal/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::storage;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (std::optional<LfsPointer> pointer = ParseLfsPointer(text)) {
    std::optional<LfsPointer> again = ParseLfsPointer(MakeLfsPointer(*pointer));
    if (!again || again->oid != pointer->oid || again->size_bytes != pointer->size_bytes) abort();
  }
  if (!PathFault(text) &&
      (text == ".." || text.starts_with("../") || text.find("/../") != text.npos ||
       text.find(char{92}) != text.npos || size > 1024)) {
    abort();
  }
  if (!RefNameFault(text) && text.find("..") != text.npos) abort();
  if (!internal::IsUtf8(internal::ToUtf8Lossy(text))) abort();
  try {
    size_t total = 0;
    internal::RawEntry entry;
    for (internal::TreeCursor cursor(text); cursor.Next(entry);) total += entry.bytes.size();
    if (total != size) abort();
  } catch (const hearth::Error&) {
  }
  return 0;
}
