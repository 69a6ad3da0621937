#include "search/index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/random.h"
#include "search/analyzer.h"
#include "search/internal/fuzzy.h"
#include "search/searcher.h"
#include "search/snippet.h"
#include "search/synthetic_text.h"

namespace hearth::search {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAre;

std::vector<std::string> Terms(std::string_view text, AnalyzeMode mode = AnalyzeMode::kText) {
  TokenList list;
  list.Analyze(text, mode);
  std::vector<std::string> terms;
  for (const Token& token : list.tokens()) {
    EXPECT_LT(token.begin, token.end);
    EXPECT_LE(token.end, text.size());
    terms.emplace_back(token.term);
  }
  return terms;
}

TEST(AnalyzerTest, FoldsWhatPeopleDoNotType) {
  EXPECT_THAT(Terms("Éléphants à la Straße, ＦＵＬＬ ﬁne"),
              ElementsAre("elephant", "a", "la", "strasse", "full", "fine"));
  EXPECT_THAT(Terms("Ελληνικά ΣΟΦΟΣ σοφός"), ElementsAre("ελληνικα", "σοφοσ", "σοφοσ"));
  EXPECT_THAT(Terms("Ёлка ёлка"), ElementsAre("елка", "елка"));
  EXPECT_THAT(Terms("مُحَمَّد"), ElementsAre("محمد"));
  EXPECT_THAT(Terms("İstanbul ışık đường"), ElementsAre("istanbul", "isik", "duong"));
  // Vowel signs of Indic scripts are not accents.
  EXPECT_THAT(Terms("हिन्दी भाषा"), ElementsAre("हिन्दी", "भाषा"));
}

TEST(AnalyzerTest, PairsWhereNoSpacesStand) {
  EXPECT_THAT(Terms("自然言語 x"), ElementsAre("自然", "然言", "言語", "x"));
  EXPECT_THAT(Terms("モデル"), ElementsAre("モデ", "デル"));
  EXPECT_THAT(Terms("ﾓﾃﾞﾙ"), ElementsAre("モデ", "デル"));  // half width, voiced
  EXPECT_THAT(Terms("한국어 모델"), ElementsAre("한국", "국어", "모델"));
  EXPECT_THAT(Terms("字"), ElementsAre("字"));
  EXPECT_FALSE(Terms("ภาษาไทย").empty());
}

TEST(AnalyzerTest, NumbersPluralsAndOddNames) {
  EXPECT_THAT(
      Terms("llama 3.1, C++ and c#. Models' libraries: classes, bias, this"),
      ElementsAre("llama", "3.1", "c++", "and", "c#", "model", "library", "class", "bias", "this"));
  EXPECT_THAT(Terms("snake_case-and.dots"), ElementsAre("snake", "case", "and", "dot"));
  EXPECT_THAT(Terms("BertForMaskedLM", AnalyzeMode::kCode),
              IsSupersetOf({"bertformaskedlm", "bert", "for", "masked", "lm"}));
  EXPECT_THAT(Terms("meta/llama-3-8b", AnalyzeMode::kName),
              IsSupersetOf({"meta", "llama", "3", "8b", "8", "b", "llama3", "38b"}));
}

TEST(AnalyzerTest, AnyBytesAreTaken) {
  std::mt19937 random(4);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    for (uint32_t i = random() % 60; i > 0; --i) bytes.push_back(static_cast<char>(random()));
    Terms(bytes, static_cast<AnalyzeMode>(random() % 3));
  }
}

TEST(FuzzyTest, DistanceAgreesWithAPlainOne) {
  std::mt19937 random(8);
  auto word = [&random] {
    std::u32string text;
    for (uint32_t i = 1 + random() % 7; i > 0; --i) text.push_back(U'a' + random() % 3);
    return text;
  };
  // Optimal string alignment by its definition.
  std::function<size_t(std::u32string_view, std::u32string_view)> plain =
      [&](std::u32string_view a, std::u32string_view b) -> size_t {
    if (a.empty() || b.empty()) return a.size() + b.size();
    auto cut = [](std::u32string_view s, size_t n) { return s.substr(0, s.size() - n); };
    size_t best = std::min({plain(cut(a, 1), b) + 1, plain(a, cut(b, 1)) + 1,
                            plain(cut(a, 1), cut(b, 1)) + (a.back() != b.back())});
    if (a.size() > 1 && b.size() > 1 && a.back() == b[b.size() - 2] && b.back() == a[a.size() - 2])
      best = std::min(best, plain(cut(a, 2), cut(b, 2)) + 1);
    return best;
  };
  for (int round = 0; round < 400; ++round) {
    std::u32string a = word(), b = word();
    for (size_t limit : {1u, 2u})
      EXPECT_EQ(EditDistance(a, b, limit), std::min(plain(a, b), limit + 1));
  }
}

