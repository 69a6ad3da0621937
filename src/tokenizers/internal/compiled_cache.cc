#include "tokenizers/internal/compiled_cache.h"

#include <simdjson.h>

#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "tokenizers/internal/compiled_file.h"
#include "tokenizers/internal/tokenizer_text.h"
#include "tokenizers/segment_encoders/byte_bpe_file.h"
#include "tokenizers/segment_encoders/byte_bpe_load.h"

namespace hearth::tokenizers::internal {
namespace {

enum Kind : uint32_t {
  kRest = 1,  // JSON
  kVocabTraits,
  kVocabBytes,
  kVocabOffsets,
  kVocabIds,
  kVocabSlots,
  kVocabPlaces,
  kScores,
  kPieceBytes,  // where they are not the vocabulary's: a piece is there twice
  kPieceOffsets,
  kMerges,
  kPlan,
  kEncoderTable,  // and those that follow: one for each EncoderTable
};

struct VocabTraits {
  uint32_t sparse;
  uint32_t longest_token_bytes;
};

using Shared = std::shared_ptr<const CompiledFile>;

// Whole characters in rising order, so that every text is UTF-8 and inside.
bool TextsHold(std::string_view bytes, std::span<const uint32_t> offsets) {
  if (offsets.empty() || offsets.front() != 0 || offsets.back() != bytes.size()) return false;
  if (!simdjson::validate_utf8(bytes.data(), bytes.size())) return false;
  // Without a branch per text: there are hundreds of thousands.
  bool falls = false, inside = false;
  for (size_t i = 1; i < offsets.size(); ++i) falls |= offsets[i] < offsets[i - 1];
  if (falls) return false;
  while (!offsets.empty() && offsets.back() == bytes.size())
    offsets = offsets.first(offsets.size() - 1);
  for (uint32_t at : offsets) inside |= (static_cast<unsigned char>(bytes[at]) & 0xC0) == 0x80;
  return !inside;
}

std::optional<TokenTexts> FindTexts(const Shared& file, Kind bytes_kind, Kind offsets_kind) {
  auto bytes = file->Find(bytes_kind);
  auto offsets = file->FindArray<uint32_t>(offsets_kind);
  if (!bytes || !offsets || !TextsHold(*bytes, *offsets)) return std::nullopt;
  return TokenTexts(*bytes, *offsets, file);
}

std::optional<Vocab> FindVocab(const Shared& file) {
  auto texts = FindTexts(file, kVocabBytes, kVocabOffsets);
  auto traits = file->FindArray<VocabTraits>(kVocabTraits);
  auto ids = file->FindArray<uint32_t>(kVocabIds);
  auto slots = file->FindArray<Vocab::Slot>(kVocabSlots);
  auto places = file->FindArray<uint32_t>(kVocabPlaces);
  if (!texts || !traits || traits->size() != 1 || !ids || !slots || !places) return std::nullopt;
  const VocabTraits& own = traits->front();
  return Vocab::FromTables(
      {*texts, *ids, *slots, *places, own.sparse != 0, own.longest_token_bytes}, file);
}

std::optional<ScoredPieces> FindPieces(const Shared& file, Vocab vocab) {
  auto scores = file->FindArray<double>(kScores);
  if (!scores) return std::nullopt;
  std::optional<TokenTexts> texts = vocab.tables().texts;
  if (texts->size() != scores->size()) texts = FindTexts(file, kPieceBytes, kPieceOffsets);
  if (!texts) return std::nullopt;
  return ScoredPieces(*std::move(texts), *scores, std::move(vocab), file);
}

// The model that the source still holds.
std::shared_ptr<const Model> ReadModelAgain(const std::filesystem::path& path, const ReadText& read,
                                            const Sha256& identity) {
  SourceFile source = ReadSource(path, read);
  if (source.identity != identity) {
    throw Error(Code::kInternal, "the compiled form of " + path.string() +
                                     " is damaged, and the file has changed since");
  }
  if (auto read = ReadTokenizerText(source.text())) {
    return ParseModel(*read->rest.Find("model"), std::move(read->parts));
  }
  return ParseModel(*Json::Parse(source.text()).Find("model"));
}

BpeMerges LaterMerges(Shared file, std::filesystem::path path, ReadText read, Sha256 identity) {
  return BpeMerges([file = std::move(file), path = std::move(path), read = std::move(read),
                    identity]() -> BpeMerges::List {
    if (auto rules = file->FindArray<BpeMerge>(kMerges)) return {*rules, file};
    std::shared_ptr<const Model> model = ReadModelAgain(path, read, identity);
    const BpeMerges* merges = model->tables().merges;
    if (merges == nullptr) return {};
    return {merges->by_rank(), model};
  });
}

uint32_t KindOf(EncoderTable table) { return kEncoderTable + static_cast<uint32_t>(table); }

std::unique_ptr<SegmentEncoder> MakeKeptEncoder(const Shared& file, const Json& rest,
                                                const Model& model) {
  if (auto bytes = file->Find(kPlan)) {
    if (auto plan = ByteBpePlanFile::Open(*bytes, file)) return MakeByteBpeEncoder(std::move(plan));
  }
  auto find = [file](EncoderTable table) { return file->Find(KindOf(table)); };
  return MakeSegmentEncoder(rest, model, KeptTables(find, file));
}

class Sections {
 public:
  void Add(uint32_t kind, std::string_view bytes) { list_.push_back({kind, bytes}); }
  template <typename T>
  void AddArray(Kind kind, std::span<const T> array) {
    Add(kind, BytesOf(array));
  }
  void AddTexts(Kind bytes, Kind offsets, const TokenTexts& texts) {
    static constexpr uint32_t kNone[] = {0};
    Add(bytes, texts.bytes());
    AddArray(offsets, texts.offsets().empty() ? std::span<const uint32_t>(kNone) : texts.offsets());
  }
  void AddVocab(const Vocab& vocab) {
    const Vocab::Tables& tables = vocab.tables();
    traits_ = {tables.sparse, tables.longest_token_bytes};
    AddArray(kVocabTraits, std::span<const VocabTraits>(&traits_, 1));
    AddTexts(kVocabBytes, kVocabOffsets, tables.texts);
    AddArray(kVocabIds, tables.ids);
    AddArray(kVocabSlots, tables.slots);
    AddArray(kVocabPlaces, tables.places);
  }
  void AddPieces(const ScoredPieces& pieces) {
    AddArray(kScores, pieces.scores());
    if (pieces.size() != pieces.vocab().size()) {
      AddTexts(kPieceBytes, kPieceOffsets, pieces.texts());
    }
  }
  std::span<const CompiledFile::Section> list() const { return list_; }

