#include "tokenizers/segment_encoders/encoder_tables.h"

#include <gtest/gtest.h>

#include <map>

#include "tokenizers/model.h"
#include "tokenizers/segment_encoder.h"
#include "tokenizers/segment_encoders/byte_bpe_testing.h"
#include "tokenizers/segment_encoders/segment_encoder_testing.h"

namespace hearth::tokenizers {
namespace {

std::vector<Json> WithTables() {
  return {SmallWordPiece(true, true, Json(), true),
          SmallSentencePieceBpe(Json(), MarkedWords(), true),
          SmallSentencePieceBpe(Json(), MarkedWords(), false), SmallUnigram(Json(), MarkedWords())};
}

// Tables in memory of their own, as a file would give them.
struct Memory {
  explicit Memory(const EncoderTableList& list) {
    for (const auto& [table, bytes] : list) {
      words[table].resize((bytes.size() + 7) / 8);
      std::memcpy(words[table].data(), bytes.data(), bytes.size());
      sizes[table] = bytes.size();
    }
  }
  KeptTables Kept() const {
    return KeptTables(
        [this](EncoderTable table) -> std::optional<std::string_view> {
          auto found = words.find(table);
          if (found == words.end()) return std::nullopt;
          return std::string_view(reinterpret_cast<const char*>(found->second.data()),
                                  sizes.at(table));
        },
        nullptr);
  }
  bool Holds(std::string_view bytes) const {
    for (const auto& [table, own] : words) {
      if (reinterpret_cast<const char*>(own.data()) == bytes.data()) return true;
    }
    return false;
  }
  std::map<EncoderTable, std::vector<uint64_t>> words;
  std::map<EncoderTable, size_t> sizes;
};

std::vector<uint32_t> IdsOf(const SegmentEncoder& encoder, std::string_view text) {
  std::vector<uint32_t> ids;
  auto scratch = encoder.MakeScratch();
  encoder.Encode(text, SegmentPosition::kStartOfText, *scratch, &ids);
  return ids;
}

TEST(EncoderTables, AnEncoderIsMadeOfKeptTables) {
  for (const Json& json : WithTables()) {
    auto model = ParseModel(*json.Find("model"));
    auto fresh = MakeSegmentEncoder(json, *model);
    ASSERT_NE(fresh, nullptr);
    ASSERT_FALSE(fresh->tables().empty());
    Memory memory(fresh->tables());
    auto again = MakeSegmentEncoder(json, *model, memory.Kept());
    ASSERT_NE(again, nullptr);
    EXPECT_TRUE(memory.Holds(again->tables().front().second)) << "made anew";
    EXPECT_EQ(again->tables().size(), fresh->tables().size());
    for (uint64_t seed = 0; seed < 50; ++seed) {
      std::string text = HardText(seed, 60);
      EXPECT_EQ(IdsOf(*again, text), IdsOf(*fresh, text)) << text;
    }
  }
}

TEST(EncoderTables, UnsoundTablesAreMadeAnew) {
  for (const Json& json : WithTables()) {
    auto model = ParseModel(*json.Find("model"));
    auto fresh = MakeSegmentEncoder(json, *model);
    ASSERT_NE(fresh, nullptr);
    EncoderTable first = fresh->tables().front().first;
    // Places outside of every table; no free place; a size that no table has.
    for (int damage = 0; damage < 3; ++damage) {
      Memory memory(fresh->tables());
      std::vector<uint64_t>& words = memory.words[first];
      if (damage == 0) words[words.size() / 2] = 0xFFFFFF00FFFFFF00;
      if (damage == 1) std::fill(words.begin(), words.end(), 0xFFFFFFFEFFFFFFFE);
      if (damage == 2) memory.sizes[first] -= 8;
      auto again = MakeSegmentEncoder(json, *model, memory.Kept());
      ASSERT_NE(again, nullptr);
      EXPECT_FALSE(memory.Holds(again->tables().front().second)) << damage;
      std::string text = HardText(7, 200);
      EXPECT_EQ(IdsOf(*again, text), IdsOf(*fresh, text));
    }
  }
}

}  // namespace
}  // namespace hearth::tokenizers
