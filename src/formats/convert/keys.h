// GGUF's metadata keys of a model, taken from its config.json.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "formats/gguf/gguf.h"

namespace hearth::convert {

// Borrows the configuration and the list. A key is written once: the first value stays.
class KeyWriter {
 public:
  KeyWriter(const Json& config, std::string_view architecture, std::vector<GgufMetadata>* out)
      : config_(config), architecture_(architecture), out_(out) {}

  const Json& config() const { return config_; }
  std::string_view architecture() const { return architecture_; }
  // The first of the fields that is there as a number.
  std::optional<uint64_t> Count(std::initializer_list<std::string_view> fields) const;
  std::optional<double> Real(std::initializer_list<std::string_view> fields) const;
  // Under rope_parameters (or, before transformers 5, rope_scaling), then at the top.
  const Json* Rope(std::string_view field, std::string_view kind = "full_attention") const;

  // Keys below "<architecture>."; nothing is written for an absent value.
  void PutCount(std::string_view key, std::optional<uint64_t> value);
  void PutReal(std::string_view key, std::optional<double> value);
  void PutFlag(std::string_view key, bool value);
  void PutText(std::string_view key, std::string value);

 private:
  void Put(std::string_view key, std::string type, Json value);

  const Json& config_;
  std::string architecture_;
  std::vector<GgufMetadata>* out_;
};

// Sizes, epsilons and rotary settings, which are called alike in all families.
void AddCommonKeys(KeyWriter& keys);

}  // namespace hearth::convert
