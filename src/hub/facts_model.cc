// What follows for a model from its card and files: library, task, base models, tags.
//
// The rules are those of section 10 of the wire reference. Where the public hub guesses from the
// date of a repository, this one looks for evidence: config.json makes a repository a transformers
// one only when that library wrote it (`transformers_version`).
#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "hub/internal/card_tables.h"
#include "hub/internal/facts_reader.h"
#include "hub/tasks.h"

namespace hearth::hub {
namespace {

// config.json and modules.json above this are none.
constexpr uint64_t kMaxJudgedBytes = 4u << 20;

struct ArchitectureRule {
  std::string_view suffix;
  std::string_view task;  // "" = not said by the class
  std::string_view auto_model;
  std::string_view processor;
};

// First match wins: longer and more special suffixes before the general ones.
constexpr ArchitectureRule kArchitectures[] = {
    {"ForCausalLM", "text-generation", "AutoModelForCausalLM", "AutoTokenizer"},
    {"LMHeadModel", "text-generation", "AutoModelForCausalLM", "AutoTokenizer"},
    {"ForMaskedLM", "fill-mask", "AutoModelForMaskedLM", "AutoTokenizer"},
    {"ForSequenceClassification", "text-classification", "AutoModelForSequenceClassification",
     "AutoTokenizer"},
    {"ForTokenClassification", "token-classification", "AutoModelForTokenClassification",
     "AutoTokenizer"},
    {"TapasForQuestionAnswering", "table-question-answering", "AutoModelForTableQuestionAnswering",
     "AutoTokenizer"},
    {"ViltForQuestionAnswering", "visual-question-answering", "AutoModelForVisualQuestionAnswering",
     "AutoProcessor"},
    {"ForDocumentQuestionAnswering", "document-question-answering",
     "AutoModelForDocumentQuestionAnswering", "AutoProcessor"},
    {"ForVisualQuestionAnswering", "visual-question-answering",
     "AutoModelForVisualQuestionAnswering", "AutoProcessor"},
    {"ForQuestionAnswering", "question-answering", "AutoModelForQuestionAnswering",
     "AutoTokenizer"},
    {"ForMultipleChoice", "multiple-choice", "AutoModelForMultipleChoice", "AutoTokenizer"},
    {"WhisperForConditionalGeneration", "automatic-speech-recognition", "AutoModelForSpeechSeq2Seq",
     "AutoProcessor"},
    {"ForSpeechSeq2Seq", "automatic-speech-recognition", "AutoModelForSpeechSeq2Seq",
     "AutoProcessor"},
    {"ForSpeechToText", "automatic-speech-recognition", "AutoModelForSpeechSeq2Seq",
     "AutoProcessor"},
    {"ForCTC", "automatic-speech-recognition", "AutoModelForCTC", "AutoProcessor"},
    {"ForTextToSpeech", "text-to-speech", "AutoModelForTextToWaveform", "AutoProcessor"},
    {"VitsModel", "text-to-speech", "AutoModelForTextToWaveform", "AutoTokenizer"},
    {"ForAudioClassification", "audio-classification", "AutoModelForAudioClassification",
     "AutoFeatureExtractor"},
    {"ForVideoClassification", "video-classification", "AutoModelForVideoClassification",
     "AutoImageProcessor"},
    {"ForImageClassification", "image-classification", "AutoModelForImageClassification",
     "AutoImageProcessor"},
    {"ForZeroShotObjectDetection", "zero-shot-object-detection",
     "AutoModelForZeroShotObjectDetection", "AutoProcessor"},
    {"OwlViTForObjectDetection", "zero-shot-object-detection",
     "AutoModelForZeroShotObjectDetection", "AutoProcessor"},
    {"ForObjectDetection", "object-detection", "AutoModelForObjectDetection", "AutoImageProcessor"},
    {"ForSemanticSegmentation", "image-segmentation", "AutoModelForSemanticSegmentation",
     "AutoImageProcessor"},
    {"ForInstanceSegmentation", "image-segmentation", "AutoModelForInstanceSegmentation",
     "AutoImageProcessor"},
    {"ForUniversalSegmentation", "image-segmentation", "AutoModelForUniversalSegmentation",
     "AutoImageProcessor"},
    {"ForDepthEstimation", "depth-estimation", "AutoModelForDepthEstimation", "AutoImageProcessor"},
    {"ForKeypointDetection", "keypoint-detection", "AutoModelForKeypointDetection",
     "AutoImageProcessor"},
    {"ForTimeSeriesPrediction", "time-series-forecasting", "AutoModelForTimeSeriesPrediction", ""},
    {"SamModel", "mask-generation", "AutoModelForMaskGeneration", "AutoProcessor"},
    {"CLIPModel", "zero-shot-image-classification", "AutoModelForZeroShotImageClassification",
     "AutoProcessor"},
    {"SiglipModel", "zero-shot-image-classification", "AutoModelForZeroShotImageClassification",
     "AutoProcessor"},
    {"VisionEncoderDecoderModel", "image-to-text", "AutoModelForImageTextToText", "AutoProcessor"},
    {"MarianMTModel", "translation", "AutoModelForSeq2SeqLM", "AutoTokenizer"},
    {"M2M100ForConditionalGeneration", "translation", "AutoModelForSeq2SeqLM", "AutoTokenizer"},
    {"PegasusForConditionalGeneration", "summarization", "AutoModelForSeq2SeqLM", "AutoTokenizer"},
    {"T5ForConditionalGeneration", "", "AutoModelForSeq2SeqLM", "AutoTokenizer"},
    {"BartForConditionalGeneration", "", "AutoModelForSeq2SeqLM", "AutoTokenizer"},
    {"LEDForConditionalGeneration", "summarization", "AutoModelForSeq2SeqLM", "AutoTokenizer"},
    {"BlenderbotForConditionalGeneration", "", "AutoModelForSeq2SeqLM", "AutoTokenizer"},
    {"ForConditionalGeneration", "image-text-to-text", "AutoModelForImageTextToText",
     "AutoProcessor"},
    {"ForPreTraining", "", "AutoModelForPreTraining", "AutoTokenizer"},
    {"ViTModel", "image-feature-extraction", "AutoModel", "AutoImageProcessor"},
    {"Dinov2Model", "image-feature-extraction", "AutoModel", "AutoImageProcessor"},
    {"Model", "feature-extraction", "AutoModel", "AutoTokenizer"},
};

const ArchitectureRule* RuleFor(std::string_view architecture) {
  for (const ArchitectureRule& rule : kArchitectures) {
    if (architecture.ends_with(rule.suffix)) return &rule;
  }
  return nullptr;
}

std::string FirstArchitecture(const Json& config) {
  std::vector<std::string> names = TextList(config.Find("architectures"));
  return names.empty() ? std::string() : names[0];
}

std::string_view BaseName(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

struct FormatRule {
  std::string_view tag;
  bool (*matches)(std::string_view path, std::string_view name);
};

// In the order of the tags.
constexpr FormatRule kFormats[] = {
    {"safetensors",
     [](std::string_view, std::string_view n) { return n.ends_with(".safetensors"); }},
    {"gguf", [](std::string_view, std::string_view n) { return n.ends_with(".gguf"); }},
    {"onnx", [](std::string_view, std::string_view n) { return n.ends_with(".onnx"); }},
    {"pytorch",
     [](std::string_view, std::string_view n) {
       return n.ends_with(".pt") || n.ends_with(".pth") ||
              (n.ends_with(".bin") &&
               (n.starts_with("pytorch_model") || n.starts_with("adapter_model") ||
                n.starts_with("diffusion_pytorch_model")));
     }},
    {"tf",
     [](std::string_view, std::string_view n) {
       return (n.starts_with("tf_model") && n.ends_with(".h5")) || n == "saved_model.pb";
     }},
    {"jax", [](std::string_view, std::string_view n) { return n.starts_with("flax_model"); }},
    {"rust", [](std::string_view, std::string_view n) { return n == "rust_model.ot"; }},
    {"coreml",
     [](std::string_view p, std::string_view n) {
       return n.ends_with(".mlmodel") || p.find(".mlpackage/") != std::string_view::npos;
     }},
    {"openvino",
     [](std::string_view, std::string_view n) {
       return n.starts_with("openvino_") && n.ends_with(".xml");
     }},
    {"tflite", [](std::string_view, std::string_view n) { return n.ends_with(".tflite"); }},
    {"keras", [](std::string_view, std::string_view n) { return n.ends_with(".keras"); }},
    {"nemo", [](std::string_view, std::string_view n) { return n.ends_with(".nemo"); }},
    {"paddlepaddle", [](std::string_view, std::string_view n) { return n.ends_with(".pdparams"); }},
    {"llamafile", [](std::string_view, std::string_view n) { return n.ends_with(".llamafile"); }},
    {"tensorboard",
     [](std::string_view, std::string_view n) {
       return n.find("tfevents") != std::string_view::npos;
     }},
};

std::vector<std::string> FormatTags(const RepoFacts& facts) {
  std::array<bool, std::size(kFormats)> seen{};
  for (const Sibling& file : facts.siblings) {
    std::string_view name = BaseName(file.path);
    for (size_t i = 0; i < seen.size(); ++i) {
      if (!seen[i]) seen[i] = kFormats[i].matches(file.path, name);
    }
  }
  std::vector<std::string> tags;
  for (size_t i = 0; i < seen.size(); ++i) {
    if (seen[i]) tags.emplace_back(kFormats[i].tag);
  }
  return tags;
}

bool Has(const std::vector<std::string>& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// A tag such as "pytorch" names a file format as well: only libraries that load models by
// themselves count as evidence.
bool IsLoaderLibrary(std::string_view tag) {
  for (std::string_view format : {"pytorch", "tf", "jax", "safetensors", "gguf", "onnx", "openvino",
                                  "rust", "tensorboard", "tflite"}) {
    if (tag == format) return false;
  }
  return IsKnownLibrary(tag);
}

std::string LibraryOf(FactsReader* reader, const Json& card,
                      const std::vector<std::string>& formats) {
  std::string named = TextOf(card, "library_name");
  if (!named.empty()) return named;
  for (const std::string& tag : TextList(card.Find("tags"))) {
    if (IsLoaderLibrary(tag)) return tag;
  }
  if (reader->Find("adapter_config.json") != nullptr) return "peft";
  if (reader->Find("modules.json") != nullptr) return "sentence-transformers";
  if (reader->Find("model_index.json") != nullptr) return "diffusers";
  if (reader->Find("open_clip_config.json") != nullptr) return "open_clip";
  for (const char* format : {"nemo", "coreml", "keras", "paddlepaddle"}) {
    if (Has(formats, format)) return format;
  }
  const Json config = reader->ReadJson("config.json", 4u << 20);
  if (!TextOf(config, "transformers_version").empty() && !FirstArchitecture(config).empty())
    return "transformers";
  return {};
}

std::string TaskOf(const RepoFacts& facts, const Json& card) {
  std::string named = TextOf(card, "pipeline_tag");
  if (!named.empty()) return named;
  if (facts.library_name == "sentence-transformers") return "sentence-similarity";
  if (facts.library_name == "transformers" || facts.library_name == "peft") {
    const ArchitectureRule* rule = RuleFor(FirstArchitecture(facts.config));
    if (rule != nullptr && !rule->task.empty()) return std::string(rule->task);
  }
  if (const Json* peft = facts.config.Find("peft")) {
    std::string type = TextOf(*peft, "task_type");
    if (type == "CAUSAL_LM") return "text-generation";
    if (type == "SEQ_CLS") return "text-classification";
    if (type == "TOKEN_CLS") return "token-classification";
    if (type == "FEATURE_EXTRACTION") return "feature-extraction";
  }
  for (const std::string& tag : TextList(card.Find("tags"))) {
    if (FindTask(tag) != nullptr && tag != "other") return tag;
  }
  if (const Json* diffusers = facts.config.Find("diffusers")) {
    std::string name = TextOf(*diffusers, "_class_name");
    if (name.find("Video") != std::string::npos) return "text-to-video";
    if (name.starts_with("DDPM") || name.starts_with("DDIM"))
      return "unconditional-image-generation";
    if (name.find("Audio") != std::string::npos) return "text-to-audio";
    return "text-to-image";
  }
  if (facts.gguf.Find("chat_template") != nullptr) return "text-generation";
  return {};
}

Json TransformersInfo(const RepoFacts& facts) {
  if (facts.library_name != "transformers") return {};
  std::string architecture = FirstArchitecture(facts.config);
  const ArchitectureRule* rule = RuleFor(architecture);
  Json info = Json::Obj({{"auto_model", rule == nullptr ? "AutoModel" : rule->auto_model}});
  const Json* auto_map = facts.config.Find("auto_map");
  if (auto_map != nullptr && auto_map->is_object()) {
    for (const auto& [auto_class, target] : *auto_map->AsObject()) {
      if (!auto_class.starts_with("AutoModel") || !target.is_string()) continue;
      info.Set("auto_model", auto_class);
      info.Set("custom_class", target);
      break;
    }
  } else if (architecture.empty()) {
    return {};
  }
  if (rule != nullptr && !rule->task.empty()) info.Set("pipeline_tag", rule->task);
  if (rule != nullptr && !rule->processor.empty()) info.Set("processor", rule->processor);
  return info;
}

Json BaseModels(FactsReader* reader, const Json& card) {
  const RepoFacts& facts = reader->facts();
  std::vector<std::string> bases;
  for (std::string& base : TextList(card.Find("base_model"))) {
    if (LooksLikeRepoId(base)) bases.push_back(std::move(base));
  }
  const Json* peft = facts.config.Find("peft");
  if (bases.empty() && peft != nullptr) {
    std::string base = TextOf(*peft, "base_model_name_or_path");
    if (LooksLikeRepoId(base) && base.find('/') != std::string::npos) bases.push_back(base);
  }
  if (bases.empty()) return {};
  std::string relation = TextOf(card, "base_model_relation");
  bool known = relation == "adapter" || relation == "merge" || relation == "quantized" ||
               relation == "finetune";
  if (!known) {
    if (peft != nullptr || reader->Find("adapter_config.json") != nullptr ||
        facts.library_name == "peft") {
      relation = "adapter";
    } else if (!facts.gguf.is_null() || facts.config.Find("quantization_config") != nullptr) {
      relation = "quantized";
    } else {
      relation = bases.size() > 1 ? "merge" : "finetune";
    }
  }
  return Json::Obj({{"relation", relation}, {"models", Json(bases)}});
}

struct Sample {
  std::string_view task;
  std::string_view field;
  std::string_view text;
};

// What a try-out form offers when the card says nothing.
constexpr Sample kSamples[] = {
    {"text-classification", "text", "The food was cold, but the music made up for it."},
    {"token-classification", "text", "Ada Lovelace worked with Charles Babbage in London."},
    {"fill-mask", "text", "The capital of Italy is <mask>."},
    {"text-generation", "text", "Once the rain had stopped,"},
    {"translation", "text", "The library opens at nine o'clock."},
    {"summarization", "text",
     "The bridge was closed in spring for repairs. Engineers replaced two of its cables and found "
     "that the deck had to be painted anew. It was opened again in October."},
    {"feature-extraction", "text", "Bread is baked early in the morning."},
};

Json WidgetData(const RepoFacts& facts, const Json& card) {
  const Json* widget = card.Find("widget");
  if (widget != nullptr && widget->is_array()) return *widget;
  for (const Sample& sample : kSamples) {
    if (sample.task != facts.pipeline_tag) continue;
    std::string text(sample.text);
    size_t mask = text.find("<mask>");
    if (mask != std::string::npos && !facts.mask_token.empty())
      text.replace(mask, 6, facts.mask_token);
    return Json::Arr({Json::Obj({{std::string(sample.field), text}})});
  }
  if (facts.pipeline_tag == "sentence-similarity") {
    return Json::Arr({Json::Obj(
        {{"source_sentence", "The dog sleeps by the fire."},
         {"sentences", Json::Arr({"A dog is resting where it is warm.", "The cat chases a mouse.",
                                  "It will snow tomorrow."})}})});
  }
  if (facts.pipeline_tag == "zero-shot-classification") {
    return Json::Arr({Json::Obj({{"text", "The train to the coast is late because of the storm."},
                                 {"candidate_labels", "travel, weather, cooking"}})});
  }
  if (facts.pipeline_tag == "question-answering") {
    return Json::Arr({Json::Obj({{"text", "Who built the mill?"},
                                 {"context", "The mill was built by two brothers in 1874."}})});
  }
  return {};
}

bool HasChatTemplate(const RepoFacts& facts) {
  const Json* tokenizer = facts.config.Find("tokenizer_config");
  return (tokenizer != nullptr && tokenizer->Find("chat_template") != nullptr) ||
         facts.gguf.Find("chat_template") != nullptr;
}

bool HasEvalResults(const RepoFacts& facts) {
  return std::any_of(facts.siblings.begin(), facts.siblings.end(), [](const Sibling& file) {
    return file.path.starts_with(".eval_results/") &&
           (file.path.ends_with(".yaml") || file.path.ends_with(".yml"));
  });
}

bool IsDeployable(const RepoFacts& facts, const std::vector<std::string>& formats) {
  bool library = facts.library_name == "transformers" || facts.library_name == "diffusers" ||
                 facts.library_name == "sentence-transformers" || facts.gguf.is_object();
  bool weights = Has(formats, "safetensors") || Has(formats, "pytorch") || Has(formats, "gguf");
  return library && weights && !facts.pipeline_tag.empty();
}

void AddBaseModelTags(const RepoFacts& facts, TagList* tags) {
  if (facts.base_models.is_null()) return;
  std::string relation = TextOf(facts.base_models, "relation");
  for (const std::string& base : TextList(facts.base_models.Find("models"))) {
    tags->Add("base_model:" + base);
    tags->Add("base_model:" + relation + ":" + base);
  }
}

void AddModelTags(RepoFacts* facts, const Card& card, const std::vector<std::string>& formats) {
  const Json& data = card.data;
  TagList tags(&facts->tags);
  tags.Add(facts->library_name);
  tags.AddAll("", formats);
  tags.AddAll("", TextList(data.Find("tags")));
  tags.Add(facts->pipeline_tag);
  tags.AddAll("", TextList(data.Find("language")));
  tags.Add(TextOf(facts->config, "model_type"));
  if (HasChatTemplate(*facts)) tags.Add("conversational");
  if (facts->config.Find("auto_map") != nullptr) tags.Add("custom_code");
  tags.AddAll("dataset:", TextList(data.Find("datasets")));
  tags.AddAll("arxiv:", FindArxivIds(card.text));
  tags.AddAll("doi:", FindDois(card.text));
  AddBaseModelTags(*facts, &tags);
  tags.AddAll("license:", TextList(data.Find("license")));
  if (!facts->model_index.is_null()) tags.Add("model-index");
  if (HasEvalResults(*facts)) tags.Add("eval-results");
  if (data.Find("co2_eq_emissions") != nullptr) tags.Add("co2_eq_emissions");
  if (IsDeployable(*facts, formats)) tags.Add("endpoints_compatible");
  tags.Add("region:us");
}

}  // namespace

void JudgeModel(FactsReader* reader, const ModelJudge& judge) {
  RepoFacts& facts = reader->facts();
  ModelEvidence evidence;
  evidence.files.reserve(facts.siblings.size());
  for (const Sibling& file : facts.siblings) evidence.files.push_back({file.path, file.size_bytes});
  evidence.config = reader->Read("config.json", kMaxJudgedBytes).value_or("");
  evidence.modules = reader->Read("modules.json", kMaxJudgedBytes).value_or("");
  evidence.gguf_architecture = TextOf(facts.gguf, "architecture");
  if (const Json* total = facts.gguf.Find("total"))
    evidence.gguf_parameters = total->AsUint().value_or(1);
  evidence.has_chat_template = HasChatTemplate(facts);
  facts.run = judge.judge(evidence);
  facts.run.judged_by = judge.fingerprint;
}

void DeriveModelFacts(FactsReader* reader, const Card& card) {
  RepoFacts& facts = reader->facts();
  std::vector<std::string> formats = FormatTags(facts);
  facts.library_name = LibraryOf(reader, card.data, formats);
  facts.pipeline_tag = TaskOf(facts, card.data);
  facts.transformers_info = TransformersInfo(facts);
  facts.base_models = BaseModels(reader, card.data);
  facts.widget_data = WidgetData(facts, card.data);
  if (const Json* index = card.data.Find("model-index"); index && index->is_array())
    facts.model_index = *index;
  AddModelTags(&facts, card, formats);
}

}  // namespace hearth::hub
