#include "runtime/support.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "runtime/engine/tiny_model.h"
#include "runtime/model.h"
#include "runtime/tasks/task.h"

namespace hearth::runtime {
namespace {

using Tasks = std::vector<std::string>;

constexpr std::string_view kBert =
    R"({"model_type": "bert", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 96, "vocab_size": 96, "max_position_embeddings": 40,)";
constexpr std::string_view kLlama =
    R"({"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "intermediate_size": 96, "vocab_size": 96,
        "max_position_embeddings": 128, "rms_norm_eps": 1e-5,)";

const std::vector<SupportFile> kFiles = {
    {"config.json", 500}, {"model.safetensors", 1000}, {"tokenizer.json", 2000}};

std::string Config(std::string_view base, std::string_view architecture,
                   std::string_view more = "") {
  return std::string(base) + R"("architectures": [")" + std::string(architecture) + "\"]" +
         std::string(more) + "}";
}

Support Judge(std::string_view config, std::vector<SupportFile> files = kFiles) {
  SupportInput input;
  input.files = files;
  input.config = config;
  return JudgeSupport(input);
}

TEST(SupportTest, TellsTheTasksOfAHead) {
  EXPECT_EQ(Judge(Config(kBert, "BertForMaskedLM")).tasks,
            (Tasks{"fill-mask", "feature-extraction", "sentence-similarity"}));
  EXPECT_EQ(Judge(Config(kBert, "BertModel")).tasks,
            (Tasks{"feature-extraction", "sentence-similarity"}));
  EXPECT_EQ(Judge(Config(kBert, "BertForTokenClassification")).tasks,
            (Tasks{"token-classification"}));
  EXPECT_EQ(Judge(Config(kBert, "BertForQuestionAnswering")).tasks, (Tasks{"question-answering"}));
  EXPECT_EQ(Judge(Config(kBert, "BertForSequenceClassification")).tasks,
            (Tasks{"text-classification"}));
  EXPECT_EQ(
      Judge(Config(kBert, "BertForSequenceClassification", R"(, "id2label": {"0": "LABEL_0"})"))
          .tasks,
      (Tasks{"text-ranking", "text-classification"}));
  EXPECT_EQ(Judge(Config(kBert, "BertForSequenceClassification",
                         R"(, "id2label": {"0": "CONTRADICTION", "1": "ENTAILMENT"})"))
                .tasks,
            (Tasks{"text-classification", "zero-shot-classification"}));
}

TEST(SupportTest, PicturesAndSoundsNeedNoTokenizerButAWayToPrepareThem) {
  constexpr std::string_view kSizes =
      R"("hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 32,)";
  auto config = [&](std::string type, std::string_view architecture) {
    return Config("{\"model_type\": \"" + type + "\"," + std::string(kSizes), architecture);
  };
  std::vector<SupportFile> files = {
      {"config.json", 500}, {"model.safetensors", 1000}, {"preprocessor_config.json", 200}};
  EXPECT_EQ(Judge(config("vit", "ViTForImageClassification"), files).tasks,
            (Tasks{"image-classification"}));
  EXPECT_EQ(Judge(config("deit", "DeiTForImageClassificationWithTeacher"), files).tasks,
            (Tasks{"image-classification"}));
  EXPECT_EQ(Judge(config("vit", "ViTModel"), files).tasks, (Tasks{"image-feature-extraction"}));
  std::string ast = "audio-spectrogram-transformer";
  EXPECT_EQ(Judge(config(ast, "ASTForAudioClassification"), files).tasks,
            (Tasks{"audio-classification"}));
  EXPECT_NE(Judge(config(ast, "ASTModel"), files).reason.find("no head"), std::string::npos);
  Support bare = Judge(config("vit", "ViTForImageClassification"));
  EXPECT_NE(bare.reason.find("preprocessor_config.json"), std::string::npos) << bare.reason;
  Support large = Judge(Config(R"({"model_type": "vit", "image_size": 4096, "patch_size": 1,
      "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,)",
                               "ViTForImageClassification"),
                        files);
  EXPECT_NE(large.reason.find("more than"), std::string::npos) << large.reason;
}

TEST(SupportTest, AChatTemplateMakesAConversation) {
  SupportInput input;
  input.files = kFiles;
  std::string config = Config(kLlama, "LlamaForCausalLM");
  input.config = config;
  EXPECT_EQ(JudgeSupport(input).tasks[0], "text-generation");
  EXPECT_NE(JudgeSupport(input).tasks[1], "conversational");
  input.has_chat_template = true;
  EXPECT_EQ(JudgeSupport(input).tasks[1], "conversational");
}

TEST(SupportTest, SentenceModulesPutEmbeddingsFirst) {
  SupportInput input;
  input.files = kFiles;
  std::string config = Config(kBert, "BertModel");
  input.config = config;
  input.modules = R"([{"type": "sentence_transformers.models.Transformer", "path": ""},
                      {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}])";
  EXPECT_EQ(JudgeSupport(input).tasks, (Tasks{"sentence-similarity", "feature-extraction"}));
  input.modules = R"([{"type": "my.own.Thing", "path": ""}])";
  EXPECT_EQ(JudgeSupport(input).reason,
            "the sentence module \"my.own.Thing\" does not run here yet");
}

