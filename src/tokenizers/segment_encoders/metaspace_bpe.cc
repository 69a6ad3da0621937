// SentencePiece-style BPE: spaces become U+2581 and the model sees the whole text as one piece.
//
// Merging a whole text at once is what makes the plain path slow. But no merge can join two
// neighbours that stand beside each other in no token, so the text is cut at every such place
// first (before nearly every space, and between letters and punctuation), each stretch is looked
// up in a cache, and only a stretch that was not seen before is merged. Which neighbours
// these are is read from the merges, never assumed.
//
// Recognised: normaliser none, Replace " ", Prepend, or both; pre-tokenizer none, Metaspace, or a
// Split on the space that the normaliser has already replaced.
#include <string>

#include "base/cpu.h"
#include "base/error.h"
#include "tokenizers/metaspace_options.h"
#include "tokenizers/model.h"
#include "tokenizers/segment_encoder.h"
#include "tokenizers/segment_encoders/marked_text.h"
#include "tokenizers/segment_encoders/metaspace_bpe_kernel.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {
namespace {

enum class Prefix { kNone, kMark, kMarkUnlessThere };

struct Layout {
  bool spaces_become_marks = false;
  bool cut_at_marks = false;  // each mark begins a piece of its own
  Prefix prefix = Prefix::kNone;
  bool prefix_only_at_start = false;
};

std::string_view TypeOf(const Json& stage) {
  const Json* type = stage.Find("type");
  return type != nullptr && type->AsString() != nullptr ? std::string_view(*type->AsString())
                                                        : std::string_view();
}

bool HasString(const Json& stage, std::string_view key, std::string_view wanted) {
  const Json* value = stage.Find(key);
  return value != nullptr && value->AsString() != nullptr && *value->AsString() == wanted;
}

bool IsLiteralSpacePattern(const Json& stage) {
  const Json* pattern = stage.Find("pattern");
  return pattern != nullptr && pattern->size() == 1 && HasString(*pattern, "String", " ");
}

bool ReadNormalizerStep(const Json& step, Layout* layout) {
  std::string_view type = TypeOf(step);
  if (type == "Prepend") {
    if (layout->prefix != Prefix::kNone || !HasString(step, "prepend", kMark)) return false;
    layout->prefix = Prefix::kMark;
    return true;
  }
  if (type == "Replace") {
    layout->spaces_become_marks = true;
    return IsLiteralSpacePattern(step) && HasString(step, "content", kMark);
  }
  return false;
}

bool ReadNormalizer(const Json* normalizer, Layout* layout) {
  if (normalizer == nullptr || normalizer->is_null()) return true;
  if (TypeOf(*normalizer) != "Sequence") return ReadNormalizerStep(*normalizer, layout);
  const Json* steps = normalizer->Find("normalizers");
  if (steps == nullptr || steps->AsArray() == nullptr) return false;
  for (const Json& step : *steps->AsArray()) {
    if (!ReadNormalizerStep(step, layout)) return false;
  }
  return true;
}

bool ReadMetaspace(const Json& stage, Layout* layout) {
  MetaspaceOptions options = MetaspaceOptions::Parse(stage);
  layout->spaces_become_marks = true;
  layout->cut_at_marks = options.split;
  if (layout->prefix == Prefix::kNone && options.prepend_scheme != PrependScheme::kNever) {
    layout->prefix = Prefix::kMarkUnlessThere;
    layout->prefix_only_at_start = options.prepend_scheme == PrependScheme::kFirst;
  }
  return options.mark == 0x2581;
}

bool ReadPreTokenizer(const Json* stage, Layout* layout) {
  if (stage == nullptr || stage->is_null()) return true;
  if (TypeOf(*stage) == "Metaspace") return ReadMetaspace(*stage, layout);
  // No space is left to split on, so the text stays whole, unless the match is inverted.
  const Json* invert = stage->Find("invert");
  return TypeOf(*stage) == "Split" && layout->spaces_become_marks &&
         IsLiteralSpacePattern(*stage) && (invert == nullptr || !invert->AsBool().value_or(true)) &&
         (HasString(*stage, "behavior", "MergedWithPrevious") ||
          HasString(*stage, "behavior", "MergedWithNext") ||
          HasString(*stage, "behavior", "Isolated") || HasString(*stage, "behavior", "Removed"));
}

class MetaspaceBpeEncoder final : public SegmentEncoder {
 public:
  MetaspaceBpeEncoder(Layout layout, std::unique_ptr<const MetaspaceMerges> merges,
                      MetaspaceBpeFunction kernel)
      : layout_(layout), plan_(std::move(merges), layout.cut_at_marks), encode_(kernel) {}

  std::unique_ptr<Scratch> MakeScratch() const override { return std::make_unique<State>(); }
  EncoderTableList tables() const override { return plan_.merges->tables(); }

