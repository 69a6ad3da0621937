#include "tokenizers/tokenizer.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/error.h"
#include "tokenizers/decoder.h"
#include "tokenizers/internal/compiled_cache.h"
#include "tokenizers/internal/fast_path.h"
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/internal/single_text_plan.h"
#include "tokenizers/internal/source_file.h"
#include "tokenizers/internal/tokenizer_scratch.h"
#include "tokenizers/internal/tokenizer_text.h"
#include "tokenizers/json_text.h"
#include "tokenizers/model.h"
#include "tokenizers/models/model_parts.h"
#include "tokenizers/normalizer.h"
#include "tokenizers/post_processor.h"
#include "tokenizers/pre_tokenizer.h"
#include "tokenizers/segment_encoders/byte_bpe_load.h"

namespace hearth::tokenizers {
namespace {

// The member, unless it is absent or null.
const Json* FindPart(const Json& json, std::string_view key) {
  const Json* part = json.Find(key);
  return part == nullptr || part->is_null() ? nullptr : part;
}

template <typename Stage>
Json StageJson(const std::unique_ptr<Stage>& stage) {
  return stage == nullptr ? Json() : stage->ToJson();
}

// The value without the members that a model holds in its own form.
Json WithoutTables(const Json& json) {
  Json rest = Json::Obj();
  for (const auto& [key, value] : *json.AsObject()) {
    if (key != "model" || !value.is_object()) {
      rest.AsObject()->emplace_back(key, value);
      continue;
    }
    Json model = Json::Obj();
    for (const auto& [name, field] : *value.AsObject()) {
      bool large = name == "vocab" || name == "merges";
      model.AsObject()->emplace_back(name, large ? Json() : field);
    }
    rest.AsObject()->emplace_back(key, std::move(model));
  }
  return rest;
}

}  // namespace

const SegmentEncoder* Tokenizer::segment_encoder() const {
  FastPath* fast = fast_path_.get();
  if (fast == nullptr) return nullptr;
  std::call_once(fast->once, [&] {
    const Json& json = fast->tokenizer_json;
    fast->encoder =
        fast->make_kept ? fast->make_kept(json, *model_) : MakeSegmentEncoder(json, *model_);
    fast->make_kept = nullptr;
    fast->tokenizer_json = Json();
    fast->made.store(true, std::memory_order_release);
  });
  return fast->encoder.get();
}

Tokenizer::Tokenizer() : scratch_pool_(std::make_unique<ScratchPool>()) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::FromJson(std::string_view text) {
  if (auto read = internal::ReadTokenizerText(text)) {
    try {
      const Json* model = read->rest.Find("model");
      std::unique_ptr<Model> made = ParseModel(*model, std::move(read->parts));
      return Assemble(std::move(read->rest), std::move(made));
    } catch (const Error&) {
      // What is wrong is said by the ordinary way, below, with the whole file before it.
    }
  }
  return Build(Json::Parse(text));
}

Tokenizer Tokenizer::FromFile(const std::filesystem::path& path, const LoadOptions& options) {
  return FromFile(path, options, nullptr);
}

Tokenizer Tokenizer::FromFile(const std::filesystem::path& path, const LoadOptions& options,
                              const ReadText& read) {
  if (options.cache_folder.empty()) return FromJson(internal::ReadSource(path, read).text());
  internal::CompiledCache cache(options.cache_folder);
  if (auto found = cache.Find(path, read)) {
    try {
      const Json* model = found->rest.Find("model");
      std::unique_ptr<Model> made = ParseModel(*model, std::move(found->parts));
      Tokenizer tokenizer = Assemble(std::move(found->rest), std::move(made));
      tokenizer.fast_path_->make_kept = std::move(found->make_encoder);
      return tokenizer;
    } catch (const Error&) {
      // Made again below.
    }
  }
  internal::SourceFile source = internal::ReadSource(path, read);
  Tokenizer tokenizer = FromJson(source.text());
  if (source.unchanged_for < options.settled) return tokenizer;
  FastPath& fast = *tokenizer.fast_path_;
  Json rest = fast.tokenizer_json;
  if (auto plan = MakeByteBpePlan(rest, *tokenizer.model_)) {
    cache.Keep(path, source, rest, *tokenizer.model_, {.plan = plan.get()});
    fast.make_kept = [plan](const Json&, const Model&) { return MakeByteBpeEncoder(plan); };
  } else {
    cache.Keep(path, source, rest, *tokenizer.model_, {.encoder = tokenizer.segment_encoder()});
  }
  return tokenizer;
}

std::filesystem::path DefaultTokenizerCache() {
  // A relative path there is to be taken for none (XDG base directories).
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return std::filesystem::path(cache) / "hearth/tokenizers";
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/') return {};
  return std::filesystem::path(home) / ".cache/hearth/tokenizers";
}

// The reference refuses a file with anything else.
constexpr std::string_view kParts[] = {"version",        "truncation", "padding",
                                       "added_tokens",   "normalizer", "pre_tokenizer",
                                       "post_processor", "decoder",    "model"};

Tokenizer Tokenizer::Build(const Json& json) {
  if (!json.is_object()) throw Error(Code::kInvalidArgument, "a tokenizer must be a JSON object");
  return Assemble(WithoutTables(json), ParseModel(internal::Require(json, "model")));
}

Tokenizer Tokenizer::Assemble(Json json, std::unique_ptr<Model> model) {
  if (!json.is_object()) throw Error(Code::kInvalidArgument, "a tokenizer must be a JSON object");
  if (json.Find("version") != nullptr && json.RequireString("version") != "1.0") {
    throw Error(Code::kInvalidArgument, "the \"version\" of a tokenizer must be \"1.0\"");
  }
  for (const auto& [key, value] : *json.AsObject()) {
    if (std::count(std::begin(kParts), std::end(kParts), key) > 0) continue;
    throw Error(Code::kInvalidArgument, "a tokenizer has no \"" + key + "\"");
  }
  Tokenizer tokenizer;
  if (const Json* part = FindPart(json, "normalizer")) {
    tokenizer.normalizer_ = ParseNormalizer(*part);
  }
  if (const Json* part = FindPart(json, "pre_tokenizer")) {
    tokenizer.pre_tokenizer_ = ParsePreTokenizer(*part);
  }
  if (const Json* part = FindPart(json, "post_processor")) {
    tokenizer.post_processor_ = ParsePostProcessor(*part);
  }
  if (const Json* part = FindPart(json, "decoder")) tokenizer.decoder_ = ParseDecoder(*part);
  if (const Json* part = FindPart(json, "truncation")) {
    tokenizer.truncation_ = Truncation::Parse(*part);
  }
  if (const Json* part = FindPart(json, "padding")) {
    tokenizer.padding_ = PaddingOptions::Parse(*part);
  }
  tokenizer.model_ = std::move(model);
  if (const Json* part = json.Find("added_tokens")) {
    // The ids in the file are not obeyed: a token that the model has keeps the model's id, and the
    // others are numbered in the order of the file.
    std::vector<AddedToken> tokens;
    for (auto& [id, token] : ParseAddedTokens(*part)) tokens.push_back(std::move(token));
    tokenizer.AddTokens(tokens);
  }
  tokenizer.fast_path_ = std::make_unique<FastPath>();
  tokenizer.fast_path_->tokenizer_json = std::move(json);
  tokenizer.MakePlan();
  return tokenizer;
}

std::string Tokenizer::ToJson(bool pretty) const {
  Json json = Json::Obj({{"version", "1.0"},
                         {"truncation", truncation_ ? truncation_->ToJson() : Json()},
                         {"padding", padding_ ? padding_->ToJson() : Json()},
                         {"added_tokens", added_.ToJson()},
                         {"normalizer", StageJson(normalizer_)},
                         {"pre_tokenizer", StageJson(pre_tokenizer_)},
                         {"post_processor", StageJson(post_processor_)},
                         {"decoder", StageJson(decoder_)}});
  json.Set("model", model_->ToJson());
  return WriteJson(json, pretty);
}

std::string Tokenizer::Decode(std::span<const uint32_t> ids, bool skip_special_tokens) const {
  std::vector<std::string> tokens;
  tokens.reserve(ids.size());
  for (uint32_t id : ids) {
    std::optional<std::string_view> token = FindToken(id);
    if (!token || (skip_special_tokens && added_.IsSpecial(*token))) continue;
    tokens.emplace_back(*token);
  }
  std::string_view separator = " ";
  if (decoder_ != nullptr) {
    decoder_->Decode(&tokens);
    separator = "";
  }
  if (tokens.size() == 1) return std::move(tokens[0]);
  std::string text;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0) text += separator;
    text += tokens[i];
  }
  return text;
}

