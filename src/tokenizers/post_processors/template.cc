// TemplateProcessing: special tokens around and between the sequences as a template says, one
// template for a single text and one for a pair. Each piece of a template is a sequence (A or B) or
// a special token, which may be several tokens, and gives its tokens a type id.
#include <map>
#include <optional>

#include "base/error.h"
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/post_processor.h"

namespace hearth::tokenizers {
namespace {

// Longer templates are a mistake or an attack: each piece can repeat a whole sequence.
constexpr size_t kMaxPieces = 64;

struct SpecialToken {
  std::string id;
  std::vector<uint32_t> ids;
  std::vector<std::string> tokens;
};

struct TemplatePiece {
  std::optional<size_t> sequence;  // 0: A, 1: B; nullopt: a special token
  std::string special;
  uint32_t type_id = 0;
};

using Template = std::vector<TemplatePiece>;
using SpecialTokens = std::map<std::string, SpecialToken>;

TemplatePiece ParsePiece(const Json& json) {
  const Json::Object* members = json.AsObject();
  if (members != nullptr && members->size() == 1) {
    const auto& [kind, value] = members->front();
    std::string id = value.RequireString("id");
    uint32_t type_id = internal::RequireUint32(value, "type_id");
    if (kind == "SpecialToken") return {std::nullopt, std::move(id), type_id};
    if (kind == "Sequence" && id == "A") return {0, {}, type_id};
    if (kind == "Sequence" && id == "B") return {1, {}, type_id};
  }
  throw Error(Code::kInvalidArgument,
              "a piece of a template must be a \"Sequence\" A or B, or a \"SpecialToken\"");
}

Template ParseTemplate(const Json& json, std::string_view key) {
  const Json::Array& pieces = json.RequireArray(key);
  if (pieces.size() > kMaxPieces) {
    throw Error(Code::kTooLarge,
                "a template has more than " + std::to_string(kMaxPieces) + " pieces");
  }
  Template result;
  for (const Json& piece : pieces) result.push_back(ParsePiece(piece));
  return result;
}

SpecialTokens ParseSpecialTokens(const Json& json) {
  const Json::Object* members = internal::Require(json, "special_tokens").AsObject();
  if (members == nullptr) {
    throw Error(Code::kInvalidArgument, "\"special_tokens\" must be an object");
  }
  SpecialTokens result;
  for (const auto& [name, value] : *members) {
    SpecialToken special;
    special.id = value.RequireString("id");
    for (const Json& id : value.RequireArray("ids")) {
      std::optional<uint64_t> number = id.AsUint();
      if (!number || *number > UINT32_MAX) {
        throw Error(Code::kInvalidArgument, "\"ids\" must be token ids");
      }
      special.ids.push_back(static_cast<uint32_t>(*number));
    }
    for (const Json& token : value.RequireArray("tokens")) {
      if (token.AsString() == nullptr) {
        throw Error(Code::kInvalidArgument, "\"tokens\" must be strings");
      }
      special.tokens.push_back(*token.AsString());
    }
    result[name] = std::move(special);
  }
  return result;
}

class TemplatePostProcessor : public PostProcessor {
 public:
  explicit TemplatePostProcessor(const Json& json)
      : single_(ParseTemplate(json, "single")),
        pair_(ParseTemplate(json, "pair")),
        special_tokens_(ParseSpecialTokens(json)) {}

  size_t added_tokens(bool is_pair) const override {
    size_t count = 0;
    for (const TemplatePiece& piece : is_pair ? pair_ : single_) {
      if (piece.sequence) continue;
      auto special = special_tokens_.find(piece.special);
      if (special != special_tokens_.end()) count += special->second.ids.size();
    }
    return count;
  }

  std::vector<Encoding> Process(std::vector<Encoding> encodings,
                                bool add_special_tokens) const override {
    if (encodings.empty() || encodings.size() > 2) {
      throw Error(Code::kInvalidArgument, "a template takes one encoding or two");
    }
    const Template& pieces = encodings.size() == 2 ? pair_ : single_;
    std::vector<Encoding> result;
    result.reserve(pieces.size());
    for (size_t i = 0; i < pieces.size(); ++i) {
      if (pieces[i].sequence) {
        result.push_back(TakeSequence(pieces, i, &encodings));
      } else if (add_special_tokens) {
        result.push_back(MakeSpecial(pieces[i]));
      }
    }
    return result;
  }

  Json ToJson() const override {
    Json special_tokens = Json::Obj();
    for (const auto& [name, special] : special_tokens_) {
      special_tokens.Set(name,
                         Json::Obj({{"id", special.id},
                                    {"ids", Json::Array(special.ids.begin(), special.ids.end())},
                                    {"tokens", special.tokens}}));
    }
    return Json::Obj({{"type", "TemplateProcessing"},
                      {"single", TemplateJson(single_)},
                      {"pair", TemplateJson(pair_)},
                      {"special_tokens", std::move(special_tokens)}});
  }

 private:
  // The last piece that names a sequence takes it, those before it copy.
  static Encoding TakeSequence(const Template& pieces, size_t at,
                               std::vector<Encoding>* encodings) {
    size_t sequence = *pieces[at].sequence;
    if (sequence >= encodings->size()) {
      throw Error(Code::kInvalidArgument, "the template for one text asks for a second one");
    }
    Encoding& encoding = (*encodings)[sequence];
    encoding.SetTypeIds(pieces[at].type_id);
    encoding.SetSequence(sequence);
    for (size_t i = at + 1; i < pieces.size(); ++i) {
      if (pieces[i].sequence == sequence) return encoding;
    }
    return std::move(encoding);
  }

  Encoding MakeSpecial(const TemplatePiece& piece) const {
    auto special = special_tokens_.find(piece.special);
    if (special == special_tokens_.end()) {
      throw Error(Code::kInvalidArgument, "the template names the special token \"" +
                                              piece.special + "\", which \"special_tokens\" lacks");
    }
    size_t size = special->second.ids.size();
    Encoding encoding;
    encoding.ids = special->second.ids;
    // The reference takes lists of other lengths; an encoding's stay parallel here.
    encoding.tokens = special->second.tokens;
    encoding.tokens.resize(size);
    encoding.type_ids.assign(size, piece.type_id);
    encoding.word_ids.resize(size);
    encoding.offsets.resize(size);
    encoding.special_tokens_mask.assign(size, 1);
    encoding.attention_mask.assign(size, 1);
    return encoding;
  }

  static Json TemplateJson(const Template& pieces) {
    Json::Array list;
    for (const TemplatePiece& piece : pieces) {
      std::string id = !piece.sequence ? piece.special : *piece.sequence == 0 ? "A" : "B";
      list.push_back(Json::Obj({{piece.sequence ? "Sequence" : "SpecialToken",
                                 Json::Obj({{"id", id}, {"type_id", piece.type_id}})}}));
    }
    return Json(std::move(list));
  }

  Template single_;
  Template pair_;
  SpecialTokens special_tokens_;
};

}  // namespace

std::unique_ptr<PostProcessor> ParseTemplatePostProcessor(const Json& json) {
  for (std::string_view key : {"single", "pair", "special_tokens"}) {
    if (json.Find(key) == nullptr) return nullptr;
  }
  return std::make_unique<TemplatePostProcessor>(json);
}

}  // namespace hearth::tokenizers
