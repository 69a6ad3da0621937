#include "runtime/grammar/schema_merge.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "runtime/grammar/number_range.h"

namespace hearth::runtime {
namespace {

// Of schema nodes looked at; a real schema has some hundreds.
constexpr size_t kMaxWork = 200'000;
constexpr int kMaxReferences = 64;

std::string Decoded(std::string_view token) {
  std::string text;
  for (size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
      text.push_back(token[++i] == '0' ? '~' : '/');
    } else if (token[i] == '%' && i + 2 < token.size()) {
      auto digit = [](char c) {
        return c >= '0' && c <= '9'                 ? c - '0'
               : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                    : -1;
      };
      int high = digit(token[i + 1]), low = digit(token[i + 2]);
      if (high >= 0 && low >= 0) {
        text.push_back(static_cast<char>(high * 16 + low));
        i += 2;
      } else {
        text.push_back('%');
      }
    } else {
      text.push_back(token[i]);
    }
  }
  return text;
}

size_t NodeCount(const Json& json) {
  size_t count = 1;
  if (const auto* items = json.AsArray()) {
    for (const Json& item : *items) count += NodeCount(item);
  }
  if (const auto* members = json.AsObject()) {
    for (const auto& member : *members) count += NodeCount(member.second);
  }
  return count;
}

std::vector<std::string> TypeList(const Json& type, const std::string& path) {
  std::vector<std::string> types;
  if (type.AsString() != nullptr) {
    types.push_back(*type.AsString());
  } else if (const auto* list = type.AsArray()) {
    for (const Json& item : *list) {
      if (item.AsString() == nullptr) RefuseSchema("must be a type or a list of types", path);
      types.push_back(*item.AsString());
    }
  } else {
    RefuseSchema("must be a type or a list of types", path);
  }
  return types;
}

Json MergedTypes(const Json& a, const Json& b, const std::string& path) {
  auto left = TypeList(a, path), right = TypeList(b, path);
  auto has = [](const std::vector<std::string>& list, const std::string& type) {
    return std::find(list.begin(), list.end(), type) != list.end();
  };
  std::vector<std::string> both;
  for (const std::string& type : left) {
    if (has(right, type) || (type == "integer" && has(right, "number"))) both.push_back(type);
  }
  for (const std::string& type : right) {
    if (type == "integer" && has(left, "number") && !has(both, type)) both.push_back(type);
  }
  return Json(both);
}

// Values that both allow.
Json MergedEnum(const Json::Array& a, const Json::Array& b) {
  Json::Array both;
  for (const Json& value : a) {
    if (std::find(b.begin(), b.end(), value) != b.end()) both.push_back(value);
  }
  return Json(std::move(both));
}

// The elements as "prefixItems" and "items", older spellings included.
void NormalizeItems(Json* schema) {
  const Json* items = schema->Find("items");
  if (items != nullptr && items->is_array()) {
    Json prefix = *items;
    const Json* rest = schema->Find("additionalItems");
    Json others = rest != nullptr ? *rest : Json(true);
    schema->Set("prefixItems", std::move(prefix));
    schema->Set("items", std::move(others));
  }
  schema->Erase("additionalItems");
}

// draft 4: "exclusiveMinimum": true says that "minimum" is exclusive.
void NormalizeBounds(Json* schema) {
  for (auto [exclusive, bound] :
       {std::pair{"exclusiveMinimum", "minimum"}, std::pair{"exclusiveMaximum", "maximum"}}) {
    const Json* flag = schema->Find(exclusive);
    if (flag == nullptr || !flag->is_bool()) continue;
    const Json* value = schema->Find(bound);
    if (*flag->AsBool() && value != nullptr) {
      Json moved = *value;
      schema->Set(exclusive, std::move(moved));
      schema->Erase(bound);
    } else {
      schema->Erase(exclusive);
    }
  }
}

const Json& OrTrue(const Json* schema) {
  static const Json kTrue(true);
  return schema != nullptr ? *schema : kTrue;
}

}  // namespace

void RefuseSchema(std::string_view what, const std::string& path) {
  throw Error(Code::kInvalidArgument, "JSON schema: " + path + " " + std::string(what))
      .With("path", path);
}

