#include "hub/facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "hub/hub_fixture.h"
#include "hub/internal/facts_json.h"
#include "hub/internal/facts_reader.h"

namespace hearth::hub {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename T>
std::string Bytes(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

// A whole safetensors file of one-dimensional tensors: {name, dtype, element bytes, count}.
struct Tensor {
  std::string name, dtype;
  uint64_t width, count;
};
std::string Safetensors(const std::vector<Tensor>& tensors) {
  Json header = Json::Obj({{"__metadata__", Json::Obj({{"format", "pt"}})}});
  uint64_t at = 0;
  for (const Tensor& tensor : tensors) {
    uint64_t end = at + tensor.width * tensor.count;
    header.Set(tensor.name, Json::Obj({{"dtype", tensor.dtype},
                                       {"shape", Json::Arr({tensor.count})},
                                       {"data_offsets", Json::Arr({at, end})}}));
    at = end;
  }
  std::string text = header.Dump();
  return Bytes<uint64_t>(text.size()) + text + std::string(at, '\1');
}

std::string GgufText(std::string_view text) {
  return Bytes<uint64_t>(text.size()) + std::string(text);
}

// A GGUF file (version 3) with one F32 tensor of `count` numbers.
std::string Gguf(uint64_t count) {
  std::string file = "GGUF" + Bytes<uint32_t>(3) + Bytes<uint64_t>(1) + Bytes<uint64_t>(3);
  file += GgufText("general.architecture") + Bytes<uint32_t>(8) + GgufText("llama");
  file += GgufText("llama.context_length") + Bytes<uint32_t>(4) + Bytes<uint32_t>(4096);
  file += GgufText("tokenizer.chat_template") + Bytes<uint32_t>(8) + GgufText("{{ messages }}");
  file += GgufText("token_embd.weight") + Bytes<uint32_t>(1) + Bytes<uint64_t>(count) +
          Bytes<uint32_t>(0) + Bytes<uint64_t>(0);
  file.resize((file.size() + 31) / 32 * 32, '\0');
  return file + std::string(count * 4, '\0');
}

class FactsTest : public HubFixture {};

TEST_F(FactsTest, ModelCardAndFilesGiveTagsInTheOrderOfTheWire) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "encoder");
  GitOid head = Commit(
      repo,
      {{"README.md",
        "---\nlicense: apache-2.0\nlibrary_name: sentence-transformers\nlanguage: [en, no]\n"
        "tags: [embeddings, sentence-transformers]\npipeline_tag: sentence-similarity\n"
        "datasets: [s2orc, ms/marco]\nbase_model: nreimers/MiniLM\n---\n# Encoder\n"
        "See [the paper](https://arxiv.org/abs/1908.10084v2) and https://doi.org/10.1000/x.12.\n"},
       {"config.json",
        R"({"architectures":["BertModel"],"model_type":"bert","hidden_size":384,"vocab_size":9})"},
       {"modules.json", "[]"},
       {"tokenizer_config.json",
        R"({"mask_token":{"content":"[MASK]"},"cls_token":"[CLS]","model_max_length":512})"}},
      {{"model.safetensors", Safetensors({{"a", "F32", 4, 1000}, {"b", "I64", 8, 10}})}});
  RepoFacts facts = Facts(repo, head);
  EXPECT_THAT(facts.tags,
              ElementsAre("sentence-transformers", "safetensors", "embeddings",
                          "sentence-similarity", "en", "no", "bert", "dataset:s2orc",
                          "dataset:ms/marco", "arxiv:1908.10084", "doi:10.1000/x.12",
                          "base_model:nreimers/MiniLM", "base_model:finetune:nreimers/MiniLM",
                          "license:apache-2.0", "endpoints_compatible", "region:us"));
  EXPECT_EQ(facts.library_name, "sentence-transformers");
  EXPECT_EQ(facts.pipeline_tag, "sentence-similarity");
  EXPECT_EQ(facts.mask_token, "[MASK]");
  EXPECT_EQ(facts.config.Dump(),
            R"({"architectures":["BertModel"],"model_type":"bert",)"
            R"("tokenizer_config":{"mask_token":"[MASK]","cls_token":"[CLS]"}})");
  EXPECT_EQ(facts.safetensors.Dump(), R"({"parameters":{"F32":1000,"I64":10},"total":1010})");
  EXPECT_EQ(facts.parameter_count, 1010u);
  EXPECT_TRUE(facts.transformers_info.is_null());
  EXPECT_EQ(facts.base_models.Dump(), R"({"relation":"finetune","models":["nreimers/MiniLM"]})");
  EXPECT_EQ(facts.card_text.substr(0, 9), "# Encoder");
  EXPECT_THAT(facts.warnings, IsEmpty());
}

