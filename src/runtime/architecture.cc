#include "runtime/architecture.h"

#include <utility>

#include "base/error.h"

namespace hearth::runtime {
namespace {

// Other beginnings of names: question answering models have "transformer." in every family, and
// transformers renamed Nomic-BERT's.
constexpr std::string_view kOtherPrefixes[] = {"transformer.", "nomic_bert."};

}  // namespace

Head HeadOf(const ModelConfig& config) {
  const Json* names = config.Find({"architectures"});
  if (names == nullptr || names->AsArray() == nullptr || names->AsArray()->empty()) {
    return Head::kNone;
  }
  const std::string* name = names->AsArray()->front().AsString();
  if (name == nullptr) return Head::kNone;
  constexpr std::pair<std::string_view, Head> kEndings[] = {
      {"ForCausalLM", Head::kCausalLm},
      {"LMHeadModel", Head::kCausalLm},
      {"ForMaskedLM", Head::kMaskedLm},
      {"ForSequenceClassification", Head::kSequenceClassification},
      {"ForTokenClassification", Head::kTokenClassification},
      {"ForQuestionAnswering", Head::kQuestionAnswering},
      {"ForImageClassification", Head::kSequenceClassification},
      {"ForImageClassificationWithTeacher", Head::kSequenceClassification},
      {"ForAudioClassification", Head::kSequenceClassification},
  };
  for (auto [ending, head] : kEndings) {
    if (name->ends_with(ending)) return head;
  }
  return Head::kNone;
}

tensor::Weight ModelContext::Maybe(std::string_view name) const {
  if (auto found = weights_.Find(name)) return *found;
  if (auto found = weights_.Find(prefix_ + std::string(name))) return *found;
  for (std::string_view prefix : kOtherPrefixes) {
    if (auto found = weights_.Find(std::string(prefix) + std::string(name))) return *found;
  }
  return {};
}

tensor::Weight ModelContext::Need(std::string_view name) const {
  tensor::Weight weight = Maybe(name);
  if (!weight) {
    throw Error(Code::kInvalidArgument, "the checkpoint lacks the tensor " + std::string(name));
  }
  return weight;
}

tensor::Value ModelContext::Linear(tensor::Builder& builder, tensor::Value x,
                                   const std::string& name) const {
  return builder.Linear(x, Need(name + ".weight"), Maybe(name + ".bias"));
}

std::vector<const Architecture*> Architectures() {
  std::vector<const Architecture*> all;
#define HEARTH_ARCH(Name) \
  for (const Architecture& each : Name##Family()) all.push_back(&each);
#include "runtime/archs/archs.inc"
#undef HEARTH_ARCH
  return all;
}

const Architecture* FindArchitecture(std::string_view model_type) {
  for (const Architecture* each : Architectures()) {
    if (each->model_type == model_type) return each;
  }
  return nullptr;
}

const Architecture& ArchitectureOf(const ModelConfig& config) {
  std::string type = config.model_type();
  const Architecture* found = FindArchitecture(type);
  if (found == nullptr) {
    throw Error(Code::kUnimplemented,
                "models of type \"" + type.substr(0, 60) + "\" cannot run yet");
  }
  return *found;
}

}  // namespace hearth::runtime
