// JSON schemas to grammars: combinators are opened one by one (allOf merges, anyOf branches) until
// a schema says types and their keywords alone; those are laid by JsonEmitter.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "runtime/grammar/json_emitter.h"
#include "runtime/grammar/json_grammar.h"
#include "runtime/grammar/schema_merge.h"
#include "runtime/grammar/string_formats.h"

namespace hearth::runtime {
namespace {

constexpr int kMaxDepth = 200;
constexpr size_t kMaxSchemaBytes = 1 << 20;
constexpr uint32_t kMaxLength = 100'000;  // of strings and arrays; states run out before

// What each type's values may be asked. Keywords of other types say nothing about a value.
const std::set<std::string_view> kKeywords{"type",
                                           "properties",
                                           "required",
                                           "additionalProperties",
                                           "items",
                                           "prefixItems",
                                           "additionalItems",
                                           "minItems",
                                           "maxItems",
                                           "enum",
                                           "const",
                                           "anyOf",
                                           "oneOf",
                                           "allOf",
                                           "$ref",
                                           "pattern",
                                           "format",
                                           "minLength",
                                           "maxLength",
                                           "minimum",
                                           "maximum",
                                           "exclusiveMinimum",
                                           "exclusiveMaximum",
                                           "nullable"};

class SchemaCompiler {
 public:
  SchemaCompiler(const Json& document, const JsonGrammarOptions& options, GrammarBuilder* builder)
      : document_(document),
        options_(options),
        builder_(*builder),
        merger_(document),
        emitter_(builder, options.max_whitespace) {}

  // The rule of the schema at a place of the document ("#": all of it).
  uint32_t Compile(const std::string& reference) {
    uint32_t root = RuleOf(reference);
    // Rules wait in a list, so that the depth of references is no depth of calls.
    while (!pending_.empty()) {
      auto [rule, reference] = pending_.back();
      pending_.pop_back();
      Value(merger_.Target(reference, "#"), reference, {builder_.start(rule), builder_.end(rule)},
            0);
    }
    return root;
  }

 private:
  using Span = std::pair<uint32_t, uint32_t>;  // from, to

  uint32_t RuleOf(const std::string& reference) {
    auto [at, is_new] = rules_.try_emplace(reference, 0);
    if (is_new) {
      at->second = builder_.AddRule();
      pending_.emplace_back(at->second, reference);
    }
    return at->second;
  }

  static void CheckKeywords(const Json& schema, const std::string& path) {
    for (const auto& [key, value] : *schema.AsObject()) {
      if (IsAnnotation(key) || kKeywords.contains(key)) continue;
      // Without effect in these forms.
      if (key == "uniqueItems" && value == Json(false)) continue;
      if ((key == "minProperties" || key == "minContains") && value == Json(0)) continue;
      if (key == "unevaluatedProperties" && value == Json(true)) continue;
      UnsupportedSchema("this keyword is not supported in constraints", path + "/" + key);
    }
  }

  void Value(const Json& schema, const std::string& path, Span span, int depth) {
    merger_.Count(1);
    if (depth > kMaxDepth) throw Error(Code::kTooLarge, "the JSON schema is nested too deeply");
    if (schema.is_bool()) {
      if (*schema.AsBool()) emitter_.AnyValue(span.first, span.second);
      return;
    }
    if (!schema.is_object()) RefuseSchema("must be true, false or an object", path);
    CheckKeywords(schema, path);
    if (const Json* reference = schema.Find("$ref"))
      return Reference(schema, *reference, path, span, depth);
    for (const char* key : {"anyOf", "oneOf"}) {
      if (schema.Find(key) != nullptr) return Branches(schema, key, path, span, depth);
    }
    if (schema.Find("allOf") != nullptr) return All(schema, path, span, depth);
    Json flat = merger_.Merge(schema, Json::Obj(), path);  // older spellings made new
    if (flat.is_bool()) return;
    Flat(flat, path, span, depth);
  }

