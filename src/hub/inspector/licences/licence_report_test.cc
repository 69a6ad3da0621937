#include "hub/inspector/licences/licence_report.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "hub/inspector/licences/licence_test_texts.h"

namespace hearth::inspector {
namespace {

using Files = std::map<std::string, std::string>;

class TextSource : public ByteSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  uint64_t size_bytes() override { return text_.size(); }
  void ReadAt(uint64_t offset, char* out, size_t n) override { text_.copy(out, n, offset); }

 private:
  std::string text_;
};

class TextView : public RepoView {
 public:
  TextView(std::string type, std::string id, Files files)
      : type_(std::move(type)), id_(std::move(id)), texts_(std::move(files)) {
    for (const auto& [path, text] : texts_)
      files_.push_back({.path = path, .size_bytes = text.size()});
  }
  std::string type() const override { return type_; }
  std::string id() const override { return id_; }
  std::string commit() const override { return "c0ffee"; }
  const std::vector<RepoFile>& files() const override { return files_; }
  std::unique_ptr<ByteSource> Open(std::string_view path) const override {
    return std::make_unique<TextSource>(texts_.at(std::string(path)));
  }

 private:
  std::string type_, id_;
  Files texts_;
  std::vector<RepoFile> files_;
};

class Hub : public Neighbours {
 public:
  void Add(const std::string& type, const std::string& id, Files files) {
    repos_[type + ":" + id] = std::move(files);
  }
  std::unique_ptr<RepoView> Find(std::string_view type, std::string_view id,
                                 std::string_view) const override {
    auto found = repos_.find(std::string(type) + ":" + std::string(id));
    if (found == repos_.end()) return nullptr;
    return std::make_unique<TextView>(std::string(type), std::string(id), found->second);
  }

