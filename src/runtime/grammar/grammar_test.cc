// Constraints as a caller sees them; valid and invalid texts by the hundred are
// tests/parity/test_grammar.py's.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "base/error.h"
#include "runtime/grammar/json_grammar.h"
#include "runtime/grammar/number_range.h"
#include "runtime/grammar/regex_grammar.h"
#include "runtime/grammar/token_constraint.h"

namespace hearth::runtime {
namespace {

// Every byte, some longer tokens, two with the same bytes, an end and a special token.
std::shared_ptr<const TokenVocabulary> MakeVocabulary() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  for (const char* text : {"\"}", "\": ", "name", "{\"", "true", "12", "12", "ab", "é", ", \""}) {
    tokens.emplace_back(text);
  }
  tokens.emplace_back();
  tokens.emplace_back();
  auto size = static_cast<uint32_t>(tokens.size());
  return std::make_shared<const TokenVocabulary>(std::move(tokens),
                                                 std::vector<uint32_t>{size - 1});
}

std::vector<uint32_t> Allowed(TokenConstraint* constraint, TokenConstraint::State* state) {
  std::vector<uint64_t> mask;
  constraint->FillMask(state, &mask);
  std::vector<uint32_t> ids;
  for (uint32_t id = 0; id < constraint->vocabulary().size(); ++id) {
    if (mask[id / 64] >> (id % 64) & 1) ids.push_back(id);
  }
  return ids;
}

const char kSchema[] =
    R"({"type": "object", "properties": {"name": {"type": "string"}, "n": {"type": "integer"},
        "list": {"type": "array", "items": {"$ref": "#"}}}, "required": ["name"]})";

TEST(TokenConstraint, MasksEqualAcceptingEachTokenAlone) {
  auto vocabulary = MakeVocabulary();
  TokenConstraint constraint(vocabulary, JsonSchemaGrammar(Json::Parse(kSchema)));
  auto state = constraint.Start();
  for (char c : std::string(R"({"name": "aé\u00e9", "list": [{"name": "x", "n": -12}]})")) {
    auto allowed = Allowed(&constraint, &state);
    for (uint32_t id = 0; id < vocabulary->size(); ++id) {
      auto copy = state;
      bool masked = std::find(allowed.begin(), allowed.end(), id) != allowed.end();
      ASSERT_EQ(constraint.Accept(&copy, id), masked) << state.text() << " + " << id;
    }
    ASSERT_TRUE(constraint.Accept(&state, static_cast<uint8_t>(c))) << state.text() << c;
  }
  EXPECT_TRUE(constraint.IsComplete(&state));
  auto end = static_cast<uint32_t>(vocabulary->size() - 1);
  EXPECT_EQ(Allowed(&constraint, &state), std::vector<uint32_t>{end});
  EXPECT_TRUE(constraint.Accept(&state, end));
  EXPECT_TRUE(state.finished());
  EXPECT_TRUE(Allowed(&constraint, &state).empty());
  EXPECT_FALSE(constraint.Accept(&state, 'a'));
}

TEST(TokenConstraint, AFullCacheChangesNothing) {
  auto vocabulary = MakeVocabulary();
  auto grammar = JsonSchemaGrammar(Json::Parse(kSchema));
  TokenConstraint roomy(vocabulary, grammar);
  TokenConstraint tight(vocabulary, grammar, {.max_cache_bytes = 1});
  auto a = roomy.Start(), b = tight.Start();
  for (char c :
       std::string(R"({"name": "abc", "n": 7, "list": [{"name": "", "z": {"y": [1]}}]})")) {
    ASSERT_EQ(Allowed(&roomy, &a), Allowed(&tight, &b)) << a.text();
    ASSERT_TRUE(roomy.Accept(&a, static_cast<uint8_t>(c)));
    ASSERT_TRUE(tight.Accept(&b, static_cast<uint8_t>(c)));
  }
  EXPECT_TRUE(tight.IsComplete(&b));
}

