// A segment of any bytes: its parts are cut out of the input, then everything that a search may
// touch is read. The other half of the inputs goes to the manifest and to the query.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/error.h"
#include "search/internal/fuzzy.h"
#include "search/internal/manifest.h"
#include "search/internal/phrase.h"
#include "search/query.h"
#include "search/segment.h"

namespace hearth::search {
namespace {

// u16 lengths of the first four parts, then the parts.
std::array<std::string, kParts> CutParts(std::string_view bytes) {
  std::array<std::string, kParts> parts;
  for (size_t i = 0; i < kParts; ++i) {
    size_t length = bytes.size();
    if (i + 1 < kParts) {
      if (bytes.size() < 2) break;
      length = std::min<size_t>(
          static_cast<unsigned char>(bytes[0]) | static_cast<unsigned char>(bytes[1]) << 8,
          bytes.size() - 2);
      bytes.remove_prefix(2);
    }
    parts[i] = std::string(bytes.substr(0, length)) + std::string(kPadding, '\0');
    bytes.remove_prefix(length);
  }
  for (std::string& part : parts) {
    if (part.empty()) part.resize(kPadding);
  }
  return parts;
}

template <typename F>
void Try(F read) {
  try {
    read();
  } catch (const Error&) {
  }
}

void ReadAll(const Segment& segment) {
  Bitmap among(1 << 12), found(1 << 12);
  for (uint32_t id = 0; id < 1 << 12; ++id) among.Set(id);
  for (size_t i = 0; i < std::min<size_t>(segment.size(), 50); ++i)
    Try([&] { segment.ReadTexts(i); });
  Try([&] {
    segment.ForEachFrom("", [&](const TermEntry& entry) {
      PostingReader postings = segment.PostingsOf(entry);
      PositionReader positions = segment.PositionsOf(entry);
      std::vector<uint32_t> where;
      for (size_t left = 2000; left > 0;) {
        size_t block = postings.Next();
        if (block == 0) break;
        for (size_t k = 0; k < block; ++k) positions.Next(&where);
        left -= std::min(left, block);
      }
      return entry.ordinal < 200;
    });
  });
  Try([&] { segment.Find("model"); });
  Try([&] { FindPhrase(segment, {"the", "model"}, among, &found); });
  Try([&] { FindNear(segment, U"transfromer", 2, 10); });
}

}  // namespace
}  // namespace hearth::search

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::search;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static constexpr std::string_view kKeys[] = {"author", "lang"};
  ParseQuery(bytes, kKeys);
  Try([&] { ParseManifest(bytes); });
  Try([&] { ReadAll(*Segment::FromBytes(CutParts(bytes))); });
  return 0;
}