 private:
  std::map<std::string, Files> repos_;
};

Files Card(const std::string& front, const std::string& body = "") {
  return {{"README.md", "---\n" + front + "---\n" + body}};
}

Json Inspect(const Hub& hub, Files files, const std::string& id = "me/model") {
  return LicenceReport(TextView("model", id, std::move(files)), hub);
}

std::string At(const Json& json, std::initializer_list<std::string_view> path) {
  const Json* at = &json;
  for (std::string_view key : path) {
    at = at->is_array() ? &(*at->AsArray())[std::stoul(std::string(key))] : at->Find(key);
    if (at == nullptr) return "(none)";
  }
  return at->AsString() != nullptr ? *at->AsString() : at->Dump();
}

// "check: result" of all checks.
std::vector<std::string> ChecksOf(const Json& report) {
  std::vector<std::string> list;
  for (const Json& check : *report.Find("checks")->AsArray())
    list.push_back(At(check, {"value", "check"}) + ": " + At(check, {"value", "result"}));
  return list;
}

bool HasCheck(const Json& report, const std::string& wanted) {
  std::vector<std::string> checks = ChecksOf(report);
  return std::find(checks.begin(), checks.end(), wanted) != checks.end();
}

TEST(LicenceReport, NothingSaidIsMissing) {
  Json report = Inspect({}, {{"config.json", "{}"}});
  EXPECT_EQ(At(report, {"licence", "level"}), "missing");
  EXPECT_EQ(At(report, {"licence", "value"}), "null");
  EXPECT_EQ(At(report, {"effective", "value", "headline"}), "unknown");
  EXPECT_EQ(At(report, {"banner"}), "A reading aid, not legal advice.");
}

TEST(LicenceReport, TheCardAloneDeclaresAndTheTextProves) {
  Json card = Inspect({}, Card("license: mit\n"));
  EXPECT_EQ(At(card, {"licence", "value"}), "mit");
  EXPECT_EQ(At(card, {"licence", "level"}), "declared");
  EXPECT_EQ(At(card, {"licence", "evidence", "0", "place"}), "line 2");
  EXPECT_TRUE(HasCheck(card, "card-text: missing"));
  Files both = Card("license: mit\n");
  both["LICENSE"] = std::string(kMitText);
  Json proved = Inspect({}, both);
  EXPECT_EQ(At(proved, {"licence", "level"}), "proved");
  EXPECT_EQ(ChecksOf(proved), std::vector<std::string>{"card-text: agree"});
  Json text = Inspect({}, {{"LICENSE", std::string(kBsd3Text)}});
  EXPECT_EQ(At(text, {"licence", "value"}), "bsd-3-clause");
  EXPECT_EQ(At(text, {"licence", "level"}), "proved");
}

TEST(LicenceReport, CardAndTextThatDifferAreBothReckonedWith) {
  Files files = Card("license: apache-2.0\n", "# M\n## License\nMIT License\n");
  files["LICENSE"] = std::string(kBsd3Text);
  Json report = Inspect({}, files);
  EXPECT_TRUE(HasCheck(report, "card-text: differ"));
  EXPECT_TRUE(HasCheck(report, "card-section: differ"));
  EXPECT_EQ(At(report, {"licence", "level"}), "declared");
  EXPECT_EQ(At(report, {"effective", "value", "licences"}), "[\"apache-2.0\",\"bsd-3-clause\"]");
}

TEST(LicenceReport, OtherWithANameOrATextIsRead) {
  Json named = Inspect({}, Card("license: other\nlicense_name: llama3.1\nlicense_link: LICENSE\n"));
  EXPECT_EQ(At(named, {"licence", "value"}), "llama3.1");
  EXPECT_EQ(At(named, {"effective", "value", "class"}), "community");
  Files files = Card("license: other\n");
  files["LICENSE.md"] = std::string(kMitText);
  EXPECT_EQ(At(Inspect({}, files), {"licence", "value"}), "mit");
  Json blank = Inspect({}, Card("license: other\nlicense_name: our-terms\n"));
  EXPECT_EQ(At(blank, {"rows", "0", "id"}), "other");
  EXPECT_EQ(At(blank, {"name"}), "our-terms");
}

TEST(LicenceReport, EffectiveIsTheMeetOverTheWholeChain) {
  Hub hub;
  hub.Add("model", "meta/base", Card("license: llama3.1\n"));
  hub.Add("model", "mid/nc", Card("license: cc-by-nc-4.0\nbase_model: meta/base\n"));
  Json report =
      Inspect(hub, Card("license: mit\nbase_model: mid/nc\nbase_model_relation: quantized\n"));
  EXPECT_EQ(report.Find("chain")->size(), 2u);
  EXPECT_EQ(At(report, {"chain", "0", "relation"}), "quantized");
  EXPECT_EQ(At(report, {"chain", "0", "verdict", "verdict"}), "conflict");
  EXPECT_EQ(At(report, {"chain", "0", "verdict", "rule"}), "nc-parent");
  EXPECT_EQ(At(report, {"chain", "0", "verdict", "place"}), "section 2(a)(1)");
  EXPECT_EQ(At(report, {"chain", "1", "of"}), "mid/nc");
  EXPECT_EQ(At(report, {"chain", "1", "verdict", "rule"}), "community-narrowed");
  EXPECT_EQ(At(report, {"effective", "value", "class"}), "non-commercial");
  EXPECT_EQ(At(report, {"effective", "value", "may", "commercial"}), "false");
  EXPECT_EQ(At(report, {"effective", "value", "duties", "naming"}), "true");
  EXPECT_EQ(At(report, {"verdict"}), "conflict");
  EXPECT_TRUE(HasCheck(report, "card-base: conflict"));
  EXPECT_TRUE(HasCheck(report, "default-licence: odd"));
  std::string text = LicenceReportText(report);
  EXPECT_NE(text.find("research only: non-commercial"), std::string::npos) << text;
  EXPECT_NE(text.find("not legal advice"), std::string::npos);
}

TEST(LicenceReport, AMemberThatMayNotBeReadIsMissingLikeOneThatIsNotThere) {
  Json report = Inspect({}, Card("license: mit\nbase_model: secret/base\n"));
  EXPECT_EQ(At(report, {"chain", "0", "id"}), "secret/base");
  EXPECT_EQ(At(report, {"chain", "0", "licence", "level"}), "missing");
  EXPECT_EQ(At(report, {"chain", "0", "commit"}), "(none)");
  EXPECT_EQ(At(report, {"effective", "value", "complete"}), "false");
  EXPECT_EQ(At(report, {"effective", "value", "headline"}), "unknown");
  EXPECT_EQ(At(report, {"verdict"}), "unknown");
}

TEST(LicenceReport, AnAdapterKeepsItsLicenceAndTheMeetIsShown) {
  Hub hub;
  hub.Add("model", "nc/base", Card("license: cc-by-nc-4.0\n"));
  Files files = Card("license: mit\n");
  files["adapter_config.json"] = R"({"base_model_name_or_path": "nc/base", "peft_type": "LORA"})";
  Json report = Inspect(hub, files);
  EXPECT_EQ(At(report, {"rows", "0", "id"}), "mit");
  EXPECT_EQ(At(report, {"chain", "0", "relation"}), "adapter");
  EXPECT_EQ(At(report, {"chain", "0", "evidence", "file"}), "adapter_config.json");
  EXPECT_EQ(At(report, {"chain", "0", "verdict", "verdict"}), "duty");
  EXPECT_EQ(At(report, {"effective", "value", "class"}), "non-commercial");
}

TEST(LicenceReport, ParentsOfAMergeAreComparedPairwise) {
  Hub hub;
  hub.Add("model", "a/gpl", Card("license: gpl-3.0\n"));
  hub.Add("model", "b/nc", Card("license: cc-by-nc-4.0\n"));
  Files files = Card("license: gpl-3.0\n");
  files["mergekit_config.yml"] =
      "slices:\n- sources:\n  - model: a/gpl\n  - model: b/nc\n  - model: /home/me/local\n"
      "merge_method: slerp\nbase_model: a/gpl\n";
  Json report = Inspect(hub, files);
  EXPECT_EQ(report.Find("chain")->size(), 2u);
  EXPECT_EQ(At(report, {"chain", "1", "relation"}), "merge");
  EXPECT_TRUE(HasCheck(report, "merge: conflict"));
}

TEST(LicenceReport, DataSetsWarnAndDoNotBind) {
  Hub hub;
  hub.Add("dataset", "d/nc", Card("license: cc-by-nc-4.0\n"));
  Json report = Inspect(hub, Card("license: mit\ndatasets:\n- d/nc\n"));
  EXPECT_EQ(At(report, {"datasets", "0", "verdict", "verdict"}), "warning");
  EXPECT_EQ(At(report, {"effective", "value", "class"}), "permissive");
  EXPECT_EQ(At(report, {"verdict"}), "warning");
}

TEST(LicenceReport, CyclesAndLongChainsEnd) {
  Hub hub;
  hub.Add("model", "a/a", Card("license: mit\nbase_model: b/b\n"));
  hub.Add("model", "b/b", Card("license: mit\nbase_model: me/model\n"));
  Json report = Inspect(hub, Card("license: mit\nbase_model: a/a\n"));
  EXPECT_EQ(report.Find("chain")->size(), 2u);
  EXPECT_TRUE(HasCheck(report, "cycle: odd"));
  for (int i = 0; i < 100; ++i) {
    hub.Add("model", "long/m" + std::to_string(i),
            Card("license: mit\nbase_model: long/m" + std::to_string(i + 1) + "\n"));
  }
  Json chain = Inspect(hub, Card("license: mit\nbase_model: long/m0\n"));
  EXPECT_EQ(chain.Find("chain")->size(), static_cast<size_t>(kMaxChainDepth));
  EXPECT_TRUE(HasCheck(chain, "chain: cut"));
  std::string many = "license: mit\nbase_model:\n";
  for (int i = 0; i < 500; ++i) many += "- wide/m" + std::to_string(i) + "\n";
  EXPECT_LE(Inspect(hub, Card(many)).Find("chain")->size(), kMaxChainMembers);
}

TEST(LicenceReport, ALicenceThatNobodyChoseSmells) {
  Hub hub;
  hub.Add("model", "x/base", Card("license: gemma\n"));
  EXPECT_TRUE(HasCheck(Inspect(hub, Card("license: apache-2.0\nbase_model: x/base\n")),
                       "default-licence: odd"));
  EXPECT_TRUE(HasCheck(Inspect(hub, Card("license: mit\n", "[More Information Needed]\n")),
                       "default-licence: odd"));
  EXPECT_FALSE(HasCheck(Inspect(hub, Card("license: mit\n",
                                          "# M\n## License\nMIT License\n"
                                          "[More Information Needed]\n")),
                        "default-licence: odd"));
  EXPECT_FALSE(HasCheck(Inspect(hub, Card("license: mit\n")), "default-licence: odd"));
}

TEST(LicenceReport, BrokenFilesSayNothing) {
  Files files = {{"README.md", "---\nlicense: [mit\n---\n"},
                 {"config.json", "{"},
                 {"adapter_config.json", "[]"},
                 {"mergekit_config.yml", "a: [\n"},
                 {"LICENSE", std::string(2000, '\xff')}};
  Json report = Inspect({}, files);
  EXPECT_EQ(At(report, {"licence", "level"}), "missing");
  EXPECT_EQ(report.Find("chain")->size(), 0u);
}

}  // namespace
}  // namespace hearth::inspector
