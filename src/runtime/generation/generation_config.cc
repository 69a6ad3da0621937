#include "runtime/generation/generation_config.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <type_traits>

#include "base/error.h"

namespace hearth::runtime {
namespace {

// More would only cost memory: a vocabulary has fewer entries, a request fewer wishes.
constexpr size_t kMaxListItems = 1u << 20;
constexpr uint32_t kMaxNgram = 1u << 16;
constexpr uint32_t kMaxBeams = 4096;
constexpr uint32_t kMaxCount = 1u << 30;
constexpr uint32_t kDefaultNewTokens = 20;

[[noreturn]] void Refuse(std::string_view key, std::string_view what) {
  throw Error(Code::kInvalidArgument,
              "generation config: \"" + std::string(key) + "\" must be " + std::string(what));
}

// Reads one key after the other; the destination's type says what it must be.
class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}

  void Read(std::string_view key, std::optional<bool>* out) {
    if (const Json* value = Find(key)) {
      if (!value->is_bool()) Refuse(key, "true or false");
      *out = value->AsBool();
    }
  }

  void Read(std::string_view key, std::optional<uint64_t>* out) {
    if (const Json* value = Find(key)) {
      *out = value->AsUint();
      if (!*out) Refuse(key, "a whole number");
    }
  }

  void Count(std::string_view key, uint32_t limit, std::optional<uint32_t>* out) {
    if (const Json* value = Find(key)) *out = CountOf(key, *value, limit);
  }

  void Token(std::string_view key, std::optional<TokenId>* out) { Count(key, kMaxCount, out); }

  // A number that `allowed` takes; `what` says in words which those are.
  template <typename Allowed>
  void Real(std::string_view key, std::string_view what, Allowed allowed,
            std::optional<double>* out) {
    if (const Json* value = Find(key)) {
      auto real = value->AsDouble();
      if (!real || !allowed(*real)) Refuse(key, what);
      *out = real;
    }
  }

  // One id or a list of them; negative ids, which old files use for "none", are left out.
  void Tokens(std::string_view key, std::optional<std::vector<TokenId>>* out) {
    const Json* value = Find(key);
    if (value == nullptr) return;
    std::vector<TokenId> tokens;
    if (value->is_array()) {
      tokens = TokenList(key, *value);
    } else if (auto single = value->AsInt(); single && *single >= 0) {
      tokens.push_back(CountOf(key, *value, kMaxCount));
    } else if (!single) {
      Refuse(key, "a token id or a list of them");
    }
    if (!tokens.empty()) *out = std::move(tokens);
  }

  void Words(std::string_view key, std::optional<std::vector<std::vector<TokenId>>>* out) {
    const Json* value = Find(key);
    if (value == nullptr) return;
    std::vector<std::vector<TokenId>> words;
    for (const Json& word : ArrayOf(key, *value)) {
      words.push_back(TokenList(key, word));
      if (words.back().empty()) Refuse(key, "a list of lists of token ids");
    }
    if (words.empty()) Refuse(key, "a list that is not empty");
    *out = std::move(words);
  }

  void Strings(std::string_view key, std::optional<std::vector<std::string>>* out) {
    const Json* value = Find(key);
    if (value == nullptr) return;
    std::vector<std::string> strings;
    if (const std::string* single = value->AsString()) {
      strings.push_back(*single);
    } else {
      for (const Json& item : ArrayOf(key, *value)) {
        if (item.AsString() == nullptr) Refuse(key, "a string or a list of strings");
        strings.push_back(*item.AsString());
      }
    }
    std::erase(strings, "");
    *out = std::move(strings);
  }

  void Early(std::string_view key, std::optional<EarlyStopping>* out) {
    const Json* value = Find(key);
    if (value == nullptr) return;
    if (auto flag = value->is_bool() ? value->AsBool() : std::nullopt) {
      *out = *flag ? EarlyStopping::kTrue : EarlyStopping::kFalse;
    } else if (value->AsString() != nullptr && *value->AsString() == "never") {
      *out = EarlyStopping::kNever;
    } else {
      Refuse(key, "true, false or \"never\"");
    }
  }

  void Decay(std::string_view key, std::optional<LengthDecay>* out) {
    const Json* value = Find(key);
    if (value == nullptr) return;
    const Json::Array* pair = value->AsArray();
    if (pair == nullptr || pair->size() != 2) Refuse(key, "a pair of start and factor");
    auto start = (*pair)[0].AsInt();
    auto factor = (*pair)[1].AsDouble();
    if (!start || *start < 0 || *start > kMaxCount || !factor || !std::isfinite(*factor)) {
      Refuse(key, "a pair of start and factor");
    }
    *out = LengthDecay{*start, *factor};
  }

