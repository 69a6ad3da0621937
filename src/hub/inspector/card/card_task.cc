#include "hub/inspector/card/card_task.h"

#include <algorithm>

#include "base/bytes.h"
#include "hub/inspector/card/card_document.h"

namespace hearth::inspector {
namespace {

// How the name of a class ends, the task that such a head is made for, and the tasks that it can
// serve besides. Heads that serve many (ConditionalGeneration, plain encoders) are not here.
struct Head {
  std::string_view ending;
  std::string_view task;
  std::string_view others;  // separated by commas
};
constexpr Head kHeads[] = {
    {"ForSequenceClassification", "text-classification",
     "text-ranking,zero-shot-classification,reinforcement-learning,sentence-similarity,"
     "tabular-classification,feature-extraction,other,audio-classification,video-classification"},
    {"ForTokenClassification", "token-classification",
     "object-detection,document-question-answering,text-classification,feature-extraction,other"},
    {"ForQuestionAnswering", "question-answering",
     "document-question-answering,visual-question-answering,table-question-answering,other"},
    {"ForMultipleChoice", "multiple-choice", "question-answering,text-classification,other"},
    {"ForImageClassification", "image-classification",
     "zero-shot-image-classification,image-feature-extraction,image-to-text,other"},
    {"ForObjectDetection", "object-detection",
     "zero-shot-object-detection,image-segmentation,keypoint-detection,other"},
    {"ForSemanticSegmentation", "image-segmentation", "mask-generation,depth-estimation,other"},
    {"ForAudioClassification", "audio-classification",
     "voice-activity-detection,audio-to-audio,automatic-speech-recognition,other"},
    {"ForCTC", "automatic-speech-recognition", "audio-classification,feature-extraction,other"},
    {"ForSpeechSeq2Seq", "automatic-speech-recognition", "translation,audio-to-audio,other"},
    {"ForMaskedLM", "fill-mask",
     "feature-extraction,sentence-similarity,text-classification,token-classification,"
     "text-generation,text-ranking,text-retrieval,other"},
    {"ForDepthEstimation", "depth-estimation", "image-to-image,other"},
};
// What a causal language model without other parts never does.
constexpr std::string_view kNotText[] = {
    "image-classification", "object-detection",        "image-segmentation", "depth-estimation",
    "keypoint-detection",   "audio-classification",    "text-to-image",      "image-to-image",
    "tabular-regression",   "tabular-classification",  "mask-generation",    "fill-mask",
    "token-classification", "voice-activity-detection"};

bool Lists(std::string_view list, std::string_view task) {
  std::vector<std::string_view> items = Split(list, ',');
  return std::find(items.begin(), items.end(), task) != items.end();
}

}  // namespace

TaskCheck CheckTask(std::string_view pipeline_tag, const Json& config) {
  TaskCheck check;
  check.declared = std::string(pipeline_tag);
  std::vector<std::string> architectures = CardList(config, "architectures");
  if (architectures.empty()) return check;
  check.architecture = architectures[0];
  for (const Head& head : kHeads) {
    if (!check.architecture.ends_with(head.ending)) continue;
    check.implied = std::string(head.task);
    check.conflict =
        !pipeline_tag.empty() && pipeline_tag != head.task && !Lists(head.others, pipeline_tag);
    return check;
  }
  bool text =
      check.architecture.ends_with("ForCausalLM") || check.architecture.ends_with("LMHeadModel");
  if (text) {
    check.implied = "text-generation";
    check.conflict =
        std::find(std::begin(kNotText), std::end(kNotText), pipeline_tag) != std::end(kNotText);
  }
  return check;
}

}  // namespace hearth::inspector
