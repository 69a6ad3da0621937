#include "runtime/model.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "formats/gguf/gguf_file.h"
#include "runtime/checkpoint_check.h"
#include "runtime/checkpoint_identity.h"
#include "tensor/cpu/packed_store.h"
#include "tokenizers/loaders/loader.h"
#include "tokenizers/model.h"

namespace hearth::runtime {
namespace {

namespace fs = std::filesystem;
using tensor::Precision;

// Configuration files above this are none.
constexpr uint64_t kMaxTextBytes = 64u << 20;

constexpr std::pair<std::string_view, Precision> kPrecisions[] = {{"fp32", Precision::kF32},
                                                                  {"bf16", Precision::kBf16},
                                                                  {"int8", Precision::kInt8},
                                                                  {"int4", Precision::kInt4},
                                                                  {"native", Precision::kNative}};

std::optional<Json> ReadJson(const fs::path& path) {
  if (!fs::exists(path)) return std::nullopt;
  return Json::Parse(ReadFile(path, kMaxTextBytes));
}

// A special token is a string, or an object with "content".
std::optional<std::string> TokenText(const Json& value) {
  const Json* content = value.is_object() ? value.Find("content") : &value;
  if (content == nullptr || content->AsString() == nullptr) return std::nullopt;
  return *content->AsString();
}

constexpr std::string_view kSpecialTokens[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                               "pad_token", "cls_token", "mask_token"};

}  // namespace

Precision ParsePrecision(std::string_view name) {
  for (auto [known, precision] : kPrecisions) {
    if (known == name) return precision;
  }
  throw Error(Code::kInvalidArgument, "unknown precision \"" + std::string(name.substr(0, 40)) +
                                          "\": fp32, bf16, int8, int4 or native");
}

std::string_view PrecisionName(Precision precision) {
  for (auto [name, known] : kPrecisions) {
    if (known == precision) return name;
  }
  return "native";
}

std::shared_ptr<const Model> Model::Load(const fs::path& path, const LoadOptions& options) {
  return std::shared_ptr<const Model>(new Model(LoadCheckpoint(path), options));
}

Model::Model(Checkpoint checkpoint, const LoadOptions& options)
    : checkpoint_(std::move(checkpoint)), options_(options) {
  std::string type = checkpoint_.config.model_type();
  architecture_ = FindArchitecture(type);
  if (architecture_ == nullptr) {
    throw Error(Code::kUnimplemented,
                "models of type \"" + type.substr(0, 60) + "\" do not run here yet");
  }
  shape_ = architecture_->shape(checkpoint_.config);
  head_ = HeadOf(checkpoint_.config);
  CheckCheckpoint(checkpoint_, head_);
  modules_ = LoadSentenceModules(&checkpoint_);
  if (!options_.cache_folder.empty()) {
    CheckpointIdentity identity(checkpoint_, options_.settled);
    store_ = std::make_shared<tensor::PackedStore>(
        tensor::PackedStore::Options{options_.cache_folder / "packed", options_.max_cache_bytes,
                                     [identity] { return identity.Now(); }});
  }
  if (shape_.input == ModelInput::kText) {
    LoadTexts();
  } else {
    LoadPreprocessing();
  }
}

void Model::LoadPreprocessing() {
  auto file = ReadJson(checkpoint_.folder / "preprocessor_config.json");
  if (!file) return;
  const PatchGrid& grid = shape_.patches;
  std::string made, wanted = std::to_string(grid.height) + " x " + std::to_string(grid.width);
  if (shape_.input == ModelInput::kSound) {
    sound_ = SoundPreprocessing::Parse(*file);
    made = std::to_string(sound_->mel_bins) + " x " + std::to_string(sound_->frames);
  } else {
    image_ = ImagePreprocessing::Parse(*file, checkpoint_.config.model_type());
    auto size = image_->result();
    made = size ? std::to_string(size->height) + " x " + std::to_string(size->width) : wanted;
    if (grid.channels != 3) {
      throw Error(Code::kUnimplemented, "models of pictures without three colours cannot run yet");
    }
  }
  if (made == wanted) return;
  throw Error(Code::kInvalidArgument, "preprocessor_config.json makes inputs of " + made +
                                          " where config.json asks for " + wanted);
}

void Model::LoadTokenizerFile() {
  tokenizers::LoadOptions options;
  options.settled = options_.settled;
  if (!options_.cache_folder.empty()) options.cache_folder = options_.cache_folder / "tokenizers";
  try {
    tokenizer_ = tokenizers::LoadTokenizer(
        checkpoint_.gguf.empty() ? checkpoint_.folder : checkpoint_.gguf, options);
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    return;
  }
  marks_word_parts_ = !tokenizer_->model().word_part_prefix().empty();
  // A file's own settings (MiniLM pads to 128) are for its training; what is cut is our decision.
  tokenizer_->SetTruncation(std::nullopt);
  tokenizer_->SetPadding(std::nullopt);
}

void Model::LoadTexts() {
  const fs::path& folder = checkpoint_.folder;
  LoadTokenizerFile();
  generation_config_ = GenerationConfig::FromJson(config().json());
  if (auto json = ReadJson(folder / "generation_config.json")) {
    generation_config_ = generation_config_.MergedWith(GenerationConfig::FromJson(*json));
  }
  for (const char* name : {"special_tokens_map.json", "tokenizer_config.json"}) {
    auto json = ReadJson(folder / name);
    if (!json) continue;
    for (std::string_view token : kSpecialTokens) {
      const Json* value = json->Find(token);
      if (value == nullptr) continue;
      auto text = TokenText(*value);
      if (text) template_variables_.emplace_back(std::string(token), Json(*text));
    }
    if (const Json* found = json->Find("chat_template"); found != nullptr) chat_template_ = *found;
  }
  if (fs::exists(folder / "chat_template.jinja")) {
    chat_template_ = Json(ReadFile(folder / "chat_template.jinja", kMaxTextBytes));
  }
  if (checkpoint_.gguf_file != nullptr && chat_template_.is_null()) {
    if (auto text = checkpoint_.gguf_file->header().chat_template) chat_template_ = Json(*text);
    for (auto [name, id] :
         {std::pair{"bos_token", generation_config_.bos_token_id},
          {"eos_token", generation_config_.eos_token_id && !generation_config_.eos_token_id->empty()
                            ? std::optional<TokenId>(generation_config_.eos_token_id->front())
                            : std::nullopt}}) {
      if (!id || !tokenizer_) continue;
      if (auto text = tokenizer_->FindToken(*id)) {
        template_variables_.emplace_back(name, Json(std::string(*text)));
      }
    }
  }
}

const tokenizers::Tokenizer& Model::tokenizer() const {
  if (!tokenizer_) {
    throw Error(Code::kNotFound, "the model in " + folder().string() + " has no tokenizer");
  }
  return *tokenizer_;
}

std::string Model::ChatTemplateText(std::string_view template_name, bool has_tools) const {
  if (!has_chat_template()) {
    throw Error(Code::kUnprocessable,
                "this model has no chat template: it continues text and holds no conversations");
  }
  return ChooseChatTemplate(chat_template_, template_name, has_tools);
}

std::string Model::RenderChat(ChatInput input, std::string_view template_name) const {
  std::string source = ChatTemplateText(template_name, !input.tools.is_null());
  for (const auto& [name, value] : template_variables_) input.variables.emplace_back(name, value);
  return ChatTemplate::Parse(source).Render(input).text;
}

std::string Model::Label(uint32_t index) const {
  const Json* labels = config().Find({"id2label"});
  const Json* label = labels != nullptr ? labels->Find(std::to_string(index)) : nullptr;
  if (label != nullptr && label->AsString() != nullptr) return *label->AsString();
  return "LABEL_" + std::to_string(index);
}

tensor::Value Model::Forward(Head head, tensor::Builder& builder) const {
  ModelContext context(checkpoint_.config, checkpoint_.weights, std::string(architecture_->prefix),
                       head);
  return architecture_->forward(context, builder);
}

std::shared_ptr<const tensor::Program> Model::Compile(tensor::Graph graph) const {
  tensor::CompileOptions options;
  options.precision = options_.precision;
  options.tier = options_.tier;
  options.threads = options_.threads;
  options.store = store_;
  return tensor::CompileProgram(options_.executor, std::move(graph), checkpoint_.weights, options);
}

std::shared_ptr<const tensor::Program> Model::Program(Head head) const {
  std::lock_guard lock(programs_mutex_);
  auto& program = programs_[head];
  if (program == nullptr) {
    tensor::GraphBuilder recorder(checkpoint_.weights);
    Forward(head, recorder);
    program = Compile(recorder.Take());
  }
  return program;
}

std::shared_ptr<const tensor::Program> Model::EmbeddingProgram() const {
  std::lock_guard lock(programs_mutex_);
  if (embedding_program_ == nullptr) {
    tensor::GraphBuilder recorder(checkpoint_.weights);
    tensor::Value states = Forward(Head::kStates, recorder);
    SentenceModules modules = sentence_modules() != nullptr ? *modules_ : MeanPooling();
    recorder.Output("embedding",
                    AppendSentenceModules(modules, checkpoint_.weights, recorder, states));
    embedding_program_ = Compile(recorder.Take());
  }
  return embedding_program_;
}

uint32_t Model::max_text_tokens() const {
  uint32_t most = shape_.max_tokens;
  if (modules_ && modules_->max_tokens) most = std::min(most, *modules_->max_tokens);
  return most;
}

}  // namespace hearth::runtime
