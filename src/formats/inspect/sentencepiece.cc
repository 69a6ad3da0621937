// SentencePiece models: a protobuf message (sentencepiece_model.proto) of pieces, and of how they
// were trained and how text is normalised.
#include "base/error.h"

#include "formats/inspect/inspector.h"
#include "formats/internal/protobuf_reader.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxPieceBytes = 1 << 16;
constexpr uint64_t kMaxPieces = 4'000'000;
constexpr size_t kShownPieces = 16;

// The first piece: field 1 of the model, in it field 1, a text, and field 2, a float.
int Probe(std::string_view name, std::string_view first) {
  if (first.size() < 6 || first[0] != '\x0A' || first[2] != '\x0A') return 0;
  auto outer = static_cast<unsigned char>(first[1]);
  auto inner = static_cast<unsigned char>(first[3]);
  bool plain = outer < 0x80 && inner < outer && size_t{4} + inner < first.size();
  if (!plain || first[size_t{4} + inner] != '\x15') return 0;
  return name.ends_with(".model") || name.ends_with(".spm") ? 90 : 70;
}

struct Piece {
  std::string text;
  uint64_t kind = 1;  // 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
};

Piece ReadPiece(ByteSource& source, const ProtobufField& field) {
  Piece piece;
  ProtobufReader reader(source, field.begin, field.begin + field.bytes);
  ProtobufField part;
  while (reader.Next(&part)) {
    if (part.number == 1 && part.wire == 2) piece.text = reader.Text(part, kMaxPieceBytes);
    if (part.number == 3 && part.wire == 0) piece.kind = part.value;
  }
  return piece;
}

void AddTraining(ByteSource& source, const ProtobufField& field, Inspection* out) {
  static constexpr const char* kAlgorithms[] = {"?", "unigram", "bpe", "word", "char"};
  struct Row {
    uint32_t number;
    const char* key;
    bool flag;
  };
  static constexpr Row kRows[] = {
      {4, "vocab_size", false},   {24, "treat_whitespace_as_suffix", true},
      {25, "split_digits", true}, {35, "byte_fallback", true},
      {40, "unk_id", false},      {41, "bos_id", false},
      {42, "eos_id", false},      {43, "pad_id", false}};
  ProtobufReader reader(source, field.begin, field.begin + field.bytes);
  ProtobufField part;
  std::string algorithm = kAlgorithms[1];  // the default of the format
  while (reader.Next(&part)) {
    if (part.wire != 0) continue;
    if (part.number == 3 && part.value <= 4) algorithm = kAlgorithms[part.value];
    for (const Row& row : kRows) {
      if (part.number != row.number) continue;
      Json value = row.flag ? Json(part.value != 0) : Json(static_cast<int32_t>(part.value));
      out->Add(row.key, std::move(value), std::string("trainer_spec.") + row.key);
    }
  }
  out->facts.insert(out->facts.begin(), {"algorithm", algorithm, "trainer_spec.model_type"});
}

void AddNormalizer(ByteSource& source, const ProtobufField& field, Inspection* out) {
  ProtobufReader reader(source, field.begin, field.begin + field.bytes);
  ProtobufField part;
  while (reader.Next(&part)) {
    if (part.number == 1 && part.wire == 2)
      out->Add("normalizer", reader.Text(part, kMaxPieceBytes), "normalizer_spec.name");
    if (part.number == 2 && part.wire == 2)
      out->Add("table of replacements", std::to_string(part.bytes) + " bytes",
               "normalizer_spec.precompiled_charsmap");
    if (part.number == 3 && part.wire == 0)
      out->Add("add_dummy_prefix", part.value != 0, "normalizer_spec.add_dummy_prefix");
    if (part.number == 4 && part.wire == 0)
      out->Add("remove_extra_whitespaces", part.value != 0,
               "normalizer_spec.remove_extra_whitespaces");
  }
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  static constexpr const char* kKinds[] = {"",        "normal", "unknown", "control",
                                           "defined", "unused", "byte"};
  ProtobufReader reader(source, 0, source.size_bytes());
  ProtobufField field;
  uint64_t counts[7] = {};
  uint64_t pieces = 0;
  size_t shown = 0;
  while (reader.Next(&field)) {
    if (field.wire != 2) continue;
    if (field.number == 2) AddTraining(source, field, out);
    if (field.number == 3) AddNormalizer(source, field, out);
    if (field.number != 1) continue;
    if (++pieces > kMaxPieces) throw Error(Code::kTooLarge, "the model has too many pieces");
    Piece piece = ReadPiece(source, field);
    if (piece.kind < 1 || piece.kind > 6) continue;
    ++counts[piece.kind];
    bool special = piece.kind >= 2 && piece.kind <= 4;
    if (special && shown++ < kShownPieces)
      out->metadata.emplace_back(
          "piece " + std::to_string(pieces - 1) + " (" + kKinds[piece.kind] + ")", piece.text);
  }
  out->Add("pieces", pieces, "pieces");
  for (int kind = 2; kind <= 6; ++kind) {
    if (counts[kind] > 0)
      out->Add(std::string(kKinds[kind]) + " pieces", counts[kind], "pieces[].type");
  }
}

}  // namespace

extern const Inspector kSentencepieceInspector;
const Inspector kSentencepieceInspector = {"sentencepiece", Probe, Inspect};

}  // namespace hearth