void UnsupportedSchema(std::string_view what, const std::string& path) {
  throw Error(Code::kUnimplemented, "JSON schema: " + path + ": " + std::string(what))
      .With("path", path);
}

bool IsAnnotation(std::string_view key) {
  static const std::set<std::string_view> kAnnotations{"$comment",
                                                       "$defs",
                                                       "$id",
                                                       "$schema",
                                                       "$anchor",
                                                       "default",
                                                       "definitions",
                                                       "deprecated",
                                                       "description",
                                                       "example",
                                                       "examples",
                                                       "readOnly",
                                                       "title",
                                                       "writeOnly",
                                                       "externalDocs",
                                                       "xml",
                                                       "discriminator",
                                                       "contentMediaType",
                                                       "contentEncoding"};
  return kAnnotations.contains(key) || key.starts_with("x-");
}

std::string_view SchemaTypeOf(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return "boolean";
  if (value.AsString() != nullptr) return "string";
  if (value.is_array()) return "array";
  if (value.is_object()) return "object";
  auto real = value.AsDouble();
  return value.is_int() || value.is_unsigned() || (real && std::floor(*real) == *real) ? "integer"
                                                                                       : "number";
}

bool TypeAllows(const Json& type, const Json& value) {
  std::string_view own = SchemaTypeOf(value);
  auto types = TypeList(type, "#");
  return std::any_of(types.begin(), types.end(), [&](const std::string& name) {
    return name == own || (name == "number" && own == "integer");
  });
}

void SchemaMerger::Count(size_t work) {
  work_ += work;
  if (work_ > kMaxWork) throw Error(Code::kTooLarge, "the JSON schema is too large");
}

const Json& SchemaMerger::Target(const std::string& reference, const std::string& path) const {
  if (reference.empty() || reference[0] != '#') {
    UnsupportedSchema("a reference outside the document", path);
  }
  const Json* at = &document_;
  std::string_view rest = std::string_view(reference).substr(1);
  if (!rest.empty() && rest[0] != '/') UnsupportedSchema("a reference by anchor", path);
  while (!rest.empty()) {
    rest.remove_prefix(1);
    size_t end = std::min(rest.find('/'), rest.size());
    std::string token = Decoded(rest.substr(0, end));
    rest.remove_prefix(end);
    const Json* next = at->Find(token);
    if (next == nullptr && at->is_array()) {
      size_t index = 0;
      bool number =
          !token.empty() && token.size() < 7 &&
          std::all_of(token.begin(), token.end(), [](char c) { return c >= '0' && c <= '9'; });
      if (number) index = static_cast<size_t>(std::stoul(token));
      if (number && index < at->AsArray()->size()) next = &(*at->AsArray())[index];
    }
    if (next == nullptr) RefuseSchema("refers to \"" + reference + "\", which is not there", path);
    at = next;
  }
  return *at;
}

Json SchemaMerger::WithoutRef(const Json& schema, const std::string& path) {
  const Json* reference = schema.Find("$ref");
  if (reference == nullptr) return schema;
  if (reference->AsString() == nullptr) RefuseSchema("$ref must be a string", path);
  if (++depth_ > kMaxReferences) RefuseSchema("refers to itself", path);
  Json rest = schema;
  rest.Erase("$ref");
  Json merged = Merge(Target(*reference->AsString(), path), rest, path);
  --depth_;
  return merged;
}

Json SchemaMerger::Merge(const Json& a, const Json& b, const std::string& path) {
  Count(1);
  for (const Json* schema : {&a, &b}) {
    if (!schema->is_bool() && !schema->is_object()) {
      RefuseSchema("must be true, false or an object", path);
    }
  }
  if (a.is_bool()) return *a.AsBool() ? b : a;
  if (b.is_bool()) return *b.AsBool() ? a : b;
  if (a == b) return a;
  Count(NodeCount(a) + NodeCount(b));
  return MergeObjects(WithoutRef(a, path), WithoutRef(b, path), path);
}

