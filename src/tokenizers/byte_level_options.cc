#include "tokenizers/byte_level_options.h"

#include "tokenizers/internal/json_fields.h"

namespace hearth::tokenizers {

ByteLevelOptions ByteLevelOptions::Parse(const Json& json) {
  return {
      .add_prefix_space = internal::RequireBool(json, "add_prefix_space"),
      .trim_offsets = internal::RequireBool(json, "trim_offsets"),
      .use_regex = json.Find("use_regex") == nullptr || internal::RequireBool(json, "use_regex")};
}

Json ByteLevelOptions::ToJson() const {
  return Json::Obj({{"type", "ByteLevel"},
                    {"add_prefix_space", add_prefix_space},
                    {"trim_offsets", trim_offsets},
                    {"use_regex", use_regex}});
}

}  // namespace hearth::tokenizers