std::optional<uint32_t> Tokenizer::FindId(std::string_view token) const {
  std::optional<uint32_t> id = added_.FindId(token);
  return id ? id : model_->FindId(token);
}

std::optional<std::string_view> Tokenizer::FindToken(uint32_t id) const {
  std::optional<std::string_view> token = added_.FindToken(id);
  return token ? token : model_->FindToken(id);
}

size_t Tokenizer::vocab_size(bool with_added_tokens) const {
  size_t size = model_->vocab_size();
  if (!with_added_tokens) return size;
  for (const auto& [id, token] : added_.tokens()) size += !model_->FindId(token.content);
  return size;
}

void Tokenizer::ForEachToken(const std::function<void(std::string_view, uint32_t)>& visit) const {
  model_->ForEachToken(visit);
  for (const auto& [id, token] : added_.tokens()) {
    if (!model_->FindId(token.content)) visit(token.content, id);
  }
}

size_t Tokenizer::AddTokens(std::span<const AddedToken> tokens) {
  return added_.Add(tokens, *model_, normalizer_.get());
}

size_t Tokenizer::AddSpecialTokens(std::span<const std::string> contents) {
  std::vector<AddedToken> tokens;
  for (const std::string& content : contents) tokens.push_back(AddedToken::Special(content));
  return AddTokens(tokens);
}

// What must be left for the text wraps around when the special tokens alone are too many; the
// reference then takes the length for unlimited, and so does PostProcess.
void Tokenizer::CheckTruncation(const Truncation& truncation) const {
  size_t left = truncation.max_length - added_special_tokens(false);
  if (left < truncation.stride) {
    throw Error(Code::kInvalidArgument,
                "the truncation stride " + std::to_string(truncation.stride) + " is above the " +
                    std::to_string(left) + " tokens that are left for text");
  }
}

void Tokenizer::SetTruncation(std::optional<Truncation> truncation) {
  if (truncation) CheckTruncation(*truncation);
  truncation_ = truncation;
}

size_t Tokenizer::added_special_tokens(bool is_pair) const {
  return post_processor_ == nullptr ? 0 : post_processor_->added_tokens(is_pair);
}

void Tokenizer::SetModel(std::unique_ptr<Model> model) {
  model_ = std::move(model);
  fast_path_ = nullptr;
  scratch_pool_ = std::make_unique<ScratchPool>();
}

}  // namespace hearth::tokenizers