  void Reference(const Json& schema, const Json& reference, const std::string& path, Span span,
                 int depth) {
    if (reference.AsString() == nullptr) RefuseSchema("$ref must be a string", path);
    const auto& members = *schema.AsObject();
    bool alone = std::all_of(members.begin(), members.end(), [](const auto& member) {
      return member.first == "$ref" || IsAnnotation(member.first);
    });
    if (alone) {
      merger_.Target(*reference.AsString(), path);  // refuses what is not there
      return builder_.AddCall(span.first, span.second, RuleOf(*reference.AsString()));
    }
    Value(merger_.WithoutRef(schema, path), path, span, depth + 1);
  }

  void Branches(const Json& schema, const std::string& key, const std::string& path, Span span,
                int depth) {
    Json base = schema;
    base.Erase(key);
    const Json::Array* branches = schema.Find(key)->AsArray();
    if (branches == nullptr || branches->empty()) RefuseSchema("must be a list", path + "/" + key);
    std::vector<Json> merged;
    bool base_says_something = false;
    for (const auto& member : *base.AsObject()) {
      base_says_something = base_says_something || !IsAnnotation(member.first);
    }
    for (size_t i = 0; i < branches->size(); ++i) {
      const Json& branch = (*branches)[i];
      std::string branch_path = path + "/" + key + "/" + std::to_string(i);
      if (branch.is_object()) CheckKeywords(branch, branch_path);
      merged.push_back(base_says_something ? merger_.Merge(base, branch, branch_path) : branch);
    }
    if (key == "oneOf") {
      for (size_t i = 0; i < merged.size(); ++i) {
        for (size_t j = i + 1; j < merged.size(); ++j) {
          if (merger_.Disjoint(merged[i], merged[j], path)) continue;
          UnsupportedSchema("branches " + std::to_string(i) + " and " + std::to_string(j) +
                                " may fit the same value; use anyOf",
                            path + "/oneOf");
        }
      }
    }
    for (size_t i = 0; i < merged.size(); ++i) {
      Value(merged[i], path + "/" + key + "/" + std::to_string(i), span, depth + 1);
    }
  }

  void All(const Json& schema, const std::string& path, Span span, int depth) {
    Json rest = schema;
    const Json::Array* parts = schema.Find("allOf")->AsArray();
    if (parts == nullptr) RefuseSchema("must be a list", path + "/allOf");
    rest.Erase("allOf");
    if (parts->empty()) return Value(rest, path, span, depth + 1);
    const Json& part = parts->front();
    std::string part_path = path + "/allOf";
    if (part.is_object()) CheckKeywords(part, part_path);
    Json merged = merger_.Merge(rest, part, part_path);
    if (merged.is_object() && parts->size() > 1) {
      Json more = Json::Obj();
      more.Set("allOf", Json(Json::Array(parts->begin() + 1, parts->end())));
      merged = merger_.Merge(merged, more, part_path);
    }
    Value(merged, path, span, depth + 1);
  }

  // Types and their keywords alone.
  void Flat(const Json& schema, const std::string& path, Span span, int depth) {
    const Json* type = schema.Find("type");
    const Json* nullable = schema.Find("nullable");
    const bool or_null = nullable != nullptr && *nullable == Json(true) && type != nullptr;
    if (schema.Find("enum") != nullptr || schema.Find("const") != nullptr) {
      return Enumerated(schema, or_null, path, span);
    }
    std::set<std::string> types;
    if (type == nullptr) {
      types = {"string", "number", "boolean", "null", "object", "array"};
    } else if (type->AsString() != nullptr) {
      types.insert(*type->AsString());
    } else {
      for (const Json& item : *type->AsArray()) {
        if (item.AsString() == nullptr) RefuseSchema("type must be a list of types", path);
        types.insert(*item.AsString());
      }
    }
    if (or_null) types.insert("null");
    bool says_nothing = std::all_of(schema.AsObject()->begin(), schema.AsObject()->end(),
                                    [](const auto& m) { return IsAnnotation(m.first); });
    if (says_nothing) return emitter_.AnyValue(span.first, span.second);
    if (types.contains("number")) types.erase("integer");
    for (const std::string& name : types) OfType(name, schema, path, span, depth);
  }

