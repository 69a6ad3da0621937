// The tables of the four families: every component is read, written back unchanged, and refused
// when its object is wrong; every file has its line and every line its file.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "tokenizers/decoder.h"
#include "tokenizers/json_text.h"
#include "tokenizers/normalizer.h"
#include "tokenizers/post_processor.h"
#include "tokenizers/pre_tokenizer.h"

namespace hearth::tokenizers {
namespace {

struct Family {
  std::string folder;
  std::vector<std::string> names;  // of the lines of its table
  std::function<Json(const Json&)> round_trip;
  std::vector<std::string> samples;  // as the reference writes them
};

template <typename Parse>
std::function<Json(const Json&)> RoundTrip(Parse parse) {
  return [parse](const Json& json) { return parse(json)->ToJson(); };
}

std::vector<Family> Families() {
  return {
      {"normalizers",
       {
#define HEARTH_NORMALIZER(Name, type, key) #Name,
#include "tokenizers/normalizers.inc"
#undef HEARTH_NORMALIZER
       },
       RoundTrip(ParseNormalizer),
       {R"({"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":false,"strip_accents":null,"lowercase":true})",
        R"({"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":false,"strip_accents":false,"lowercase":true})",
        R"({"type":"ByteLevel"})", R"({"type":"Lowercase"})", R"({"type":"NFC"})",
        R"({"type":"NFD"})", R"({"type":"NFKC"})", R"({"type":"NFKD"})", R"({"type":"Nmt"})",
        R"({"type":"Precompiled","precompiled_charsmap":"BAAAAAAAAAA="})",
        R"({"type":"Prepend","prepend":"▁"})",
        R"({"type":"Replace","pattern":{"String":" "},"content":"▁"})",
        R"({"type":"Replace","pattern":{"Regex":"\\s+"},"content":"\b\f\u0001"})",
        R"({"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"Sequence","normalizers":[]}]})",
        R"({"type":"Strip","strip_left":true,"strip_right":false})", R"({"type":"StripAccents"})"}},
      {"pre_tokenizers",
       {
#define HEARTH_PRE_TOKENIZER(Name, type) #Name,
#include "tokenizers/pre_tokenizers.inc"
#undef HEARTH_PRE_TOKENIZER
       },
       RoundTrip(ParsePreTokenizer),
       {R"({"type":"BertPreTokenizer"})",
        R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false})",
        R"({"type":"CharDelimiterSplit","delimiter":"é"})",
        R"({"type":"Digits","individual_digits":true})", R"({"type":"FixedLength","length":3})",
        R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false})",
        R"({"type":"Punctuation","behavior":"MergedWithNext"})",
        R"({"type":"Sequence","pretokenizers":[{"type":"Whitespace"}]})",
        R"({"type":"Split","pattern":{"Regex":"a|b"},"behavior":"Contiguous","invert":true})",
        R"({"type":"UnicodeScripts"})", R"({"type":"Whitespace"})",
        R"({"type":"WhitespaceSplit"})"}},
      {"post_processors",
       {
#define HEARTH_POST_PROCESSOR(Name) #Name,
#include "tokenizers/post_processors.inc"
#undef HEARTH_POST_PROCESSOR
       },
       RoundTrip(ParsePostProcessor),
       {R"({"type":"BertProcessing","sep":["[SEP]",102],"cls":["[CLS]",101]})",
        R"({"type":"RobertaProcessing","sep":["</s>",2],"cls":["<s>",0],"trim_offsets":true,"add_prefix_space":false})",
        R"({"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":true})",
        R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}})",
        R"({"type":"Sequence","processors":[]})"}},
      {"decoders",
       {
#define HEARTH_DECODER(Name, type, key) #Name,
#include "tokenizers/decoders.inc"
#undef HEARTH_DECODER
       },
       RoundTrip(ParseDecoder),
       {R"({"type":"BPEDecoder","suffix":"</w>"})", R"({"type":"ByteFallback"})",
        R"({"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true})",
        R"({"type":"CTC","pad_token":"<pad>","word_delimiter_token":"|","cleanup":true})",
        R"({"type":"Fuse"})",
        R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"never","split":true})",
        R"({"type":"Replace","pattern":{"String":"▁"},"content":" "})",
        R"({"type":"Sequence","decoders":[{"type":"Fuse"}]})",
        R"({"type":"Strip","content":" ","start":1,"stop":0})",
        R"({"type":"WordPiece","prefix":"##","cleanup":false})"}},
  };
}