 private:
  VocabTraits traits_{};
  std::vector<CompiledFile::Section> list_;
};

}  // namespace

std::filesystem::path CompiledCache::PathOf(const std::filesystem::path& source) const {
  return folder_ / (Sha256Of(std::filesystem::absolute(source).string()).Hex() + ".tokenizer");
}

std::optional<CompiledCache::Found> CompiledCache::Find(const std::filesystem::path& source,
                                                        const ReadText& read) const {
  std::optional<Sha256> identity = FindSourceIdentity(source);
  if (!identity) return std::nullopt;
  Shared file = CompiledFile::Map(PathOf(source), *identity);
  if (file == nullptr) return std::nullopt;
  try {
    auto rest = file->Find(kRest);
    auto vocab = FindVocab(file);
    if (!rest || !vocab) return std::nullopt;
    Found found{Json::Parse(*rest), {}, nullptr};
    const Json* model = found.rest.Find("model");
    std::optional<std::string> type = model ? model->StringField("type") : std::nullopt;
    if (!type) return std::nullopt;
    if (*type == "Unigram") {
      found.parts.pieces = FindPieces(file, *std::move(vocab));
      if (!found.parts.pieces) return std::nullopt;
    } else {
      found.parts.vocab = std::move(vocab);
    }
    if (*type == "BPE") found.parts.merges = LaterMerges(file, source, read, *identity);
    found.make_encoder = [file](const Json& json, const Model& plain) {
      return MakeKeptEncoder(file, json, plain);
    };
    return found;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void CompiledCache::Keep(const std::filesystem::path& path, const SourceFile& source,
                         const Json& rest, const Model& model, const FastTables& fast) const {
  try {
    const Json* json = rest.Find("model");
    if (json == nullptr || !json->StringField("type")) return;
    ModelTables tables = model.tables();
    Sections sections;
    std::string rest_text = rest.Dump();
    sections.Add(kRest, rest_text);
    sections.AddVocab(*tables.vocab);
    if (tables.pieces != nullptr) sections.AddPieces(*tables.pieces);
    if (tables.merges != nullptr) sections.AddArray(kMerges, tables.merges->by_rank());
    std::string plan_bytes;
    if (fast.plan != nullptr) {
      plan_bytes = ByteBpePlanFile::Write(*fast.plan);
      sections.Add(kPlan, plan_bytes);
    } else if (fast.encoder != nullptr) {
      for (const auto& [table, bytes] : fast.encoder->tables()) sections.Add(KindOf(table), bytes);
    }
    std::filesystem::create_directories(folder_);
    CompiledFile::Write(PathOf(path), source.identity, sections.list());
  } catch (const std::exception& error) {
    log::Debug("a compiled tokenizer could not be kept", {{"reason", error.what()}});
  }
}

}  // namespace hearth::tokenizers::internal