  void OfType(const std::string& name, const Json& schema, const std::string& path, Span span,
              int depth) {
    if (name == "string") return String(schema, path, span);
    if (name == "number" || name == "integer") return Number(name == "integer", schema, path, span);
    if (name == "boolean") return emitter_.Boolean(span.first, span.second);
    if (name == "null") return emitter_.Null(span.first, span.second);
    if (name == "object") return Object(schema, path, span, depth);
    if (name == "array") return Array(schema, path, span, depth);
    RefuseSchema("unknown type \"" + name + "\"", path + "/type");
  }

  void Enumerated(const Json& schema, bool or_null, const std::string& path, Span span) {
    Json::Array values;
    if (const Json* list = schema.Find("enum")) {
      if (!list->is_array()) RefuseSchema("enum must be a list", path);
      values = *list->AsArray();
    }
    if (const Json* constant = schema.Find("const")) {
      bool listed = schema.Find("enum") == nullptr ||
                    std::find(values.begin(), values.end(), *constant) != values.end();
      values.clear();
      if (listed) values.push_back(*constant);
    }
    for (const auto& member : *schema.AsObject()) {
      const std::string& key = member.first;
      bool known = key == "enum" || key == "const" || key == "type" || key == "nullable";
      if (!known && !IsAnnotation(key)) CheckListed(values, key, member.second, path);
    }
    std::vector<Json> laid;
    for (const Json& value : values) {
      const Json* type = schema.Find("type");
      bool fits = type == nullptr || TypeAllows(*type, value) || (or_null && value.is_null());
      if (!fits || std::find(laid.begin(), laid.end(), value) != laid.end()) continue;
      emitter_.Constant(value, span.first, span.second);
      laid.push_back(value);
    }
  }

  // A keyword beside enum: fine when it cannot touch any of the values.
  static void CheckListed(const Json::Array& values, std::string_view key, const Json&,
                          const std::string& path) {
    auto touches = [&](std::string_view type) {
      if (type == "string") return key == "pattern" || key == "format" || key.ends_with("Length");
      if (type == "array") return key.find("tems") != std::string_view::npos;
      if (type == "object")
        return key.find("ropert") != std::string_view::npos || key == "required";
      if (type == "integer" || type == "number") return key.ends_with("imum") || key == "format";
      return false;
    };
    for (const Json& value : values) {
      if (touches(SchemaTypeOf(value))) {
        UnsupportedSchema("\"" + std::string(key) + "\" beside enum or const", path);
      }
    }
  }

  static std::optional<uint32_t> Length(const Json& schema, std::string_view key,
                                        const std::string& path) {
    const Json* value = schema.Find(key);
    if (value == nullptr) return std::nullopt;
    auto length = value->AsUint();
    if (!length) RefuseSchema("must be a whole number", path + "/" + std::string(key));
    if (*length > kMaxLength) {
      // No text that a model makes is longer; as a minimum it cannot be kept.
      if (key.starts_with("max")) return std::nullopt;
      throw Error(Code::kTooLarge,
                  "JSON schema: " + path + "/" + std::string(key) + " is too large");
    }
    return static_cast<uint32_t>(*length);
  }

