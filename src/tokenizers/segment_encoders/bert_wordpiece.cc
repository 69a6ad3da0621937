// BERT: BertNormalizer, BertPreTokenizer and WordPiece in one pass over the raw bytes.
//
// A run of ASCII letters and digits is a word and is looked up as it stands, folded to lower case.
// Other bytes are read by a table. A short run that holds anything beyond ASCII (an accented word,
// a Cyrillic one) is looked up raw as well, so normalising is paid once per distinct run; a long
// one (Chinese, Thai) is taken apart character by character.
//
// Recognised: normalizer BertNormalizer with any switches, pre-tokenizer BertPreTokenizer, model
// WordPiece.
#include <string>

#include "base/error.h"
#include "tokenizers/model.h"
#include "tokenizers/segment_encoder.h"
#include "tokenizers/segment_encoders/bert_wordpiece_characters.h"
#include "tokenizers/segment_encoders/bert_wordpiece_vocabulary.h"
#include "tokenizers/segment_encoders/id_writer.h"
#include "tokenizers/segment_encoders/letter_run.h"
#include "tokenizers/segment_encoders/word_batch.h"

namespace hearth::tokenizers {
namespace {

using Kind = BertCharacters::Kind;

// What a byte begins, seen from outside a word.
enum class ByteKind : uint8_t {
  kSpace,
  kAlone,  // ASCII punctuation
  kWord,   // an ASCII word character that needs no more than case folding
  kOther,  // part of a run that must be read by characters
};

struct Tables {
  std::shared_ptr<const BertCharacters> characters;
  WordPieceVocabulary vocabulary;
  ByteKind byte_kinds[256];
  uint32_t alone_ids[128] = {};

  Tables(std::shared_ptr<const BertCharacters> given, WordPieceVocabulary words)
      : characters(std::move(given)), vocabulary(std::move(words)) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      byte_kinds[byte] = KindOfByte(byte);
      if (byte_kinds[byte] == ByteKind::kAlone) alone_ids[byte] = AloneId(byte);
    }
  }
  ByteKind KindOfByte(uint32_t byte) const {
    if (byte >= 0x80) return ByteKind::kOther;
    Kind kind = characters->KindOf(byte);
    if (kind == Kind::kSpace) return ByteKind::kSpace;
    if (kind == Kind::kAlone) return ByteKind::kAlone;
    return IsAsciiAlphanumeric(static_cast<uint8_t>(byte)) ? ByteKind::kWord : ByteKind::kOther;
  }
  uint32_t AloneId(uint32_t code_point) const {
    return vocabulary.CharacterId(characters->Alone(code_point));
  }
};

// The first byte of U+2000, before which no ideograph is.
constexpr uint8_t kLeastLeadOfIdeographs = 0xE2;

struct State final : SegmentEncoder::Scratch {
  WordCache cache;
  std::vector<uint32_t> ids;
  std::string buffer;
};

// Calls word(begin, end) and alone(code point) for the parts of a run.
template <typename Word, typename Alone>
void TakeApart(const BertCharacters& characters, const uint8_t* at, const uint8_t* end, Word word,
               Alone alone) {
  const uint8_t* begin = at;
  while (at < end) {
    size_t size = 0;
    uint32_t c = DecodeUtf8(at, &size);
    Kind kind = characters.KindOf(c);
    if (kind >= Kind::kSpace) {
      if (begin < at) word(begin, at);
      if (kind == Kind::kAlone) alone(c);
      begin = at + size;
    }
    at += size;
  }
  if (begin < end) word(begin, end);
}

struct Miss {
  const Tables& tables;
  std::string& buffer;

  bool operator()(const uint8_t* run, size_t size, std::vector<uint32_t>* ids) const {
    TakeApart(
        *tables.characters, run, run + size,
        [&](const uint8_t* begin, const uint8_t* end) {
          std::string_view word(reinterpret_cast<const char*>(begin),
                                static_cast<size_t>(end - begin));
          size_t characters = 0;
          std::string_view form = tables.characters->NormalizeWord(word, &buffer, &characters);
          tables.vocabulary.Encode(form, characters, ids);
        },
        [&](uint32_t c) { ids->push_back(tables.AloneId(c)); });
    return true;
  }
};

template <bool kFoldCase>
class BertWordpieceEncoder final : public SegmentEncoder {
 public:
  explicit BertWordpieceEncoder(Tables tables) : tables_(std::move(tables)) {}

  std::unique_ptr<Scratch> MakeScratch() const override { return std::make_unique<State>(); }
  EncoderTableList tables() const override { return tables_.vocabulary.tables(); }

