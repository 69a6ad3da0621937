// The fast path of every tier against the plain path, and the readers of untrusted bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "text/utf8.h"
#include "tokenizers/segment_encoders/byte_bpe_kernel.h"
#include "tokenizers/segment_encoders/byte_bpe_load.h"
#include "tokenizers/segment_encoders/byte_bpe_testing.h"
#include "tokenizers/segment_encoders/segment_encoder_testing.h"
#include "tokenizers/tokenizer.h"

namespace {

using namespace hearth;
using namespace hearth::tokenizers;

struct Case {
  explicit Case(const ByteBpeFamily& family)
      : json(SmallByteBpe(family)), plain(Tokenizer::Build(json)) {
    plain.has_fast_path();
    for (ByteBpeEncodeFunction kernel : ByteBpeKernels()) {
      encoders.push_back(MakeByteBpeEncoder(json, kernel));
      scratches.push_back(encoders.back()->MakeScratch());
    }
  }
  Json json;
  Tokenizer plain;
  std::vector<std::unique_ptr<SegmentEncoder>> encoders;
  std::vector<std::unique_ptr<SegmentEncoder::Scratch>> scratches;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* cases = [] {
    auto* made = new std::vector<std::unique_ptr<Case>>;
    for (const ByteBpeFamily& family : ByteBpeFamilies()) {
      made->push_back(std::make_unique<Case>(family));
    }
    return made;
  }();
  if (size == 0) return 0;
  Case& one = *(*cases)[data[0] % cases->size()];
  // Exactly as long as the text: a sanitizer sees one byte too far.
  std::unique_ptr<char[]> copy(new char[size - 1]);
  std::copy(data + 1, data + size, copy.get());
  std::string_view text(copy.get(), size - 1);
  bool valid = IsValidUtf8(text);
  std::vector<uint32_t> wanted;
  if (valid && !PathsAgree(one.plain, text)) std::abort();
  if (valid) wanted = one.plain.Encode(text, {.stage_by_stage = true}).ids;
  for (size_t i = 0; i < one.encoders.size(); ++i) {
    std::vector<uint32_t> ids;
    one.encoders[i]->Encode(text, SegmentPosition::kStartOfText, *one.scratches[i], &ids);
    if (valid && ids != wanted) std::abort();
  }
  return 0;
}
