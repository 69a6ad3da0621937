#include "runtime/architecture.h"

#include <utility>

#include "base/error.h"

namespace hearth::runtime {

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
  };
  for (auto [ending, head] : kEndings) {
    if (name->ends_with(ending)) return head;
  }
  return Head::kNone;
}

tensor::Weight ModelContext::Maybe(std::string_view name) const {
  if (auto found = weights_.Find(name)) return *found;
  return weights_.Find(prefix_ + std::string(name)).value_or(tensor::Weight{});
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

}  // namespace hearth::runtime
