// Answers questions about tokenizers and their components, one JSON value a line in, one a line
// out.
//
//   {"op": "load", "json": "text of tokenizer.json"} or {"op": "load", "path": "..."}
//   {"op": "encode", "inputs": [I, ...], "add_special_tokens": b, "offsets": "characters",
//   "threads": n}
//       I: "text", {"words": [...]}, or {"first": I, "second": I}; "batch": false encodes one by
//       one
//   {"op": "ids", "texts": [...], "add_special_tokens": b}
//   {"op": "decode", "ids": [[...], ...], "skip_special_tokens": b}
//   {"op": "stream", "ids": [...], "skip_special_tokens": b}
//   {"op": "to_str", "pretty": b}
//   {"op": "set", "truncation": {...}|null, "padding": {...}|null, "encode_special_tokens": b}
//   {"op": "add_tokens", "tokens": [{...}, ...]}
//   {"op": "find", "tokens": [...], "ids": [...]}
//   {"op": "normalize", "component": {...}, "texts": [...]}
//   {"op": "pre_tokenize", "component": {...}, "texts": [...]}
//   {"op": "decoder", "component": {...}, "tokens": [[...], ...]}
// What fails answers {"error": "..."}; in a list, at its place.
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "codec/json.h"
#include "tokenizers/decoder.h"
#include "tokenizers/internal/character_index.h"
#include "tokenizers/normalizer.h"
#include "tokenizers/pre_tokenizer.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {
namespace {

Json Fault(const Error& error) { return Json::Obj({{"error", error.message()}}); }

// The answers to each item of a list.
template <typename Answer>
Json ForEach(const Json::Array& items, Answer&& answer) {
  Json::Array answers;
  for (const Json& item : items) {
    try {
      answers.push_back(answer(item));
    } catch (const Error& error) {
      answers.push_back(Fault(error));
    }
  }
  return Json(std::move(answers));
}

bool Flag(const Json& request, std::string_view key, bool standard) {
  return request.BoolField(key).value_or(standard);
}

std::vector<uint32_t> Ids(const Json& list) {
  std::vector<uint32_t> ids;
  for (const Json& id : *list.AsArray()) ids.push_back(static_cast<uint32_t>(*id.AsUint()));
  return ids;
}

template <typename T, typename Convert>
Json List(const std::vector<T>& values, Convert&& convert) {
  Json::Array list;
  list.reserve(values.size());
  for (const T& value : values) list.emplace_back(convert(value));
  return Json(std::move(list));
}

Json EncodingJson(const Encoding& encoding) {
  auto number = [](auto value) { return Json(static_cast<uint32_t>(value)); };
  return Json::Obj(
      {{"ids", List(encoding.ids, number)},
       {"type_ids", List(encoding.type_ids, number)},
       {"tokens", List(encoding.tokens, [](const std::string& token) { return Json(token); })},
       {"word_ids", List(encoding.word_ids, [](auto word) { return Json(word); })},
       {"sequence_ids", List(encoding.SequenceIds(), [](auto id) { return Json(id); })},
       {"offsets", List(encoding.offsets,
                        [](Offsets pair) {
                          return Json::Arr({pair.begin, pair.end});
                        })},
       {"special_tokens_mask", List(encoding.special_tokens_mask, number)},
       {"attention_mask", List(encoding.attention_mask, number)},
       {"overflowing", List(encoding.overflowing, EncodingJson)}});
}

EncodeSequence Sequence(const Json& json) {
  if (const std::string* text = json.AsString()) return EncodeSequence(*text);
  std::vector<std::string_view> words;
  for (const Json& word : json.RequireArray("words")) words.push_back(*word.AsString());
  return EncodeSequence::Words(std::move(words));
}

EncodeInput Input(const Json& json) {
  if (json.Find("first") == nullptr) return EncodeInput(Sequence(json));
  return EncodeInput(Sequence(*json.Find("first")), Sequence(*json.Find("second")));
}

OffsetUnit Unit(const Json& request) {
  std::string name = request.StringField("offsets").value_or("characters");
  if (name == "bytes") return OffsetUnit::kBytes;
  return name == "none" ? OffsetUnit::kNone : OffsetUnit::kCharacters;
}

Json PreTokenize(const PreTokenizer& component, const std::string& text) {
  PreTokenizedString pieces;
  pieces.Reset(text);
  component.PreTokenize(&pieces);
  internal::CharacterIndex characters(text);
  return List(pieces.parts(), [&](const PreTokenizedString::Part& part) {
    Offsets offsets = characters.Convert(part.text.original_offsets());
    return Json::Arr({part.text.text(), Json::Arr({offsets.begin, offsets.end})});
  });
}

class Probe {
 public:
  Json Answer(const Json& request) {
    std::string op = request.RequireString("op");
    if (op == "normalize" || op == "pre_tokenize" || op == "decoder") {
      return AnswerComponent(op, request);
    }
    if (op == "load") {
      std::optional<std::string> path = request.StringField("path");
      tokenizer_ =
          path ? Tokenizer::FromFile(*path) : Tokenizer::FromJson(request.RequireString("json"));
      return Json::Obj({{"fast_path", tokenizer_->has_fast_path()}});
    }
    if (!tokenizer_) throw Error(Code::kConflict, "no tokenizer is loaded");
    if (op == "encode") return AnswerEncode(request);
    if (op == "ids") {
      return ForEach(request.RequireArray("texts"), [&](const Json& text) {
        return List(
            tokenizer_->EncodeIds(*text.AsString(), Flag(request, "add_special_tokens", true)),
            [](uint32_t id) { return Json(id); });
      });
    }
    if (op == "decode") {
      return ForEach(request.RequireArray("ids"), [&](const Json& ids) {
        return Json(tokenizer_->Decode(Ids(ids), Flag(request, "skip_special_tokens", true)));
      });
    }
    if (op == "stream") {
      DecodeStream stream(*tokenizer_, Flag(request, "skip_special_tokens", true));
      return ForEach(request.RequireArray("ids"), [&](const Json& id) {
        return Json(stream.Step(static_cast<uint32_t>(*id.AsUint())));
      });
    }
    if (op == "to_str") return Json(tokenizer_->ToJson(Flag(request, "pretty", false)));
    return AnswerState(op, request);
  }

