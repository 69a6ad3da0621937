#include "formats/convert/architecture.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::convert {
namespace {

// "layers.12.mlp.weight" -> "layers.#.mlp.weight", 12. The first component that is a number.
std::string TakeLayer(std::string_view name, std::optional<uint64_t>* layer) {
  std::string pattern;
  for (std::string_view part : Split(name, '.')) {
    if (!pattern.empty()) pattern += '.';
    std::optional<uint64_t> number = *layer ? std::nullopt : ParseUint(part);
    if (number) *layer = number;
    pattern += number ? std::string_view("#") : part;
  }
  return pattern;
}

// Checkpoints converted from TensorFlow call scale and shift gamma and beta.
std::string Modernised(std::string_view name) {
  for (auto [old, now] :
       {std::pair<std::string_view, std::string_view>{".gamma", ".weight"}, {".beta", ".bias"}}) {
    if (name.ends_with(old)) {
      return std::string(name.substr(0, name.size() - old.size())) + std::string(now);
    }
  }
  return std::string(name);
}

}  // namespace

std::vector<const Architecture*> Architectures() {
  std::vector<const Architecture*> all;
#define HEARTH_ARCH(Name) \
  for (const Architecture& each : Name##Architectures()) all.push_back(&each);
#include "formats/convert/archs.inc"
#undef HEARTH_ARCH
  return all;
}

const Architecture* FindByModelType(std::string_view model_type) {
  for (const Architecture* each : Architectures()) {
    if (each->model_type == model_type) return each;
  }
  return nullptr;
}

const Architecture* FindByGguf(std::string_view architecture) {
  for (const Architecture* each : Architectures()) {
    if (each->gguf == architecture) return each;
  }
  return nullptr;
}

Named NameInCheckpoint(const Architecture& architecture, std::string_view name) {
  Named named;
  std::string whole = Modernised(name);
  std::string_view inner = whole;
  named.had_prefix = !architecture.prefix.empty() && inner.starts_with(architecture.prefix);
  if (named.had_prefix) inner.remove_prefix(architecture.prefix.size());
  for (std::string_view start : architecture.dropped) {
    if (inner.starts_with(start) || whole.starts_with(start)) return named;
    if (start.starts_with('*') && inner.ends_with(start.substr(1))) return named;
  }
  std::string pattern = TakeLayer(inner, &named.layer);
  for (const TensorRule& rule : architecture.rules) {
    bool outside = rule.hf.starts_with('!');
    if (outside ? rule.hf.substr(1) == whole : rule.hf == pattern) {
      named.rule = &rule;
      return named;
    }
  }
  throw Error(Code::kUnimplemented, "no place in GGUF for tensor \"" +
                                        std::string(name.substr(0, 200)) + "\" of a " +
                                        std::string(architecture.model_type) + " model");
}

std::string WithLayer(std::string_view pattern, std::optional<uint64_t> layer) {
  size_t at = pattern.find('#');
  if (at == std::string_view::npos) return std::string(pattern);
  return std::string(pattern.substr(0, at)) + std::to_string(layer.value_or(0)) +
         std::string(pattern.substr(at + 1));
}

Named NameInGguf(const Architecture& architecture, std::string_view name) {
  Named named;
  if (name.starts_with("rope_f")) return named;
  std::string pattern = TakeLayer(name, &named.layer);
  for (const TensorRule& rule : architecture.rules) {
    if (rule.gguf == pattern) {
      named.rule = &rule;
      return named;
    }
  }
  throw Error(Code::kUnimplemented, "no rule for tensor \"" + std::string(name.substr(0, 200)) +
                                        "\" of architecture " + std::string(architecture.gguf));
}

}  // namespace hearth::convert
