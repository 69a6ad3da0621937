// A model's configuration as architectures read it: config.json, or what GGUF metadata says of it.
//
// Reads are by one or several names (families name one thing differently); a value of the wrong
// type, a negative size or one past `limit` is refused with the key's name. Immutable, thread-safe.
// Errors: kInvalidArgument.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "codec/json.h"

namespace hearth::runtime {

class ModelConfig {
 public:
  using Keys = std::initializer_list<std::string_view>;

  // The text of a config.json: an object.
  static ModelConfig Parse(std::string_view text);
  explicit ModelConfig(Json json);

  const Json& json() const { return json_; }
  std::string model_type() const;
  // The first of the keys that is there and not null.
  const Json* Find(Keys keys) const;
  // Throws when absent; limits keep sizes from a hostile file inside what a machine can have.
  uint32_t RequireCount(Keys keys, uint32_t limit = 1u << 24) const;
  uint32_t Count(Keys keys, uint32_t fallback, uint32_t limit = 1u << 24) const;
  float Real(Keys keys, std::optional<float> fallback = std::nullopt) const;
  bool Flag(Keys keys, bool fallback) const;
  std::string Text(Keys keys, std::string_view fallback) const;

 private:
  Json json_;
};

}  // namespace hearth::runtime