Json SchemaMerger::MergeObjects(const Json& first, const Json& second, const std::string& path) {
  if (first.is_bool() || second.is_bool()) return Merge(first, second, path);
  Json a = first, b = second;
  for (Json* schema : {&a, &b}) {
    NormalizeItems(schema);
    NormalizeBounds(schema);
  }
  Json merged = Json::Obj();

  // Properties: one that only one names is what the other allows of others, too.
  if (a.Find("properties") || b.Find("properties") || a.Find("additionalProperties") ||
      b.Find("additionalProperties")) {
    Json properties = Json::Obj();
    auto add = [&](const Json& from, const Json& to) {
      const Json* list = from.Find("properties");
      if (list == nullptr) return;
      if (!list->is_object()) RefuseSchema("properties must be an object", path);
      const Json* other_list = to.Find("properties");
      for (const auto& [name, value] : *list->AsObject()) {
        if (properties.Find(name) != nullptr) continue;
        const Json* other = other_list != nullptr ? other_list->Find(name) : nullptr;
        if (other == nullptr) other = to.Find("additionalProperties");
        properties.Set(name, Merge(value, OrTrue(other), path + "/properties/" + name));
      }
    };
    add(a, b);
    add(b, a);
    if (properties.size() > 0) merged.Set("properties", std::move(properties));
    const Json* others_a = a.Find("additionalProperties");
    const Json* others_b = b.Find("additionalProperties");
    if (others_a != nullptr || others_b != nullptr) {
      merged.Set("additionalProperties",
                 Merge(OrTrue(others_a), OrTrue(others_b), path + "/additionalProperties"));
    }
  }

  if (a.Find("prefixItems") || b.Find("prefixItems") || a.Find("items") || b.Find("items")) {
    auto prefix = [&](const Json& schema) {
      const Json* list = schema.Find("prefixItems");
      if (list != nullptr && !list->is_array()) RefuseSchema("prefixItems must be a list", path);
      return list != nullptr ? *list->AsArray() : Json::Array{};
    };
    Json::Array left = prefix(a), right = prefix(b), both;
    for (size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
      both.push_back(Merge(i < left.size() ? left[i] : OrTrue(a.Find("items")),
                           i < right.size() ? right[i] : OrTrue(b.Find("items")), path + "/items"));
    }
    if (!both.empty()) merged.Set("prefixItems", std::move(both));
    merged.Set("items", Merge(OrTrue(a.Find("items")), OrTrue(b.Find("items")), path + "/items"));
  }

  for (const Json* schema : {&a, &b}) {
    for (const auto& [key, value] : *schema->AsObject()) {
      if (key == "properties" || key == "additionalProperties" || key == "prefixItems" ||
          key == "items") {
        continue;
      }
      MergeKeyword(key, value, path, &merged);
    }
  }
  const Json* types = merged.Find("type");
  if (types != nullptr && types->is_array() && types->size() == 0) return Json(false);
  return merged;
}

void SchemaMerger::MergeKeyword(std::string_view key, const Json& value, const std::string& path,
                                Json* into) {
  const std::string name(key);
  Json* present = into->Find(key);
  if (present == nullptr) {
    into->Set(name, value);
    return;
  }
  if (IsAnnotation(key) || *present == value) return;
  if (key == "type") {
    *present = MergedTypes(*present, value, path);
  } else if (key == "required") {
    if (!present->is_array() || !value.is_array()) RefuseSchema("required must be a list", path);
    for (const Json& item : *value.AsArray()) {
      auto& list = *present->AsArray();
      if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
    }
  } else if (key == "enum") {
    if (!present->is_array() || !value.is_array()) RefuseSchema("enum must be a list", path);
    *present = MergedEnum(*present->AsArray(), *value.AsArray());
  } else if (key == "const") {
    into->Set("enum", Json::Arr());  // two constants: none
  } else if (key == "nullable") {
    *present = Json(false);
  } else if (key == "minimum" || key == "exclusiveMinimum" || key == "maximum" ||
             key == "exclusiveMaximum") {
    int order = Decimal::FromJson(value).Compare(Decimal::FromJson(*present));
    bool is_min = key == "minimum" || key == "exclusiveMinimum";
    if (is_min ? order > 0 : order < 0) *present = value;
  } else if (key == "minLength" || key == "minItems" || key == "maxLength" || key == "maxItems") {
    auto mine = present->AsUint(), other = value.AsUint();
    if (!mine || !other) RefuseSchema(name + " must be a whole number", path);
    if (key.starts_with("min") ? *other > *mine : *other < *mine) *present = value;
  } else if (key == "allOf") {
    if (!present->is_array() || !value.is_array()) RefuseSchema("allOf must be a list", path);
    for (const Json& part : *value.AsArray()) present->Push(part);
  } else if (key == "anyOf" || key == "oneOf") {
    Json more = Json::Obj();
    more.Set(name, value);
    if (Json* all = into->Find("allOf")) {
      all->Push(std::move(more));
    } else {
      into->Set("allOf", Json::Arr({std::move(more)}));
    }
  } else {
    UnsupportedSchema("two different \"" + name + "\" cannot be one", path);
  }
}