TEST(SupportTest, NamesNearTypesOfAnUnknownOne) {
  EXPECT_EQ(Judge(R"({"model_type": "qwen3_moe"})").reason,
            "models of type \"qwen3_moe\" do not run here yet; types near to it that do: qwen3");
  EXPECT_EQ(Judge(R"({"model_type": "whisper"})").reason,
            "models of type \"whisper\" do not run here yet");
  EXPECT_EQ(Judge(R"({"model_type": "own", "auto_map": {"AutoModel": "own.Model"}})").reason,
            "the model type \"own\" is computed by code in the repository, and code of "
            "repositories is never run here");
}

TEST(SupportTest, SaysWhatIsMissing) {
  std::string config = Config(kBert, "BertModel");
  EXPECT_NE(Judge(config, {{"config.json", 1}}).reason.find("no weights"), std::string::npos);
  EXPECT_NE(Judge("", kFiles).reason.find("no config.json"), std::string::npos);
  EXPECT_EQ(Judge(config, {{"model.safetensors", 10}}).reason, "it has no tokenizer file");
  EXPECT_NE(Judge(config, {{"flax_model.msgpack", 10}}).reason.find("Flax"), std::string::npos);
  EXPECT_NE(Judge(config, {{"adapter_config.json", 1}, {"adapter_model.safetensors", 10}})
                .reason.find("adapter"),
            std::string::npos);
  EXPECT_EQ(Judge(config, {{"model-00001-of-00003.safetensors", 10},
                           {"model-00003-of-00003.safetensors", 10},
                           {"vocab.txt", 1}})
                .reason,
            "only 2 of the 3 files with weights are there");
  EXPECT_TRUE(Judge(config, {{"model-00001-of-00002.safetensors", 10},
                             {"model-00002-of-00002.safetensors", 10},
                             {"vocab.txt", 1}})
                  .runs());
  EXPECT_TRUE(Judge(config, {{"pytorch_model.bin", 10}, {"vocab.txt", 1}}).runs());
}

TEST(SupportTest, RefusesForeignQuantisationAndWhatIsTooLarge) {
  EXPECT_NE(Judge(Config(kLlama, "LlamaForCausalLM",
                         R"(, "quantization_config": {"quant_method": "gptq"})"))
                .reason.find("\"gptq\""),
            std::string::npos);
  SupportInput input;
  std::vector<SupportFile> files = {{"model.safetensors", 16'000'000'000}, {"tokenizer.json", 1}};
  input.files = files;
  std::string config = Config(kLlama, "LlamaForCausalLM");
  input.config = config;
  input.memory_bytes = 8'000'000'000;
  EXPECT_EQ(JudgeSupport(input).reason,
            "it needs about 20.1 GB of memory; models here may take 8.0 GB");
}

TEST(SupportTest, ChoosesOneOfSeveralGgufFiles) {
  std::vector<SupportFile> files = {{"m-Q2_K.gguf", 200},
                                    {"m-Q4_K_M.gguf", 400},
                                    {"m-Q8_0.gguf", 800},
                                    {"mmproj-f16.gguf", 5000}};
  SupportInput input;
  input.files = files;
  input.gguf_architecture = "llama";
  EXPECT_EQ(JudgeSupport(input).gguf_file, "m-Q4_K_M.gguf");
  EXPECT_EQ(JudgeSupport(input).tasks[0], "text-generation");
  input.gguf_architecture = "bert";
  EXPECT_EQ(JudgeSupport(input).tasks[0], "sentence-similarity");
  input.gguf_architecture = "rwkv7";
  EXPECT_EQ(JudgeSupport(input).reason,
            "GGUF models of architecture \"rwkv7\" do not run here yet");
}

TEST(SupportTest, AVocabularyIsNoModel) {
  std::vector<SupportFile> files = {{"vocabulary.gguf", 200}};
  SupportInput input;
  input.files = files;
  input.gguf_architecture = "bert";
  input.gguf_parameters = 0;
  EXPECT_EQ(JudgeSupport(input).reason, "its GGUF file holds a vocabulary and no weights");
  files.push_back({"weights.gguf", 400});
  input.files = files;
  EXPECT_EQ(JudgeSupport(input).gguf_file, "weights.gguf");
}

TEST(SupportTest, BrokenTextsAreReasonsNotFaults) {
  for (const char* text : {"{", "[]", "{}", "null", R"({"model_type": 3})",
                           R"({"model_type": "bert", "hidden_size": -4})",
                           R"({"model_type": "bert", "text_config": []})"}) {
    Support support = Judge(text);
    EXPECT_FALSE(support.runs()) << text;
    EXPECT_FALSE(support.reason.empty()) << text;
  }
}

// What is promised from names alone is what a loaded model offers.
TEST(SupportTest, AgreesWithTheLoadedModel) {
  TinyModel tiny("support");
  std::vector<std::string> names;
  std::vector<SupportFile> files;
  for (const auto& entry : std::filesystem::directory_iterator(tiny.folder())) {
    names.push_back(entry.path().filename().string());
  }
  for (const std::string& name : names) {
    files.push_back({name, std::filesystem::file_size(tiny.folder() / name)});
  }
  std::stringstream config;
  config << std::ifstream(tiny.folder() / "config.json").rdbuf();
  std::string text = config.str();
  SupportInput input;
  input.files = files;
  input.config = text;
  Support support = JudgeSupport(input);
  auto model = Model::Load(tiny.folder());
  EXPECT_EQ(support.tasks.front(), DefaultTask(*model)->name);
  for (const Task* task : runtime::Tasks()) {
    bool promised =
        std::find(support.tasks.begin(), support.tasks.end(), task->name) != support.tasks.end();
    EXPECT_EQ(promised, !task->refusal(*model).has_value()) << task->name;
  }
}

}  // namespace
}  // namespace hearth::runtime
