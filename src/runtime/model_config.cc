#include "runtime/model_config.h"

#include <cmath>
#include <utility>

#include "base/error.h"

namespace hearth::runtime {
namespace {

std::string Named(ModelConfig::Keys keys) { return std::string(*keys.begin()); }

}  // namespace

ModelConfig ModelConfig::Parse(std::string_view text) { return ModelConfig(Json::Parse(text)); }

ModelConfig::ModelConfig(Json json) : json_(std::move(json)) {
  if (!json_.is_object()) {
    throw Error(Code::kInvalidArgument, "a model's configuration must be a JSON object");
  }
}

std::string ModelConfig::model_type() const { return Text({"model_type"}, ""); }

const Json* ModelConfig::Find(Keys keys) const {
  for (std::string_view key : keys) {
    const Json* value = json_.Find(key);
    if (value != nullptr && !value->is_null()) return value;
  }
  return nullptr;
}

uint32_t ModelConfig::RequireCount(Keys keys, uint32_t limit) const {
  if (Find(keys) == nullptr) {
    throw Error(Code::kInvalidArgument, "config.json lacks \"" + Named(keys) + "\"");
  }
  return Count(keys, 0, limit);
}

uint32_t ModelConfig::Count(Keys keys, uint32_t fallback, uint32_t limit) const {
  const Json* value = Find(keys);
  if (value == nullptr) return fallback;
  auto count = value->AsUint();
  if (!count || *count > limit) {
    throw Error(Code::kInvalidArgument, "config.json: \"" + Named(keys) +
                                            "\" must be a whole number up to " +
                                            std::to_string(limit));
  }
  return static_cast<uint32_t>(*count);
}

float ModelConfig::Real(Keys keys, std::optional<float> fallback) const {
  const Json* value = Find(keys);
  if (value == nullptr) {
    if (fallback) return *fallback;
    throw Error(Code::kInvalidArgument, "config.json lacks \"" + Named(keys) + "\"");
  }
  auto real = value->AsDouble();
  if (!real || !std::isfinite(static_cast<float>(*real))) {
    throw Error(Code::kInvalidArgument, "config.json: \"" + Named(keys) + "\" must be a number");
  }
  return static_cast<float>(*real);
}

bool ModelConfig::Flag(Keys keys, bool fallback) const {
  const Json* value = Find(keys);
  if (value == nullptr) return fallback;
  if (!value->is_bool()) {
    throw Error(Code::kInvalidArgument,
                "config.json: \"" + Named(keys) + "\" must be true or false");
  }
  return value->AsBool().value_or(fallback);
}

std::string ModelConfig::Text(Keys keys, std::string_view fallback) const {
  const Json* value = Find(keys);
  if (value == nullptr) return std::string(fallback);
  if (!value->is_string()) {
    throw Error(Code::kInvalidArgument, "config.json: \"" + Named(keys) + "\" must be a string");
  }
  return *value->AsString();
}

}  // namespace hearth::runtime
