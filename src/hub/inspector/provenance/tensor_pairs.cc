#include "hub/inspector/provenance/tensor_pairs.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::inspector {
namespace {

using convert::Architecture;
using Names = std::unordered_map<std::string_view, size_t>;

Names NamesOf(const WeightHeaders& headers) {
  Names names;
  for (size_t i = 0; i < headers.tensors.size(); ++i) names.emplace(headers.tensors[i].name, i);
  return names;
}

std::string Metadata(const WeightHeaders& headers, std::string_view key) {
  for (const auto& [name, value] : headers.metadata)
    if (name == key) return value;
  return {};
}

uint64_t Number(const WeightHeaders& headers, const std::string& key) {
  return ParseUint(Metadata(headers, key)).value_or(0);
}

const Architecture* FamilyOf(const WeightSide& gguf, const WeightSide& checkpoint) {
  const Json* type = checkpoint.config == nullptr ? nullptr : checkpoint.config->Find("model_type");
  const std::string* name = type == nullptr ? nullptr : type->AsString();
  std::string architecture = Metadata(*gguf.headers, "general.architecture");
  const Architecture* family = name == nullptr ? nullptr : convert::FindByModelType(*name);
  if (family != nullptr && family->gguf == architecture) return family;
  return convert::FindByGguf(architecture);
}

class Pairing {
 public:
  Pairing(const WeightSide& from, const WeightSide& to) : from_(from), to_(to) {
    used_from_.resize(from.headers->tensors.size());
    used_to_.resize(to.headers->tensors.size());
  }

  TensorPairs Run() {
    bool from_gguf = from_.set->format == "gguf", to_gguf = to_.set->format == "gguf";
    if (from_gguf == to_gguf) {
      ByName();
    } else {
      ByFamily(from_gguf ? from_ : to_, from_gguf ? to_ : from_, from_gguf);
    }
    ByDigest();
    for (size_t i = 0; i < used_from_.size(); ++i)
      if (!used_from_[i]) result_.removed.push_back(i);
    for (size_t i = 0; i < used_to_.size(); ++i)
      if (!used_to_[i]) result_.added.push_back(i);
    return std::move(result_);
  }

 private:
  void Take(TensorPair pair) {
    if (used_from_[pair.from] || used_to_[pair.to]) return;
    used_from_[pair.from] = used_to_[pair.to] = true;
    result_.pairs.push_back(pair);
  }

  void ByName() {
    Names names = NamesOf(*to_.headers);
    for (size_t i = 0; i < used_from_.size(); ++i) {
      auto found = names.find(from_.headers->tensors[i].name);
      if (found != names.end()) Take({.from = i, .to = found->second});
    }
  }

  void ByFamily(const WeightSide& gguf, const WeightSide& checkpoint, bool gguf_is_from) {
    const Architecture* family = FamilyOf(gguf, checkpoint);
    if (family == nullptr) return;
    std::string prefix = Metadata(*gguf.headers, "general.architecture") + ".attention.";
    result_.rows.heads = Number(*gguf.headers, prefix + "head_count");
    result_.rows.kv_heads = Number(*gguf.headers, prefix + "head_count_kv");
    if (result_.rows.kv_heads == 0) result_.rows.kv_heads = result_.rows.heads;
    Names names = NamesOf(*gguf.headers);
    for (size_t i = 0; i < checkpoint.headers->tensors.size(); ++i) {
      std::optional<convert::Named> named = Named(*family, checkpoint.headers->tensors[i].name);
      if (!named || named->rule == nullptr) continue;
      std::string name = convert::WithLayer(named->rule->gguf, named->layer);
      auto found = names.find(name);
      if (found == names.end()) continue;
      Take({.from = gguf_is_from ? found->second : i,
            .to = gguf_is_from ? i : found->second,
            .transform = named->rule->transform,
            .gguf_is_from = gguf_is_from});
    }
  }

  static std::optional<convert::Named> Named(const Architecture& family, const std::string& name) {
    try {
      return convert::NameInCheckpoint(family, name);
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  void ByDigest() {
    std::unordered_map<TensorHash, size_t> by_hash;
    for (size_t i = 0; i < used_to_.size(); ++i) {
      auto hash = to_.hashes.find(to_.headers->tensors[i].name);
      if (!used_to_[i] && hash != to_.hashes.end()) by_hash.emplace(hash->second, i);
    }
    for (size_t i = 0; i < used_from_.size(); ++i) {
      if (used_from_[i]) continue;
      auto hash = from_.hashes.find(from_.headers->tensors[i].name);
      if (hash == from_.hashes.end()) continue;
      auto found = by_hash.find(hash->second);
      if (found != by_hash.end()) Take({.from = i, .to = found->second, .renamed = true});
    }
  }

  const WeightSide& from_;
  const WeightSide& to_;
  std::vector<bool> used_from_, used_to_;
  TensorPairs result_;
};

}  // namespace

TensorPairs PairTensors(const WeightSide& from, const WeightSide& to) {
  return Pairing(from, to).Run();
}

TensorPlace PlaceOf(std::string_view name) {
  TensorPlace place;
  std::string module;
  for (std::string_view part : Split(name, '.')) {
    std::optional<uint64_t> number = ParseUint(part);
    if (number && place.layer < 0 && *number < 100'000) {
      // What stands before the layer is the same for all of them.
      place.layer = static_cast<int64_t>(*number);
      module.clear();
      continue;
    }
    if (!module.empty()) module += '.';
    module += number ? std::string_view("#") : part;
  }
  if (module.ends_with(".weight")) module.resize(module.size() - 7);
  place.module = module.empty() ? std::string(name) : module;
  return place;
}

}  // namespace hearth::inspector
