#include "tokenizers/loaders/sentencepiece_model.h"

#include <cmath>

#include "base/error.h"
#include "base/utf8.h"
#include "tokenizers/loaders/protobuf.h"

namespace hearth::tokenizers {
namespace {

// The largest published vocabularies have 262,144 pieces.
constexpr size_t kMaxPieces = 4'000'000;

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    size_t length = Utf8Length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

SentencePiece ParsePiece(std::string_view message, size_t id) {
  SentencePiece piece;
  ProtoReader reader(message);
  ProtoField field;
  while (reader.Next(&field)) {
    if (field.number == 1) piece.text = field.bytes;
    if (field.number == 2) piece.score = field.AsFloat();
    if (field.number == 3) piece.type = static_cast<PieceType>(field.varint);
  }
  bool known = piece.type >= PieceType::kNormal && piece.type <= PieceType::kByte;
  if (!known || piece.text.empty() || !IsUtf8(piece.text) || !std::isfinite(piece.score)) {
    throw Error(Code::kInvalidArgument,
                "piece " + std::to_string(id) + " of the SentencePiece model is not valid");
  }
  return piece;
}

void ParseTrainerSpec(std::string_view message, SentencePieceModel* model) {
  ProtoReader reader(message);
  ProtoField field;
  while (reader.Next(&field)) {
    auto id = static_cast<int>(static_cast<int64_t>(field.varint));
    switch (field.number) {
      case 3:
        model->algorithm = static_cast<SentencePieceModel::Algorithm>(field.varint);
        break;
      case 24:
        model->treat_whitespace_as_suffix = field.varint != 0;
        break;
      case 35:
        model->byte_fallback = field.varint != 0;
        break;
      case 40:
        model->unk_id = id;
        break;
      case 41:
        model->bos_id = id;
        break;
      case 42:
        model->eos_id = id;
        break;
      case 45:
        model->unk_piece = field.bytes;
        break;
      default:
        break;
    }
  }
}

void ParseNormalizerSpec(std::string_view message, SentencePieceModel* model) {
  ProtoReader reader(message);
  ProtoField field;
  while (reader.Next(&field)) {
    if (field.number == 2) model->precompiled_charsmap = field.bytes;
    if (field.number == 3) model->add_dummy_prefix = field.varint != 0;
    if (field.number == 4) model->remove_extra_whitespaces = field.varint != 0;
    if (field.number == 5) model->escape_whitespaces = field.varint != 0;
  }
}

}  // namespace

SentencePieceModel ParseSentencePieceModel(std::string_view bytes) {
  SentencePieceModel model;
  ProtoReader reader(bytes);
  ProtoField field;
  while (reader.Next(&field)) {
    if (field.number == 1) {
      if (model.pieces.size() == kMaxPieces) {
        throw Error(Code::kTooLarge, "the SentencePiece model has too many pieces");
      }
      model.pieces.push_back(ParsePiece(field.bytes, model.pieces.size()));
    } else if (field.number == 2) {
      ParseTrainerSpec(field.bytes, &model);
    } else if (field.number == 3) {
      ParseNormalizerSpec(field.bytes, &model);
    }
  }
  if (model.pieces.empty()) {
    throw Error(Code::kInvalidArgument, "the SentencePiece model has no pieces");
  }
  return model;
}

}  // namespace hearth::tokenizers