  void String(const Json& schema, const std::string& path, Span span) {
    LengthBounds bounds{Length(schema, "minLength", path).value_or(0),
                        Length(schema, "maxLength", path)};
    const Json* pattern = schema.Find("pattern");
    const Json* format = schema.Find("format");
    if (pattern != nullptr && format != nullptr) {
      UnsupportedSchema("pattern and format together", path);
    }
    if (pattern == nullptr && format == nullptr) {
      return emitter_.BoundedString(bounds, span.first, span.second);
    }
    const Json& text = pattern != nullptr ? *pattern : *format;
    if (text.AsString() == nullptr) RefuseSchema("pattern and format must be strings", path);
    CodePointGraph graph;
    try {
      if (pattern != nullptr) {
        graph = ParseRegex(*text.AsString(), Anchoring::kSearch);
      } else {
        auto known = FindStringFormat(*text.AsString());
        if (!known) UnsupportedSchema("format \"" + *text.AsString() + "\"", path + "/format");
        graph = ParseRegex(*known, Anchoring::kWhole);
      }
    } catch (const Error& error) {
      if (pattern == nullptr) throw;
      throw Error(error.code(), "JSON schema: " + path + "/pattern: " + error.message())
          .With("path", path + "/pattern");
    }
    emitter_.PatternString(graph, bounds, span.first, span.second);
  }

  void Number(bool integer, const Json& schema, const std::string& path, Span span) {
    static const std::set<std::string_view> kFormats{"int32", "int64", "float", "double"};
    if (const Json* format = schema.Find("format")) {
      // OpenAPI's widths; the format of strings says nothing about a number.
      bool known = format->AsString() != nullptr && (kFormats.contains(*format->AsString()) ||
                                                     FindStringFormat(*format->AsString()));
      if (!known) UnsupportedSchema("this format", path + "/format");
    }
    NumberRange range;
    range.integer = integer;
    auto bound = [&](const char* key, bool exclusive, bool is_min,
                     std::optional<NumberBound>* into) {
      const Json* value = schema.Find(key);
      if (value == nullptr) return;
      if (!value->is_number()) RefuseSchema("must be a number", path + "/" + key);
      NumberBound read{Decimal::FromJson(*value), exclusive};
      int order = *into ? read.value.Compare((*into)->value) : 0;
      bool stricter = is_min ? order > 0 : order < 0;
      if (!*into || stricter || (order == 0 && exclusive)) *into = read;
    };
    bound("minimum", false, true, &range.min);
    bound("exclusiveMinimum", true, true, &range.min);
    bound("maximum", false, false, &range.max);
    bound("exclusiveMaximum", true, false, &range.max);
    if (!range.min && !range.max) return emitter_.Number(integer, span.first, span.second);
    if (range.integer) RoundBounds(&range);
    AddNumberRange(range, span.first, span.second, &builder_);
  }

  // An integer above 2.5 is above 2: the fraction goes, and the bound becomes exclusive where it
  // was cut towards the range.
  static void RoundBounds(NumberRange* range) {
    for (auto [bound, is_min] : {std::pair{&range->min, true}, std::pair{&range->max, false}}) {
      if (!*bound || (*bound)->value.fraction.empty()) continue;
      // Cutting moves towards 0: down for positive, up for negative bounds.
      bool moved_outwards = (*bound)->value.negative != is_min;
      (*bound)->value.fraction.clear();
      (*bound)->exclusive = moved_outwards;
      if ((*bound)->value.is_zero()) (*bound)->value.negative = false;
    }
  }

  // A rule for a schema that is laid in several places.
  JsonEmitter::Emit Shared(const Json& schema, const std::string& path, int depth) {
    uint32_t rule = builder_.AddRule();
    Value(schema, path, {builder_.start(rule), builder_.end(rule)}, depth + 1);
    return [this, rule](uint32_t from, uint32_t to) { builder_.AddCall(from, to, rule); };
  }

  static bool IsFalse(const Json& schema) { return schema.is_bool() && !*schema.AsBool(); }