// --- queries

constexpr std::string_view kKeys[] = {"author", "lang"};

TEST(QueryTest, ReadsWordsPhrasesAndFilters) {
  Query query =
      ParseQuery("French \"masked language\" -toxic author:Ada lang:\"pt BR\" http://x Mod", kKeys);
  ASSERT_EQ(query.words.size(), 4u);
  EXPECT_EQ(query.words[0].term, "french");
  EXPECT_EQ(query.words[3].typed, "mod");
  EXPECT_TRUE(query.last_is_open);
  ASSERT_EQ(query.phrases.size(), 1u);
  EXPECT_THAT(query.phrases[0].terms, ElementsAre("masked", "language"));
  ASSERT_EQ(query.without.size(), 1u);
  EXPECT_THAT(query.filters, ElementsAre(std::pair<std::string, std::string>("author", "Ada"),
                                         std::pair<std::string, std::string>("lang", "pt BR")));
  EXPECT_FALSE(ParseQuery("model ", kKeys).last_is_open);
  EXPECT_TRUE(ParseQuery("  \" -  ", kKeys).empty());
}

// --- an index

class IndexTest : public ::testing::Test {
 protected:
  IndexTest()
      : folder_(std::filesystem::temp_directory_path() / ("hearth-search-" + NewObjectId())) {
    Open();
  }
  ~IndexTest() override {
    index_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  void Open() {
    index_.reset();
    index_ = std::make_unique<Index>(folder_);
  }
  void Put(uint32_t id, const std::string& name, const std::string& body,
           const std::string& code = "") {
    Document document;
    document.id = id;
    document.stamp = id + 1000;
    document[Field::kName] = name;
    document[Field::kBody] = body;
    document[Field::kCode] = code;
    index_->Put(std::move(document));
    ASSERT_TRUE(index_->WaitVisible(std::chrono::seconds(30)));
  }
  Bitmap All() const {
    Bitmap all(10'000);
    for (uint32_t id = 0; id < 10'000; ++id) all.Set(id);
    return all;
  }
  SearchResult Find(const std::string& text, const Bitmap& allowed, size_t limit = 20) {
    return Search(index_->snapshot(), ParseQuery(text, kKeys), allowed, allowed, 0, limit);
  }
  std::vector<uint32_t> Ids(const std::string& text) { return Ids(text, All()); }
  std::vector<uint32_t> Ids(const std::string& text, const Bitmap& allowed) {
    SearchResult result = Find(text, allowed);
    std::vector<uint32_t> ids;
    for (const SearchHit& hit : result.hits) ids.push_back(hit.id);
    EXPECT_EQ(result.matches.Count(), result.total);
    return ids;
  }
  std::vector<std::filesystem::path> Files() const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
      files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
  }

  std::filesystem::path folder_;
  std::unique_ptr<Index> index_;
};

TEST_F(IndexTest, NameBeatsCardBeatsCode) {
  Put(1, "ada/other", "A card about whisper and sound.");
  Put(2, "ada/whisper-large", "A card about sound.");
  Put(3, "ada/space", "An app.", "import whisper\nmodel = whisper.load()");
  EXPECT_THAT(Ids("whisper"), ElementsAre(2, 1, 3));
  EXPECT_THAT(Ids("whisper sound"), ElementsAre(2, 1));
  EXPECT_THAT(Ids("whisper -import"), ElementsAre(2, 1));
  EXPECT_THAT(Ids("large whisper "), ElementsAre(2));
}

TEST_F(IndexTest, PhrasesKeepTheirOrder) {
  Put(1, "a/one", "a masked language model for all");
  Put(2, "a/two", "language masked, a model");
  EXPECT_THAT(Ids("\"masked language\""), ElementsAre(1));
  EXPECT_THAT(Ids("masked language "), UnorderedElementsAre(1, 2));
  EXPECT_THAT(Ids("model -\"masked language\""), ElementsAre(2));
  EXPECT_THAT(Ids("\"language model\" masked"), ElementsAre(1));
  EXPECT_THAT(Ids("\"one a\""), IsEmpty());  // not from the name into the card
}

TEST_F(IndexTest, TyposAndStartsOfWordsAreForgiven) {
  Put(1, "a/one", "a transformer for translation");
  Put(2, "a/two", "a diffusion pipeline");
  for (const char* typed :
       {"transfromer ", "tranformer ", "transformerr ", "trans", "Transformers"})
    EXPECT_THAT(Ids(typed), ElementsAre(1)) << typed;
  EXPECT_EQ(Find("difusion pipline ", All()).corrected, "diffusion pipeline ");
  EXPECT_EQ(Find("diffusion ", All()).corrected, "");
  EXPECT_THAT(Ids("cat "), IsEmpty());  // short words are taken as written
}

TEST_F(IndexTest, MostWordsAreEnoughWhenNothingHasAll) {
  Put(1, "a/one", "speech recognition in Finnish");
  Put(2, "a/two", "speech synthesis");
  SearchResult result = Find("finnish speech zebra ", All());
  EXPECT_TRUE(result.relaxed);
  EXPECT_EQ(result.total, 1u);
  EXPECT_EQ(result.hits[0].id, 1u);
}

TEST_F(IndexTest, WhatIsNotAllowedHasNoEffect) {
  Put(1, "a/open", "a public translation model");
  Bitmap allowed = All();
  allowed.Clear(2);
  SearchResult before = Find("translatoin model ", allowed);
  Put(2, "b/hidden", "projectzebra translatoin secretword modelzebra");
  SearchResult after = Find("translatoin model ", allowed);
  EXPECT_EQ(after.total, before.total);
  EXPECT_EQ(after.corrected, before.corrected);
  EXPECT_EQ(after.terms, before.terms);
  EXPECT_EQ(after.hits.size(), before.hits.size());
  for (const char* probe : {"secretwrod ", "secret", "projectzebr", "\"secretword modelzebra\"",
                            "projectzebra", "hidden"}) {
    SearchResult result = Find(probe, allowed);
    EXPECT_EQ(result.total, 0u) << probe;
    EXPECT_EQ(result.corrected, "") << probe;
    for (const std::string& term : result.terms)
      EXPECT_NE(std::string(probe).find(term), std::string::npos) << probe << " gave " << term;
  }
  EXPECT_THAT(Ids("secretwrod "), ElementsAre(2));
}

TEST_F(IndexTest, NewVersionsReplaceOldOnes) {
  Put(1, "a/one", "alpha");
  Put(1, "a/one", "beta");
  EXPECT_THAT(Ids("alpha"), IsEmpty());
  index_->Flush();
  Put(1, "a/one", "gamma");
  EXPECT_THAT(Ids("beta"), IsEmpty());
  EXPECT_THAT(Ids("gamma"), ElementsAre(1));
  index_->Remove(1);
  ASSERT_TRUE(index_->WaitVisible(std::chrono::seconds(30)));
  EXPECT_THAT(Ids("gamma"), IsEmpty());
  EXPECT_EQ(index_->StampOf(1), std::nullopt);
  Open();
  EXPECT_THAT(Ids("gamma"), IsEmpty());
  EXPECT_EQ(index_->snapshot()->documents, 0u);
}

// --- many documents, against a plain scan

class ManyTest : public IndexTest {
 protected:
  static constexpr uint32_t kCount = 3000;

  void Fill(uint32_t seed) {
    std::mt19937 random(seed);
    SyntheticText text(3000);
    for (uint32_t i = 0; i < kCount; ++i) {
      uint32_t id = random() % 2000;
      if (random() % 10 == 0) {
        index_->Remove(id);
        texts_.erase(id);
        continue;
      }
      Document document;
      document.id = id;
      document.stamp = i;
      document[Field::kBody] = text.Words(5 + random() % 60, random);
      texts_[id] = {i, document[Field::kBody]};
      index_->Put(std::move(document));
      if (random() % 200 == 0) index_->Flush();
    }
    ASSERT_TRUE(index_->WaitVisible(std::chrono::seconds(60)));
  }
  std::set<uint32_t> Having(const std::vector<std::string>& words, const Bitmap& allowed) const {
    std::set<uint32_t> ids;
    for (const auto& [id, entry] : texts_) {
      std::vector<std::string> terms = Terms(entry.second);
      std::set<std::string> known(terms.begin(), terms.end());
      bool all = std::all_of(words.begin(), words.end(), [&](const std::string& word) {
        return known.contains(Terms(word)[0]);
      });
      if (all && allowed.Has(id)) ids.insert(id);
    }
    return ids;
  }
  // Until merging has come to its end. A merge in work has files that no manifest lists.
  void WaitMerged() {
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < until) {
      IndexStats stats = index_->stats();
      if (stats.segments < 30 && Files().size() == stats.segments * 5 + 1) return;
      std::this_thread::yield();
    }
    FAIL() << "merging does not come to an end";
  }
  void Check(uint32_t seed) {
    std::mt19937 random(seed);
    Bitmap allowed(2000);
    for (uint32_t id = 0; id < 2000; ++id) {
      if (random() % 4 != 0) allowed.Set(id);
    }
    SyntheticText text(3000);
    for (int round = 0; round < 60; ++round) {
      std::vector<std::string> words;
      std::string query;
      for (uint32_t i = 1 + random() % 2; i > 0; --i) {
        words.push_back(SyntheticText::Word(random() % 60));
        query += words.back() + " ";
      }
      std::set<uint32_t> expected = Having(words, allowed);
      if (expected.size() < 8) continue;  // else misspellings come in
      SearchResult result = Find(query, allowed, 5000);
      EXPECT_EQ(result.total, expected.size()) << query;
      std::set<uint32_t> found;
      for (const SearchHit& hit : result.hits) found.insert(hit.id);
      EXPECT_EQ(found, expected) << query;
      EXPECT_TRUE(
          std::is_sorted(result.hits.begin(), result.hits.end(),
                         [](const SearchHit& a, const SearchHit& b) { return a.score > b.score; }));
    }
    EXPECT_EQ(index_->snapshot()->documents, texts_.size());
    for (const auto& [id, entry] : texts_) {
      auto stored = ReadTexts(index_->snapshot(), id);
      ASSERT_TRUE(stored.has_value());
      ASSERT_EQ((*stored)[3], entry.second);
      ASSERT_EQ(index_->StampOf(id), entry.first);
    }
  }

  std::map<uint32_t, std::pair<uint64_t, std::string>> texts_;
};

TEST_F(ManyTest, AgreesWithAPlainScanAcrossMergesAndRestarts) {
  Fill(1);
  Check(2);
  if (HasFailure()) return;
  Fill(3);
  Check(4);
  WaitMerged();
  EXPECT_GT(index_->stats().merges, 0u);
  Check(4);
  Open();
  Check(5);
  // Nothing lies around that no manifest lists: five files a segment, and the manifest.
  index_->Flush();
  WaitMerged();
}

// Merges run beside everything else: at any moment the index may be closed, and opened again.
TEST_F(ManyTest, ClosingInTheMiddleOfMergesLosesNothing) {
  for (uint32_t round = 0; round < 6; ++round) {
    Fill(20 + round);
    Open();
    Check(30 + round);
    if (HasFailure()) return;
  }
}

// What is deleted while its segment is being merged stays deleted.
TEST_F(ManyTest, DeletionsHoldBesideMerges) {
  Fill(1);
  for (uint32_t id = 0; id < 2000; id += 2) {
    index_->Remove(id);
    texts_.erase(id);
    if (id % 300 == 0) index_->Flush();
  }
  ASSERT_TRUE(index_->WaitVisible(std::chrono::seconds(60)));
  Check(2);
  WaitMerged();
  Check(3);
  Open();
  Check(4);
}

TEST_F(ManyTest, EveryDamageIsNoticedOrHarmless) {
  Fill(1);
  index_->Flush();
  index_.reset();
  std::filesystem::path copy = folder_.string() + "-copy";
  std::filesystem::copy(folder_, copy);
  std::mt19937 random(9);
  for (int round = 0; round < 60; ++round) {
    std::filesystem::remove_all(folder_);
    std::filesystem::copy(copy, folder_);
    std::vector<std::filesystem::path> files = Files();
    const std::filesystem::path& file = files[random() % files.size()];
    auto size = std::filesystem::file_size(file);
    if (round % 4 == 0) {
      std::filesystem::resize_file(file, random() % size);
    } else if (round % 4 == 1) {
      std::filesystem::remove(file);
    } else {
      std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekp(static_cast<std::streamoff>(random() % size));
      bytes.put(static_cast<char>(random()));
    }
    Open();
    for (const char* query : {"model data ", "\"the model\"", "trainin", "transfromer "}) {
      try {
        Find(query, All());
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kInternal);
      }
    }
    // What was lost can be put again.
    Put(1, "a/one", "freshword");
    EXPECT_THAT(Ids("freshword"), ElementsAre(1));
    index_.reset();
  }
  std::filesystem::remove_all(copy);
}

// --- snippets

TEST(SnippetTest, ShowsThePassageWithMostOfTheWords) {
  std::array<std::string, kFields> texts;
  texts[3] = std::string(500, 'x') + " models alone. " + std::string(300, 'y') +
             " A Modèle <b>for</b> speech models, in Zürich. " + std::string(300, 'z');
  Snippet snippet = MakeSnippet(texts, {"model", "speech", "zurich"}, 160);
  EXPECT_TRUE(snippet.cut_before);
  EXPECT_TRUE(snippet.cut_after);
  std::vector<std::string> matched;
  for (auto [begin, end] : snippet.matches)
    matched.push_back(snippet.text.substr(begin, end - begin));
  EXPECT_THAT(matched, ElementsAre("speech", "models", "Zürich"));
  EXPECT_LE(snippet.text.size(), 160u);
  texts[3] = "nothing here";
  texts[5] = "speech = load_speech()";
  snippet = MakeSnippet(texts, {"speech"}, 160);
  EXPECT_EQ(snippet.field, Field::kCode);
  EXPECT_EQ(snippet.matches.size(), 2u);
}

}  // namespace
}  // namespace hearth::search