  void Encode(std::string_view text, SegmentPosition, Scratch& scratch,
              std::vector<uint32_t>* ids) const override {
    State& state = static_cast<State&>(scratch);
    IdWriter writer(ids, text.size() / 3);
    Batch batch(&state.cache, &state.ids, &writer, Miss{tables_, state.buffer});
    const uint8_t* at = reinterpret_cast<const uint8_t*>(text.data());
    const uint8_t* end = at + text.size();
    while (at < end) {
      switch (tables_.byte_kinds[*at]) {
        case ByteKind::kSpace:
          ++at;
          break;
        case ByteKind::kAlone:
          batch.AddId(tables_.alone_ids[*at++]);
          break;
        case ByteKind::kWord:
        case ByteKind::kOther:
          at = AddRun(at, end, &batch);
      }
    }
    batch.Finish();
    writer.Flush();
  }

 private:
  using Batch = WordBatch<kFoldCase, Miss>;

  // A run ends before an ASCII space or punctuation mark. Returns its end, a space after it too.
  const uint8_t* AddRun(const uint8_t* at, const uint8_t* end, Batch* batch) const {
    const uint8_t* stop = SkipRun(at, end);
    if (static_cast<size_t>(stop - at) > LongWord::kMaxBytes || StartsAlone(at)) [[unlikely]] {
      AddParts(at, stop, end, batch);
      return stop;
    }
    batch->AddWord(at, static_cast<size_t>(stop - at), static_cast<size_t>(end - at));
    return stop + (stop < end && *stop == ' ');
  }

  const uint8_t* SkipRun(const uint8_t* at, const uint8_t* end) const {
    while (true) {
      at = SkipAlphanumericOrBeyondAscii(at, end);
      if (at == end || tables_.byte_kinds[*at] < ByteKind::kWord) return at;
      ++at;
    }
  }

  // Runs of ideographs hardly ever come again as a whole: not worth a place in the cache.
  bool StartsAlone(const uint8_t* at) const {
    if (*at < kLeastLeadOfIdeographs) return false;
    size_t size = 0;
    return tables_.characters->KindOf(DecodeUtf8(at, &size)) == Kind::kAlone;
  }

  void AddParts(const uint8_t* at, const uint8_t* stop, const uint8_t* end, Batch* batch) const {
    TakeApart(
        *tables_.characters, at, stop,
        [&](const uint8_t* begin, const uint8_t* after) {
          batch->AddWord(begin, static_cast<size_t>(after - begin),
                         static_cast<size_t>(end - begin));
        },
        [&](uint32_t c) { batch->AddId(tables_.AloneId(c)); });
  }

  Tables tables_;
};

std::optional<BertSwitches> ReadSwitches(const Json& normalizer) {
  auto flag = [&](std::string_view key) -> std::optional<bool> {
    const Json* value = normalizer.Find(key);
    return value == nullptr ? std::nullopt : value->AsBool();
  };
  auto clean = flag("clean_text"), chinese = flag("handle_chinese_chars"),
       lower = flag("lowercase");
  const Json* strip = normalizer.Find("strip_accents");
  bool strip_is_valid = strip == nullptr || strip->is_null() || strip->is_bool();
  if (!clean || !chinese || !lower || !strip_is_valid) return std::nullopt;
  return BertSwitches{*clean, *chinese, flag("strip_accents").value_or(*lower), *lower};
}

bool HasType(const Json* stage, std::string_view type) {
  const Json* found = stage == nullptr ? nullptr : stage->Find("type");
  return found != nullptr && found->AsString() != nullptr && *found->AsString() == type;
}

std::unique_ptr<SegmentEncoder> Recognise(const Json& tokenizer_json, const Model& plain,
                                          const KeptTables& kept) {
  const Json* normalizer = tokenizer_json.Find("normalizer");
  const Json* model = tokenizer_json.Find("model");
  if (!HasType(normalizer, "BertNormalizer") || !HasType(model, "WordPiece") ||
      !HasType(tokenizer_json.Find("pre_tokenizer"), "BertPreTokenizer")) {
    return nullptr;
  }
  auto switches = ReadSwitches(*normalizer);
  if (!switches) return nullptr;
  auto vocabulary = WordPieceVocabulary::Make(*model, *plain.tables().vocab, kept);
  if (!vocabulary) return nullptr;
  auto characters = BertCharacters::Get(*switches);
  if (characters == nullptr) return nullptr;
  Tables tables(std::move(characters), std::move(*vocabulary));
  if (switches->lowercase) {
    return std::make_unique<BertWordpieceEncoder<true>>(std::move(tables));
  }
  return std::make_unique<BertWordpieceEncoder<false>>(std::move(tables));
}

}  // namespace

std::unique_ptr<SegmentEncoder> MakeBertWordpieceEncoder(const Json& tokenizer_json,
                                                         const Model& model,
                                                         const KeptTables& kept) {
  try {
    return Recognise(tokenizer_json, model, kept);
  } catch (const Error&) {
    return nullptr;  // too large for the tables, or wrong in itself: the plain path says which
  }
}

}  // namespace hearth::tokenizers