  void Array(const Json& schema, const std::string& path, Span span, int depth) {
    JsonEmitter::Array array;
    array.min = Length(schema, "minItems", path).value_or(0);
    array.max = Length(schema, "maxItems", path);
    if (const Json* prefix = schema.Find("prefixItems")) {
      for (size_t i = 0; i < prefix->AsArray()->size(); ++i) {
        array.prefix.push_back(
            Shared((*prefix->AsArray())[i], path + "/prefixItems/" + std::to_string(i), depth));
      }
    }
    const Json* items = schema.Find("items");
    if (items == nullptr) {
      array.rest = [this](uint32_t a, uint32_t b) { emitter_.AnyValue(a, b); };
    } else if (!IsFalse(*items)) {
      array.rest = Shared(*items, path + "/items", depth);
    }
    emitter_.AddArray(array, span.first, span.second);
  }

  void Object(const Json& schema, const std::string& path, Span span, int depth) {
    JsonEmitter::Object object;
    const Json* others = schema.Find("additionalProperties");
    const Json others_schema = others != nullptr ? *others : Json(options_.additional_properties);
    std::vector<std::string> required;
    if (const Json* list = schema.Find("required")) {
      if (!list->is_array()) RefuseSchema("must be a list", path + "/required");
      for (const Json& item : *list->AsArray()) {
        if (item.AsString() == nullptr) RefuseSchema("must be a list of names", path + "/required");
        required.push_back(*item.AsString());
      }
    }
    auto add = [&](const std::string& name, const Json& value, const std::string& value_path) {
      bool needed = std::find(required.begin(), required.end(), name) != required.end();
      object.properties.push_back(
          {name, needed, [this, &value, value_path, depth](uint32_t a, uint32_t b) {
             Value(value, value_path, {a, b}, depth + 1);
           }});
    };
    const Json* properties = schema.Find("properties");
    if (properties != nullptr) {
      if (!properties->is_object()) RefuseSchema("must be an object", path + "/properties");
      for (const auto& [name, value] : *properties->AsObject()) {
        add(name, value, path + "/properties/" + name);
      }
    }
    // Names that must be there but are not described are what any other may be.
    std::set<std::string> added;
    for (const std::string& name : required) {
      if (properties != nullptr && properties->Find(name) != nullptr) continue;
      if (added.insert(name).second) add(name, others_schema, path + "/additionalProperties");
    }
    if (!IsFalse(others_schema)) {
      if (others_schema.is_bool()) {
        object.others = [this](uint32_t a, uint32_t b) { emitter_.AnyValue(a, b); };
      } else {
        object.others = Shared(others_schema, path + "/additionalProperties", depth);
      }
    }
    emitter_.AddObject(object, span.first, span.second);
  }

  const Json& document_;
  JsonGrammarOptions options_;
  GrammarBuilder& builder_;
  SchemaMerger merger_;
  JsonEmitter emitter_;
  std::map<std::string, uint32_t> rules_;
  std::vector<std::pair<uint32_t, std::string>> pending_;
};

ByteGrammar Any(const JsonGrammarOptions& options, bool object) {
  GrammarBuilder builder;
  JsonEmitter emitter(&builder, options.max_whitespace);
  uint32_t rule = builder.AddRule();
  if (object) {
    emitter.AnyObject(builder.start(rule), builder.end(rule));
  } else {
    emitter.AnyValue(builder.start(rule), builder.end(rule));
  }
  return builder.Build(rule);
}

}  // namespace

uint32_t AddJsonSchema(const Json& schema, const std::string& reference,
                       const JsonGrammarOptions& options, GrammarBuilder* builder) {
  if (schema.Dump().size() > kMaxSchemaBytes) {
    throw Error(Code::kTooLarge, "the JSON schema is too large");
  }
  return SchemaCompiler(schema, options, builder).Compile(reference);
}

ByteGrammar JsonSchemaGrammar(const Json& schema, const JsonGrammarOptions& options) {
  GrammarBuilder builder;
  return builder.Build(AddJsonSchema(schema, "#", options, &builder));
}

ByteGrammar AnyJsonObjectGrammar(const JsonGrammarOptions& options) { return Any(options, true); }
ByteGrammar AnyJsonValueGrammar(const JsonGrammarOptions& options) { return Any(options, false); }

}  // namespace hearth::runtime
