#include "runtime/engine/grammar_filter.h"

#include "base/error.h"
#include "runtime/grammar/json_grammar.h"
#include "runtime/grammar/regex_grammar.h"

namespace hearth::runtime {
namespace {

ByteGrammar Grammar(const Json& format, const std::string& type) {
  const Json* value = format.Find("value");
  const Json* outer = format.Find("json_schema");
  if (value == nullptr && outer != nullptr) value = outer->Find("schema");
  if (value == nullptr) value = format.Find("schema");
  if (type == "regex") {
    if (value == nullptr || value->AsString() == nullptr) {
      throw Error(Code::kUnprocessable, "a regex grammar needs a string \"value\"");
    }
    return RegexGrammar(*value->AsString());
  }
  if (value == nullptr || value->is_null()) {
    if (type == "json_object") return AnyJsonObjectGrammar();
    throw Error(Code::kUnprocessable, "a JSON grammar needs a schema");
  }
  // TGI takes the schema as text, too.
  if (value->AsString() != nullptr) return JsonSchemaGrammar(Json::Parse(*value->AsString()));
  return JsonSchemaGrammar(*value);
}

}  // namespace

std::span<const uint64_t> GrammarFilter::Allowed() {
  constraint_->FillMask(&state_, &mask_);
  return mask_;
}

std::shared_ptr<TokenConstraint> ReadConstraint(const Json& format,
                                                std::shared_ptr<const TokenVocabulary> vocabulary) {
  if (format.is_null()) return nullptr;
  const Json* named = format.Find("type");
  if (named == nullptr || named->AsString() == nullptr) {
    throw Error(Code::kUnprocessable, "the format of an answer needs a \"type\"");
  }
  const std::string& type = *named->AsString();
  if (type == "text") return nullptr;
  if (type != "json" && type != "json_object" && type != "json_schema" && type != "regex") {
    throw Error(Code::kUnprocessable, "unknown format \"" + type.substr(0, 40) +
                                          "\": text, json_object, json_schema or regex");
  }
  return std::make_shared<TokenConstraint>(std::move(vocabulary), Grammar(format, type));
}

}  // namespace hearth::runtime