TEST_F(FactsTest, LibraryAndTaskComeFromTheConfigurationThatTransformersWrote) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "chat");
  GitOid head = Commit(
      repo,
      {{"config.json",
        R"({"architectures":["QwenForCausalLM"],"model_type":"qwen","transformers_version":"5.0.0",
            "auto_map":{"AutoConfig":"c.C","AutoModelForCausalLM":"m.QwenForCausalLM"}})"},
       {"chat_template.jinja", "{% for m in messages %}{% endfor %}"}});
  RepoFacts facts = Facts(repo, head);
  EXPECT_EQ(facts.library_name, "transformers");
  EXPECT_EQ(facts.pipeline_tag, "text-generation");
  EXPECT_EQ(facts.transformers_info.Dump(),
            R"({"auto_model":"AutoModelForCausalLM","custom_class":"m.QwenForCausalLM",)"
            R"("pipeline_tag":"text-generation","processor":"AutoTokenizer"})");
  EXPECT_THAT(facts.tags, ElementsAre("transformers", "text-generation", "qwen", "conversational",
                                      "custom_code", "region:us"));
  ASSERT_TRUE(facts.widget_data.is_array());
}

TEST_F(FactsTest, ShardsAreAddedUp) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "large");
  GitOid head = Commit(repo,
                       {{"model.safetensors.index.json",
                         R"({"metadata":{"total_size":88},"weight_map":{"a":"m-1.safetensors",)"
                         R"("b":"m-2.safetensors"}})"}},
                       {{"m-1.safetensors", Safetensors({{"a", "BF16", 2, 30}})},
                        {"m-2.safetensors", Safetensors({{"b", "F32", 4, 7}})}});
  RepoFacts facts = Facts(repo, head);
  EXPECT_EQ(facts.safetensors.Dump(),
            R"({"parameters":{"BF16":30,"F32":7},"total":37,"sharded":true})");
  Json metadata =
      ReadSafetensorsMetadata(Reopen(repo), hub_->objects(), head, "model.safetensors.index.json");
  EXPECT_EQ(metadata.Find("headers")->Find("m-2.safetensors")->Find("b")->Find("dtype")->Dump(),
            "\"F32\"");
  EXPECT_EQ(metadata.Find("index")->Dump(), R"({"metadata":{"total_size":88}})");
}

TEST_F(FactsTest, GgufHeaderIsShown) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "quant");
  GitOid head = Commit(repo, {{"README.md", "---\nbase_model: a/b\n---\n"}},
                       {{"model-q4.gguf", Gguf(64)}, {"mmproj.gguf", "broken"}});
  RepoFacts facts = Facts(repo, head);
  EXPECT_EQ(facts.gguf.Dump(), R"({"total":64,"architecture":"llama","context_length":4096,)"
                               R"("chat_template":"{{ messages }}"})");
  EXPECT_EQ(facts.parameter_count, 64u);
  EXPECT_EQ(facts.pipeline_tag, "text-generation");
  EXPECT_THAT(facts.tags, Contains("base_model:quantized:a/b"));
}

TEST_F(FactsTest, BrokenFilesBecomeWarnings) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "broken");
  std::string whole = Safetensors({{"a", "F32", 4, 100}});
  GitOid head =
      Commit(repo, {{"config.json", "{\"architectures\": ["}, {"tokenizer_config.json", "[1, 2"}},
             {{"model.safetensors", whole.substr(0, 40)}});
  RepoFacts facts = Facts(repo, head);
  EXPECT_TRUE(facts.safetensors.is_null());
  EXPECT_TRUE(facts.config.is_null());
  EXPECT_THAT(facts.warnings, Contains(HasSubstr("config.json: ")));
  EXPECT_THAT(facts.warnings, Contains(HasSubstr("tokenizer_config.json: ")));
  EXPECT_THAT(facts.warnings, Contains(HasSubstr("model.safetensors: ")));
  EXPECT_EQ(facts.siblings.size(), 4u);  // .gitattributes came with the repository
}