// Some fields have a standard value, an unknown type is recognised by its other fields, and what
// is not quite Roberta's object is Bert's.
bool MustBeRight(std::string_view type, std::string_view key) {
  if (key == "type" || key == "use_regex" || key == "split") return false;
  return type != "RobertaProcessing" || key == "sep" || key == "cls";
}

class ComponentsTest : public testing::TestWithParam<Family> {};

TEST_P(ComponentsTest, AreWrittenAsTheyWereRead) {
  std::set<std::string> types;
  for (const std::string& sample : GetParam().samples) {
    Json json = Json::Parse(sample);
    EXPECT_EQ(WriteJson(GetParam().round_trip(json), false), sample);
    types.insert(json.RequireString("type"));
  }
  EXPECT_EQ(types.size(), GetParam().names.size()) << "a component has no sample";
}

TEST_P(ComponentsTest, AreRefusedWithAFieldOfAnotherKind) {
  for (const std::string& sample : GetParam().samples) {
    Json json = Json::Parse(sample);
    for (const auto& [key, value] : *json.AsObject()) {
      if (!MustBeRight(json.RequireString("type"), key)) continue;
      Json wrong = json;
      wrong.Set(key, Json::Obj({{"no", "such thing"}}));
      EXPECT_THROW(GetParam().round_trip(wrong), Error) << wrong.Dump();
    }
  }
  for (const char* wrong : {"{}", "[]", "null", "5", R"({"type":"Nothing"})"}) {
    EXPECT_THROW(GetParam().round_trip(Json::Parse(wrong)), Error) << wrong;
  }
}

TEST_P(ComponentsTest, HaveOneFileForEachLine) {
  auto fold = [](std::string name) {
    std::erase(name, '_');
    std::transform(name.begin(), name.end(), name.begin(), ::tolower);
    return name;
  };
  std::set<std::string> lines;
  for (const std::string& name : GetParam().names) lines.insert(fold(name));
  std::set<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator("src/tokenizers/" + GetParam().folder)) {
    if (entry.path().extension() == ".cc") files.insert(fold(entry.path().stem().string()));
  }
  EXPECT_EQ(lines, files);
}

INSTANTIATE_TEST_SUITE_P(Families, ComponentsTest, testing::ValuesIn(Families()),
                         [](const auto& info) { return info.param.folder; });

TEST(PreTokenizerTest, NoneGivesEmptyPieces) {
  for (const Family& family : Families()) {
    if (family.folder != "pre_tokenizers") continue;
    for (const std::string& sample : family.samples) {
      PreTokenizedString text;
      text.Reset("");
      ParsePreTokenizer(Json::Parse(sample))->PreTokenize(&text);
      EXPECT_TRUE(text.parts().empty()) << sample;
    }
  }
}

TEST(JsonTextTest, WritesNumbersAsTheReferenceDoes) {
  for (const char* text :
       {"0.0", "-0.0", "1.0", "-13.5", "1e+16", "1.5e-7", "0.00001", "9999999999999998.0", "1e-6",
        "2.2250738585072014e-308", "-3.4028234663852886e+38", "5"}) {
    EXPECT_EQ(WriteJson(Json::Parse(text), false), text);
  }
}

TEST(JsonTextTest, IndentsByTwoAndKeepsEmptyListsTogether) {
  EXPECT_EQ(WriteJson(Json::Parse(R"({"a":[1,{}],"b":[]})"), true),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
}

}  // namespace
}  // namespace hearth::tokenizers
