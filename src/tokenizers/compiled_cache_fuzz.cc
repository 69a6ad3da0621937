// Compiled tokenizers whose numbers were changed behind a right checksum: loading and using them
// stays within bounds, ends, and throws nothing but Error. The first two bytes choose a tokenizer
// and a section, the rest is written over it: four bytes for the place, then what stands there.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "tokenizers/internal/compiled_cache.h"
#include "tokenizers/internal/compiled_file.h"
#include "tokenizers/segment_encoders/byte_bpe_testing.h"
#include "tokenizers/segment_encoders/segment_encoder_testing.h"
#include "tokenizers/tokenizer.h"

namespace {

using namespace hearth;
using namespace hearth::tokenizers;
using internal::CompiledFile;

constexpr uint32_t kKinds = 20;

struct Case {
  explicit Case(const Json& json) {
    std::filesystem::create_directories(folder);
    std::ofstream(source) << json.Dump();
    Tokenizer::FromFile(source, options);
    identity = *internal::FindSourceIdentity(source);
    compiled = internal::CompiledCache(options.cache_folder).PathOf(source);
    auto file = CompiledFile::Map(compiled, identity);
    for (uint32_t kind = 1; kind <= kKinds; ++kind) {
      if (auto bytes = file->Find(kind)) sections.emplace_back(kind, *bytes);
    }
  }
  std::filesystem::path folder = std::filesystem::temp_directory_path() /
                                 ("hearth-compiled-fuzz-" + HexEncode(RandomBytes(6)));
  std::filesystem::path source = folder / "tokenizer.json";
  LoadOptions options{.cache_folder = folder / "cache", .settled = {}};
  std::filesystem::path compiled;
  Sha256 identity;
  std::vector<std::pair<uint32_t, std::string>> sections;
};

std::vector<Case> MakeCases() {
  std::vector<Case> cases;
  for (const Json& json :
       {SmallByteBpe(ByteBpeFamilies()[3]), SmallWordPiece(true, true, {}, true),
        SmallSentencePieceBpe({}, MarkedWords(), true), SmallUnigram({}, MarkedWords())}) {
    cases.emplace_back(json);
  }
  return cases;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* cases = new std::vector<Case>(MakeCases());
  if (size < 6) return 0;
  const Case& one = (*cases)[data[0] % cases->size()];
  auto sections = one.sections;
  std::string& changed = sections[data[1] % sections.size()].second;
  uint32_t place;
  std::memcpy(&place, data + 2, 4);
  if (!changed.empty()) {
    place %= changed.size();
    changed.replace(place, std::min(size - 6, changed.size() - place),
                    reinterpret_cast<const char*>(data) + 6,
                    std::min(size - 6, changed.size() - place));
  }
  std::vector<CompiledFile::Section> views;
  for (const auto& [kind, bytes] : sections) views.push_back({kind, bytes});
  CompiledFile::Write(one.compiled, one.identity, views);
  try {
    Tokenizer tokenizer = Tokenizer::FromFile(one.source, one.options);
    std::string text = HardText(data[0], 30);
    tokenizer.Decode(tokenizer.EncodeIds(text), false);
    tokenizer.Encode(text);
    tokenizer.ToJson();
  } catch (const Error&) {
  }
  return 0;
}