// Written past the checks of the API, as a push from another program could: nothing of an object
// that the repository was never given may show.
TEST_F(FactsTest, PointerWithoutAGrantShowsNothingOfTheObject) {
  RepoHandle theirs = MakeRepo(ada_, RepoType::kModel, "theirs", true);
  std::string secret = Safetensors({{"secret", "F32", 4, 1234}});
  Commit(theirs, {}, {{"model.safetensors", secret}});
  Actor bob = MakeUser("bob");
  RepoHandle repo = MakeRepo(bob, RepoType::kModel, "thief");
  auto git = storage::GitRepository::Open(repo.git_folder());
  storage::NewCommit commit;
  commit.ref = "refs/heads/main";
  commit.expected_head = Reopen(repo).record().head;
  commit.changes.push_back(storage::PutFile{
      "model.safetensors", storage::MakeLfsPointer({Sha256Of(secret), secret.size()})});
  commit.message = "pointer";
  commit.author = {"bob", "bob@hub.test", clock_.Now()};
  RepoFacts facts = Facts(repo, git.Commit(commit));
  EXPECT_TRUE(facts.safetensors.is_null());
  EXPECT_EQ(facts.parameter_count, 0u);
  EXPECT_THAT(facts.warnings, Contains(HasSubstr("model.safetensors: ")));
}

TEST_F(FactsTest, DatasetTagsSayWhatIsInTheFiles) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kDataset, "table");
  GitOid head = Commit(
      repo, {{"README.md",
              "---\nlicense: cc-by-4.0\nlanguage: en\ntask_categories: [text-classification]\n"
              "size_categories: n<1K\ntags: [demo]\ndataset_info:\n  features:\n"
              "  - name: x\n    dtype: float64\n---\n# Table\n\n![logo](a.png)\n\nMeasured *by "
              "hand*\nin a garden.\n\nMore.\n"},
             {"data/train.csv", "a,b\n1,2\n"},
             {"data/test.csv", "a,b\n1,2\n"}});
  RepoFacts facts = Facts(repo, head);
  EXPECT_THAT(facts.tags, ElementsAre("task_categories:text-classification", "size_categories:n<1K",
                                      "language:en", "license:cc-by-4.0", "demo", "format:csv",
                                      "modality:tabular", "modality:text", "library:datasets",
                                      "library:pandas", "library:polars", "region:us"));
  EXPECT_EQ(facts.description, "Measured *by hand* in a garden.");
}

TEST_F(FactsTest, SpaceCardGivesSdkAndLinks) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kSpace, "demo");
  GitOid head = Commit(repo, {{"README.md",
                               "---\ntitle: Demo\nemoji: 🔥\ncolorFrom: red\nsdk: gradio\n"
                               "models: [ada/encoder, 'not an id!']\n---\n"}});
  RepoFacts facts = Facts(repo, head);
  EXPECT_EQ(facts.space.Find("sdk")->Dump(), "\"gradio\"");
  EXPECT_EQ(facts.space.Find("models")->Dump(), R"(["ada/encoder"])");
  EXPECT_THAT(facts.tags, ElementsAre("gradio", "region:us"));
}

TEST_F(FactsTest, StoredTextGivesTheSameFactsBack) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "stored");
  GitOid head = Commit(repo,
                       {{"README.md", "---\nlicense: mit\ntags: [a]\n---\nText\n"},
                        {"config.json", R"({"model_type":"bert"})"}},
                       {{"model.safetensors", Safetensors({{"a", "F16", 2, 5}})}});
  RepoFacts facts = Facts(repo, head);
  std::string text = FactsToText(facts);
  RepoFacts again = FactsFromText(text);
  EXPECT_EQ(FactsToText(again), text);
  EXPECT_EQ(again.siblings.size(), facts.siblings.size());
  EXPECT_EQ(again.commit, head);
  for (size_t cut : {size_t{0}, size_t{1}, text.size() / 2, text.size() - 1})
    EXPECT_THROW(FactsFromText(text.substr(0, cut)), Error) << cut;
}

TEST(FactsLinksTest, FindsArxivIdsInEveryFormOfLink) {
  EXPECT_THAT(FindArxivIds("https://arxiv.org/pdf/2106.09685.pdf, https://huggingface.co/papers/"
                           "1706.03762 and arxiv.org/abs/2106.09685v3; arxiv.org/abs/hep-th/99"),
              ElementsAre("2106.09685", "1706.03762"));
  EXPECT_THAT(FindDois("(https://doi.org/10.57967/hf/0001). doi.org/11.1/x doi.org/10.5"),
              ElementsAre("10.57967/hf/0001"));
}

}  // namespace
}  // namespace hearth::hub