bool SchemaMerger::Disjoint(const Json& first, const Json& second, const std::string& path,
                            int depth) {
  Count(1);
  if (depth > 4) return false;
  if (first.is_bool() || second.is_bool()) {
    auto is_false = [](const Json& s) { return s.is_bool() && !*s.AsBool(); };
    return is_false(first) || is_false(second);
  }
  Json a = WithoutRef(first, path), b = WithoutRef(second, path);
  if (a.is_bool() || b.is_bool()) return Disjoint(a, b, path, depth + 1);
  auto values = [](const Json& schema) -> std::optional<Json::Array> {
    if (const Json* one = schema.Find("const")) return Json::Array{*one};
    const Json* list = schema.Find("enum");
    if (list != nullptr && list->is_array()) return *list->AsArray();
    return std::nullopt;
  };
  auto fits_type = [](const Json::Array& list, const Json& schema) {
    const Json* type = schema.Find("type");
    return type == nullptr || std::any_of(list.begin(), list.end(), [&](const Json& value) {
             return TypeAllows(*type, value);
           });
  };
  auto values_a = values(a), values_b = values(b);
  if (values_a && values_b && MergedEnum(*values_a, *values_b).size() == 0) return true;
  if ((values_a && !fits_type(*values_a, b)) || (values_b && !fits_type(*values_b, a))) return true;
  const Json* type_a = a.Find("type");
  const Json* type_b = b.Find("type");
  if (type_a == nullptr || type_b == nullptr) return false;
  if (MergedTypes(*type_a, *type_b, path).size() == 0) return true;

  // Objects told apart by a property that both must have.
  auto only_object = [](const Json& type) {
    return type.AsString() != nullptr && *type.AsString() == "object";
  };
  if (!only_object(*type_a) && !only_object(*type_b)) return false;
  const Json* required_a = a.Find("required");
  const Json* required_b = b.Find("required");
  const Json* properties_a = a.Find("properties");
  const Json* properties_b = b.Find("properties");
  auto requires_name = [](const Json* list, const std::string& name) {
    return list != nullptr && list->is_array() &&
           std::find(list->AsArray()->begin(), list->AsArray()->end(), Json(name)) !=
               list->AsArray()->end();
  };
  auto closed = [](const Json& schema) {
    const Json* others = schema.Find("additionalProperties");
    return others != nullptr && others->is_bool() && !*others->AsBool();
  };
  auto has = [](const Json* properties, const std::string& name) {
    return properties != nullptr && properties->Find(name) != nullptr;
  };
  for (auto [required, other, other_properties] : {std::make_tuple(required_a, &b, properties_b),
                                                   std::make_tuple(required_b, &a, properties_a)}) {
    if (required == nullptr || !required->is_array()) continue;
    for (const Json& item : *required->AsArray()) {
      const std::string* name = item.AsString();
      if (name != nullptr && closed(*other) && !has(other_properties, *name)) return true;
    }
  }
  if (properties_a == nullptr || !properties_a->is_object() || properties_b == nullptr)
    return false;
  for (const auto& [name, value] : *properties_a->AsObject()) {
    const Json* other = properties_b->Find(name);
    bool both_need = requires_name(required_a, name) && requires_name(required_b, name);
    if (other != nullptr && both_need && Disjoint(value, *other, path, depth + 1)) return true;
  }
  return false;
}

}  // namespace hearth::runtime