  // [[[tokens], bias], ...]: the form that JSON can hold.
  void Biases(std::string_view key, std::optional<std::vector<SequenceBias>>* out) {
    const Json* value = Find(key);
    if (value == nullptr) return;
    constexpr std::string_view kWhat = "a list of pairs [[token ids], bias]";
    std::vector<SequenceBias> biases;
    for (const Json& item : ArrayOf(key, *value)) {
      const Json::Array* pair = item.AsArray();
      if (pair == nullptr || pair->size() != 2) Refuse(key, kWhat);
      auto bias = (*pair)[1].AsDouble();
      SequenceBias read{TokenList(key, (*pair)[0]), 0};
      if (read.tokens.empty() || !bias || std::isnan(*bias)) Refuse(key, kWhat);
      read.bias = static_cast<float>(*bias);
      // As the entries of a dictionary: the last one with the same tokens counts.
      std::erase_if(biases, [&](const SequenceBias& other) { return other.tokens == read.tokens; });
      biases.push_back(std::move(read));
    }
    *out = std::move(biases);
  }

 private:
  const Json* Find(std::string_view key) const {
    const Json* value = json_.Find(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  static uint32_t CountOf(std::string_view key, const Json& value, uint32_t limit) {
    auto count = value.AsUint();
    if (!count || *count > limit) {
      Refuse(key, "a whole number from 0 to " + std::to_string(limit));
    }
    return static_cast<uint32_t>(*count);
  }

  static const Json::Array& ArrayOf(std::string_view key, const Json& value) {
    const Json::Array* items = value.AsArray();
    if (items == nullptr) Refuse(key, "a list");
    if (items->size() > kMaxListItems) Refuse(key, "a shorter list");
    return *items;
  }

  static std::vector<TokenId> TokenList(std::string_view key, const Json& value) {
    std::vector<TokenId> tokens;
    for (const Json& item : ArrayOf(key, value)) {
      auto id = item.AsInt();
      if (!id) Refuse(key, "made of token ids");
      if (*id >= 0) tokens.push_back(CountOf(key, item, kMaxCount));
    }
    return tokens;
  }

  const Json& json_;
};

bool Positive(double value) { return value > 0 && std::isfinite(value); }
bool Finite(double value) { return std::isfinite(value); }
bool Share(double value) { return value >= 0 && value <= 1; }
bool PositiveShare(double value) { return value > 0 && value <= 1; }
bool Cutoff(double value) { return value >= 0 && value < 1; }

void ReadStrategy(Reader* reader, GenerationConfig* config) {
  reader->Count("max_length", kMaxCount, &config->max_length);
  reader->Count("max_new_tokens", kMaxCount, &config->max_new_tokens);
  reader->Count("min_length", kMaxCount, &config->min_length);
  reader->Count("min_new_tokens", kMaxCount, &config->min_new_tokens);
  reader->Real("max_time", "a number of seconds", Positive, &config->max_time);
  reader->Strings("stop_strings", &config->stop_strings);
  reader->Read("do_sample", &config->do_sample);
  reader->Count("num_beams", kMaxBeams, &config->num_beams);
  reader->Count("num_return_sequences", kMaxBeams, &config->num_return_sequences);
  reader->Early("early_stopping", &config->early_stopping);
  reader->Real("length_penalty", "a number", Finite, &config->length_penalty);
  reader->Read("seed", &config->seed);
  reader->Count("prompt_lookup_num_tokens", kMaxNgram, &config->prompt_lookup_num_tokens);
  reader->Count("max_matching_ngram_size", kMaxNgram, &config->max_matching_ngram_size);
}

void ReadProcessors(Reader* reader, GenerationConfig* config) {
  constexpr std::string_view kPositive = "a number above 0";
  reader->Biases("sequence_bias", &config->sequence_bias);
  reader->Real("encoder_repetition_penalty", kPositive, Positive,
               &config->encoder_repetition_penalty);
  reader->Real("repetition_penalty", kPositive, Positive, &config->repetition_penalty);
  reader->Real("frequency_penalty", "a number", Finite, &config->frequency_penalty);
  reader->Real("presence_penalty", "a number", Finite, &config->presence_penalty);
  reader->Count("no_repeat_ngram_size", kMaxNgram, &config->no_repeat_ngram_size);
  reader->Count("encoder_no_repeat_ngram_size", kMaxNgram, &config->encoder_no_repeat_ngram_size);
  reader->Words("bad_words_ids", &config->bad_words_ids);
  reader->Token("forced_bos_token_id", &config->forced_bos_token_id);
  reader->Tokens("forced_eos_token_id", &config->forced_eos_token_id);
  reader->Read("remove_invalid_values", &config->remove_invalid_values);
  reader->Decay("exponential_decay_length_penalty", &config->exponential_decay_length_penalty);
  reader->Tokens("suppress_tokens", &config->suppress_tokens);
  reader->Tokens("begin_suppress_tokens", &config->begin_suppress_tokens);
}

void ReadWarpers(Reader* reader, GenerationConfig* config) {
  // 0, which many files and requests carry, means greedy; the rim that reads a request says so.
  reader->Real(
      "temperature", "a number, 0 or more", [](double t) { return t == 0 || Positive(t); },
      &config->temperature);
  reader->Real("top_h", "above 0 and at most 1", PositiveShare, &config->top_h);
  reader->Count("top_k", kMaxCount, &config->top_k);
  reader->Real("top_p", "from 0 to 1", Share, &config->top_p);
  reader->Real("min_p", "from 0 to 1", Share, &config->min_p);
  reader->Real("typical_p", "above 0 and at most 1", PositiveShare, &config->typical_p);
  reader->Real("epsilon_cutoff", "from 0 to below 1", Cutoff, &config->epsilon_cutoff);
  reader->Real("eta_cutoff", "from 0 to below 1", Cutoff, &config->eta_cutoff);
  reader->Read("renormalize_logits", &config->renormalize_logits);
}

template <typename T>
void Take(const std::optional<T>& over, std::optional<T>* into) {
  if (over) *into = over;
}

}  // namespace

GenerationConfig GenerationConfig::FromJson(const Json& json) {
  if (!json.is_object()) {
    throw Error(Code::kInvalidArgument, "a generation config must be a JSON object");
  }
  GenerationConfig config;
  Reader reader(json);
  ReadStrategy(&reader, &config);
  ReadProcessors(&reader, &config);
  ReadWarpers(&reader, &config);
  reader.Tokens("eos_token_id", &config.eos_token_id);
  // -1 stands for "none" in old files.
  for (auto [key, out] : {std::pair{"bos_token_id", &config.bos_token_id},
                          std::pair{"pad_token_id", &config.pad_token_id},
                          std::pair{"decoder_start_token_id", &config.decoder_start_token_id}}) {
    std::optional<std::vector<TokenId>> ids;
    reader.Tokens(key, &ids);
    if (ids) *out = ids->front();
  }
  return config;
}

GenerationConfig GenerationConfig::MergedWith(const GenerationConfig& over) const {
  GenerationConfig merged = *this;
#define HEARTH_TAKE(field) Take(over.field, &merged.field)
  // A new length of one kind replaces a length of the other kind, which would else win.
  if (over.max_length && !over.max_new_tokens) merged.max_new_tokens.reset();
  if (over.min_length && !over.min_new_tokens) merged.min_new_tokens.reset();
  HEARTH_TAKE(max_length);
  HEARTH_TAKE(max_new_tokens);
  HEARTH_TAKE(min_length);
  HEARTH_TAKE(min_new_tokens);
  HEARTH_TAKE(max_time);
  HEARTH_TAKE(stop_strings);
  HEARTH_TAKE(do_sample);
  HEARTH_TAKE(num_beams);
  HEARTH_TAKE(num_return_sequences);
  HEARTH_TAKE(early_stopping);
  HEARTH_TAKE(length_penalty);
  HEARTH_TAKE(seed);
  HEARTH_TAKE(sequence_bias);
  HEARTH_TAKE(encoder_repetition_penalty);
  HEARTH_TAKE(repetition_penalty);
  HEARTH_TAKE(frequency_penalty);
  HEARTH_TAKE(presence_penalty);
  HEARTH_TAKE(no_repeat_ngram_size);
  HEARTH_TAKE(encoder_no_repeat_ngram_size);
  HEARTH_TAKE(bad_words_ids);
  HEARTH_TAKE(forced_bos_token_id);
  HEARTH_TAKE(forced_eos_token_id);
  HEARTH_TAKE(remove_invalid_values);
  HEARTH_TAKE(exponential_decay_length_penalty);
  HEARTH_TAKE(suppress_tokens);
  HEARTH_TAKE(begin_suppress_tokens);
  HEARTH_TAKE(temperature);
  HEARTH_TAKE(top_h);
  HEARTH_TAKE(top_k);
  HEARTH_TAKE(top_p);
  HEARTH_TAKE(min_p);
  HEARTH_TAKE(typical_p);
  HEARTH_TAKE(epsilon_cutoff);
  HEARTH_TAKE(eta_cutoff);
  HEARTH_TAKE(renormalize_logits);
  HEARTH_TAKE(eos_token_id);
  HEARTH_TAKE(bos_token_id);
  HEARTH_TAKE(pad_token_id);
  HEARTH_TAKE(decoder_start_token_id);
  HEARTH_TAKE(prompt_lookup_num_tokens);
  HEARTH_TAKE(max_matching_ngram_size);
#undef HEARTH_TAKE
  return merged;
}

LengthLimits ResolveLengths(const GenerationConfig& config, uint32_t prompt_length,
                            uint32_t max_positions) {
  LengthLimits limits;
  if (config.max_new_tokens) {
    limits.max_length = prompt_length + *config.max_new_tokens;
  } else if (config.max_length) {
    limits.max_length = *config.max_length;
  } else {
    limits.max_length = prompt_length + kDefaultNewTokens;
    if (max_positions > 0) limits.max_length = std::min(limits.max_length, max_positions);
  }
  limits.min_length = config.min_new_tokens ? prompt_length + *config.min_new_tokens
                                            : config.min_length.value_or(0);
  return limits;
}

}  // namespace hearth::runtime