 private:
  // The fast path and the stages one by one must agree before either is compared.
  Encoding EncodeBothWays(const EncodeInput& input, EncodeOptions options) const {
    options.stage_by_stage = true;
    Encoding expected = tokenizer_->Encode(input, options);
    options.stage_by_stage = false;
    Encoding encoding = tokenizer_->Encode(input, options);
    if (encoding != expected) {
      throw Error(Code::kInternal, "the fast path and the stages differ");
    }
    return encoding;
  }

  Json AnswerEncode(const Json& request) const {
    EncodeOptions options{.add_special_tokens = Flag(request, "add_special_tokens", true),
                          .offsets = Unit(request),
                          .threads = static_cast<int>(request.IntField("threads").value_or(1))};
    const Json::Array& inputs = request.RequireArray("inputs");
    if (!Flag(request, "batch", true)) {
      return ForEach(inputs, [&](const Json& input) {
        return EncodingJson(EncodeBothWays(Input(input), options));
      });
    }
    std::vector<EncodeInput> batch;
    for (const Json& input : inputs) batch.push_back(Input(input));
    return List(tokenizer_->EncodeBatch(batch, options), EncodingJson);
  }

  Json AnswerState(const std::string& op, const Json& request) {
    if (op == "find") {
      Json ids = ForEach(request.RequireArray("tokens"), [&](const Json& token) {
        return Json(tokenizer_->FindId(*token.AsString()));
      });
      Json tokens = ForEach(request.RequireArray("ids"), [&](const Json& id) {
        return Json(tokenizer_->FindToken(static_cast<uint32_t>(*id.AsUint())));
      });
      return Json::Obj({{"ids", ids},
                        {"tokens", tokens},
                        {"size", tokenizer_->vocab_size(true)},
                        {"model_size", tokenizer_->vocab_size(false)}});
    }
    if (op == "add_tokens") {
      std::vector<AddedToken> tokens;
      for (auto& [id, token] : ParseAddedTokens(*request.Find("tokens"))) tokens.push_back(token);
      return Json(tokenizer_->AddTokens(tokens));
    }
    if (op == "set") {
      if (const Json* value = request.Find("truncation")) {
        tokenizer_->SetTruncation(value->is_null() ? std::nullopt
                                                   : std::optional(Truncation::Parse(*value)));
      }
      if (const Json* value = request.Find("padding")) {
        tokenizer_->SetPadding(value->is_null() ? std::nullopt
                                                : std::optional(PaddingOptions::Parse(*value)));
      }
      if (auto value = request.BoolField("encode_special_tokens")) {
        tokenizer_->SetEncodeSpecialTokens(*value);
      }
      return Json(true);
    }
    throw Error(Code::kInvalidArgument, "unknown op " + op);
  }

  static Json AnswerComponent(const std::string& op, const Json& request) {
    const Json& component = *request.Find("component");
    if (op == "normalize") {
      std::unique_ptr<Normalizer> normalizer = ParseNormalizer(component);
      return ForEach(request.RequireArray("texts"), [&](const Json& text) {
        internal::Arena arena;
        NormalizedString normalized(*text.AsString(), &arena);
        normalizer->Normalize(&normalized);
        return Json(normalized.text());
      });
    }
    if (op == "pre_tokenize") {
      std::unique_ptr<PreTokenizer> pre_tokenizer = ParsePreTokenizer(component);
      return ForEach(request.RequireArray("texts"), [&](const Json& text) {
        return PreTokenize(*pre_tokenizer, *text.AsString());
      });
    }
    std::unique_ptr<Decoder> decoder = ParseDecoder(component);
    return ForEach(request.RequireArray("tokens"), [&](const Json& list) {
      std::vector<std::string> tokens;
      for (const Json& token : *list.AsArray()) tokens.push_back(*token.AsString());
      decoder->Decode(&tokens);
      std::string text;
      for (const std::string& token : tokens) text += token;
      return Json(text);
    });
  }

  std::optional<Tokenizer> tokenizer_;
};

}  // namespace
}  // namespace hearth::tokenizers

int main() {
  std::ios::sync_with_stdio(false);
  hearth::tokenizers::Probe probe;
  for (std::string line; std::getline(std::cin, line);) {
    hearth::Json answer;
    try {
      answer = probe.Answer(hearth::Json::Parse(line));
    } catch (const hearth::Error& error) {
      answer = hearth::tokenizers::Fault(error);
    }
    std::cout << answer.Dump() << "\n" << std::flush;
  }
}
