#include "tokenizers/internal/json_fields.h"

#include <limits>
#include <string>

#include "base/error.h"
#include "tokenizers/internal/characters.h"

namespace hearth::tokenizers::internal {
namespace {

[[noreturn]] void Refuse(std::string_view key, std::string_view expected) {
  throw Error(Code::kInvalidArgument,
              "\"" + std::string(key) + "\" must be " + std::string(expected));
}

uint64_t RequireUint(const Json& json, std::string_view key, uint64_t limit) {
  const Json& field = Require(json, key);
  std::optional<uint64_t> value;
  if (field.is_int() || field.is_unsigned()) value = field.AsUint();
  if (!value || *value > limit) Refuse(key, "an integer from 0 to " + std::to_string(limit));
  return *value;
}

}  // namespace

const Json& Require(const Json& json, std::string_view key) {
  const Json* field = json.Find(key);
  if (field == nullptr) Refuse(key, "given");
  return *field;
}

bool RequireBool(const Json& json, std::string_view key) {
  std::optional<bool> value = Require(json, key).AsBool();
  if (!value) Refuse(key, "true or false");
  return *value;
}

uint32_t RequireUint32(const Json& json, std::string_view key) {
  return static_cast<uint32_t>(RequireUint(json, key, std::numeric_limits<uint32_t>::max()));
}

size_t RequireSize(const Json& json, std::string_view key) {
  return RequireUint(json, key, uint64_t{1} << 53);
}

char32_t RequireCharacter(const Json& json, std::string_view key) {
  const std::string* text = Require(json, key).AsString();
  if (text == nullptr || text->empty() || CharacterLength(*text, 0) != text->size()) {
    Refuse(key, "one character");
  }
  return CharacterAt(*text, 0).value;
}

SplitBehavior RequireSplitBehavior(const Json& json, std::string_view key) {
  const std::string* name = Require(json, key).AsString();
  std::optional<SplitBehavior> behavior;
  if (name != nullptr) behavior = FindSplitBehavior(*name);
  if (!behavior) {
    Refuse(key, "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
  }
  return *behavior;
}

bool HasType(const Json& json, std::string_view type) {
  const Json* field = json.Find("type");
  const std::string* name = field == nullptr ? nullptr : field->AsString();
  return name != nullptr && *name == type;
}

}  // namespace hearth::tokenizers::internal
