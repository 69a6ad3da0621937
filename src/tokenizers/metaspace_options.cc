#include "tokenizers/metaspace_options.h"

#include "base/error.h"
#include "tokenizers/internal/json_fields.h"

namespace hearth::tokenizers {
namespace {

constexpr std::string_view kSchemeNames[] = {"always", "first", "never"};

PrependScheme ParseScheme(const Json& json) {
  if (json.Find("prepend_scheme") == nullptr) return PrependScheme::kAlways;
  std::string name = json.RequireString("prepend_scheme");
  for (size_t i = 0; i < std::size(kSchemeNames); ++i) {
    if (name == kSchemeNames[i]) return static_cast<PrependScheme>(i);
  }
  throw Error(Code::kInvalidArgument, "\"prepend_scheme\" must be always, first or never");
}

}  // namespace

MetaspaceOptions MetaspaceOptions::Parse(const Json& json) {
  MetaspaceOptions options{.mark = internal::RequireCharacter(json, "replacement"),
                           .mark_text = json.RequireString("replacement"),
                           .prepend_scheme = ParseScheme(json),
                           .split = json.BoolField("split").value_or(true)};
  json.StringField("str_rep");  // only its type is checked
  if (json.BoolField("add_prefix_space") == false &&
      options.prepend_scheme != PrependScheme::kNever) {
    throw Error(Code::kInvalidArgument, "\"add_prefix_space\" does not match \"prepend_scheme\"");
  }
  return options;
}

Json MetaspaceOptions::ToJson() const {
  return Json::Obj({{"type", "Metaspace"},
                    {"replacement", mark_text},
                    {"prepend_scheme", kSchemeNames[static_cast<size_t>(prepend_scheme)]},
                    {"split", split}});
}

}  // namespace hearth::tokenizers