  void Encode(std::string_view text, SegmentPosition position, Scratch& scratch,
              std::vector<uint32_t>* ids) const override {
    if (text.size() >= UINT32_MAX) {
      throw Error(Code::kInvalidArgument, "a text of more than 4 GiB cannot be encoded at once");
    }
    State& own = static_cast<State&>(scratch);
    if (!text.empty() && WantsPrefix(text, position)) {
      size_t taken = PrefixedPiece(text, &own.first);
      encode_(plan_, own.first, own.state, ids);
      text.remove_prefix(taken);
    }
    if (!text.empty()) encode_(plan_, text, own.state, ids);
  }

  bool EncodeSpans(std::string_view text, SegmentPosition position, const Vocab& vocab,
                   Scratch& scratch, std::vector<TokenSpan>* spans) const override {
    std::vector<uint32_t>& ids = static_cast<State&>(scratch).span_ids;
    ids.clear();
    Encode(text, position, scratch, &ids);
    MarkedText marked(text, WantsPrefix(text, position));
    uint32_t word = 0;
    for (uint32_t id : ids) {
      std::optional<std::string_view> token = vocab.FindToken(id);
      if (!token || id == plan_.merges->unknown_id()) return false;
      bool first = marked.at() == 0 && !marked.took_prefix();
      if (layout_.cut_at_marks && !first && token->starts_with(kMark)) ++word;
      auto taken = marked.Take(*token);
      if (!taken) return false;
      spans->push_back({id, taken->first, taken->second, word});
    }
    return marked.at() == text.size();
  }

 private:
  struct State final : Scratch {
    MetaspaceBpeState state;
    std::string first;
    std::vector<uint32_t> span_ids;
  };

  // The first piece behind a space that is not in the text; returns how much of the text it takes.
  size_t PrefixedPiece(std::string_view text, std::string* piece) const {
    size_t taken = 0;
    if (!layout_.cut_at_marks || !StartsWithMark(text)) {
      const auto* at = reinterpret_cast<const uint8_t*>(text.data());
      taken = static_cast<size_t>(plan_.cuts.Find(at, at + text.size(), ' ') - at);
    }
    piece->assign(1, ' ').append(text.substr(0, taken));
    return taken;
  }

  static bool StartsWithMark(std::string_view text) {
    return text.front() == ' ' || text.starts_with(kMark);
  }

  bool WantsPrefix(std::string_view text, SegmentPosition position) const {
    if (layout_.prefix == Prefix::kNone) return false;
    if (layout_.prefix == Prefix::kMark) return true;
    if (layout_.prefix_only_at_start && position != SegmentPosition::kStartOfText) return false;
    return !StartsWithMark(text);
  }

  Layout layout_;
  MetaspaceBpePlan plan_;
  MetaspaceBpeFunction encode_;
};

std::unique_ptr<SegmentEncoder> Recognise(const Json& tokenizer_json, const Model& plain,
                                          const KeptTables& kept, MetaspaceBpeFunction kernel) {
  const Json* model = tokenizer_json.Find("model");
  if (model == nullptr || !HasString(*model, "type", "BPE")) return nullptr;
  Layout layout;
  if (!ReadNormalizer(tokenizer_json.Find("normalizer"), &layout) ||
      !ReadPreTokenizer(tokenizer_json.Find("pre_tokenizer"), &layout) ||
      !layout.spaces_become_marks) {
    return nullptr;
  }
  auto merges = MetaspaceMerges::Make(*model, plain.tables(), kept);
  if (merges == nullptr) return nullptr;
  return std::make_unique<MetaspaceBpeEncoder>(layout, std::move(merges), kernel);
}

}  // namespace

std::vector<MetaspaceBpeFunction> MetaspaceBpeKernels() {
  std::vector<MetaspaceBpeFunction> kernels = {EncodeMetaspaceBpePortable};
#if defined(__x86_64__)
  const CpuExtensions& extensions = GetCpuExtensions();
  if (CpuTier() >= Tier::kAvx2) kernels.push_back(EncodeMetaspaceBpeAvx2);
  if (CpuTier() == Tier::kAvx512 && extensions.avx512_vbmi && extensions.avx512_vbmi2) {
    kernels.push_back(EncodeMetaspaceBpeAvx512);
  }
#endif
  return kernels;
}

std::unique_ptr<SegmentEncoder> MakeMetaspaceBpeEncoder(const Json& tokenizer_json,
                                                        MetaspaceBpeFunction kernel) {
  std::unique_ptr<Model> model = ParseModel(*tokenizer_json.Find("model"));
  return Recognise(tokenizer_json, *model, {}, kernel);
}

std::unique_ptr<SegmentEncoder> MakeMetaspaceBpeEncoder(const Json& tokenizer_json,
                                                        const Model& model,
                                                        const KeptTables& kept) {
  try {
    return Recognise(tokenizer_json, model, kept, MetaspaceBpeKernels().back());
  } catch (const Error&) {
    return nullptr;  // too large for the tables, or wrong in itself: the plain path says which
  }
}

}  // namespace hearth::tokenizers