TEST(TokenConstraint, ServesSequencesFromSeveralThreads) {
  TokenConstraint constraint(MakeVocabulary(), JsonSchemaGrammar(Json::Parse(kSchema)),
                             {.max_cache_bytes = 200'000});
  std::vector<std::thread> threads;
  std::vector<int> good(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int run = 0; run < 20; ++run) {
        auto state = constraint.Start();
        std::string text = "{\"name\": \"" + std::string(static_cast<size_t>(run), 'a') + "\"}";
        std::vector<uint64_t> mask;
        bool accepted = true;
        for (char c : text) {
          constraint.FillMask(&state, &mask);
          accepted = accepted && constraint.Accept(&state, static_cast<uint8_t>(c));
        }
        good[t] += accepted && constraint.IsComplete(&state) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, std::vector<int>(4, 20));
}

TEST(TokenConstraint, ARefusedTokenLeavesTheStateAsItWas) {
  TokenConstraint constraint(MakeVocabulary(), ChoiceGrammar({"name", "nab"}));
  auto state = constraint.Start();
  EXPECT_FALSE(constraint.Accept(&state, 'x'));
  EXPECT_FALSE(constraint.Accept(&state, 1'000'000));
  EXPECT_TRUE(constraint.AcceptText(&state, "na"));
  EXPECT_FALSE(constraint.AcceptText(&state, "mx"));
  EXPECT_EQ(state.text(), "na");
  EXPECT_TRUE(constraint.AcceptText(&state, "me"));
  EXPECT_TRUE(constraint.IsComplete(&state));
}

TEST(TokenConstraint, AnyTextThatWasCutOffCanBeCompleted) {
  auto vocabulary = MakeVocabulary();
  TokenConstraint constraint(vocabulary, JsonSchemaGrammar(Json::Parse(kSchema)));
  const std::string text = R"({"name": "a\u0041", "list": [ {"name" :"x", "q": {"r": [tr)";
  for (size_t size = 0; size <= text.size(); ++size) {
    auto state = constraint.Start();
    ASSERT_TRUE(constraint.AcceptText(&state, text.substr(0, size)));
    std::string rest = constraint.ShortestCompletion(&state);
    ASSERT_TRUE(constraint.AcceptText(&state, rest)) << rest;
    ASSERT_TRUE(constraint.IsComplete(&state));
    EXPECT_NO_THROW(Json::Parse(state.text())) << state.text();
  }
}

TEST(TokenConstraint, AnAmbiguousExpressionIsRefusedInTime) {
  // Every character may be the one 500 before the end: a deterministic automaton explodes.
  TokenConstraint constraint(MakeVocabulary(), RegexGrammar("(a|b)*a(a|b){500}"),
                             {.max_step_work = 100'000});
  auto state = constraint.Start();
  EXPECT_THROW(
      {
        for (int i = 0; i < 2000; ++i) {
          ASSERT_TRUE(constraint.Accept(&state, i % 3 == 0 ? 'b' : 'a'));
          std::vector<uint64_t> mask;
          if (i % 50 == 0) constraint.AcceptText(&state, std::string(400, 'a'));
        }
      },
      Error);
}

TEST(TokenVocabulary, KnowsBytesOfByteLevelAndMetaspaceTokens) {
  auto byte_level = tokenizers::Tokenizer::FromJson(R"({
      "version": "1.0", "added_tokens": [{"id": 2, "content": "<end>", "special": true,
        "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}],
      "normalizer": null, "post_processor": null,
      "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
      "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
      "model": {"type": "BPE", "vocab": {"Ġthe": 0, "Ċ": 1, "<end>": 2}, "merges": []}})");
  auto bytes = TokenVocabulary::FromTokenizer(byte_level, 3, {2});
  EXPECT_EQ(bytes.bytes(0), " the");
  EXPECT_EQ(bytes.bytes(1), "\n");
  EXPECT_EQ(bytes.bytes(2), "");
  auto metaspace = tokenizers::Tokenizer::FromJson(R"({
      "version": "1.0", "added_tokens": [{"id": 2, "content": "</s>", "special": true,
        "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}],
      "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
      "pre_tokenizer": null, "post_processor": null,
      "decoder": {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
        {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
      "model": {"type": "BPE", "byte_fallback": true, "merges": [],
        "vocab": {"▁the": 0, "<0x0A>": 1, "</s>": 2}}})");
  auto pieces = TokenVocabulary::FromTokenizer(metaspace, 3, {2});
  EXPECT_EQ(pieces.bytes(0), " the");
  EXPECT_EQ(pieces.bytes(1), "\n");
  EXPECT_EQ(pieces.bytes(2), "");
}

TEST(Decimal, ReadsAndCompares) {
  auto compare = [](const char* a, const char* b) {
    return Decimal::FromJson(Json::Parse(a)).Compare(Decimal::FromJson(Json::Parse(b)));
  };
  EXPECT_LT(compare("-2", "1"), 0);
  EXPECT_LT(compare("0.25", "0.3"), 0);
  EXPECT_LT(compare("-0.3", "-0.25"), 0);
  EXPECT_EQ(compare("1e2", "100.0"), 0);
  EXPECT_EQ(compare("-0.0", "0"), 0);
  EXPECT_GT(compare("1e-3", "0.0001"), 0);
  EXPECT_THROW(Decimal::FromJson(Json::Parse("1e300")), Error);
}

TEST(SchemaErrors, NameThePlace) {
  try {
    JsonSchemaGrammar(Json::Parse(
        R"({"properties": {"a": {"items": {"type": "string", "contentEncoding": "x", "not": {}}}}})"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnimplemented);
    ASSERT_EQ(error.details().size(), 1u);
    EXPECT_EQ(error.details()[0].second, "#/properties/a/items/not");
  }
}

}  // namespace
}  // namespace hearth::runtime
