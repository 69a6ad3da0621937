// Schemas put together: what a value must fit that must fit both. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "codec/json.h"

namespace hearth::runtime {

// Resolves references inside one document and merges; counts its work, so that a hostile document
// cannot make it explode.
class SchemaMerger {
 public:
  explicit SchemaMerger(const Json& document) : document_(document) {}

  // A schema that a value fits when it fits both (true, false or an object). Combinators are
  // gathered, not opened. Throws kUnimplemented where two keywords cannot be one (two patterns).
  Json Merge(const Json& a, const Json& b, const std::string& path);
  // The schema without its own "$ref": the target, merged with what stands beside.
  Json WithoutRef(const Json& schema, const std::string& path);
  const Json& Target(const std::string& reference, const std::string& path) const;
  // Surely no value fits both: other types, or a property that both require with other constants.
  bool Disjoint(const Json& a, const Json& b, const std::string& path, int depth = 0);

  void Count(size_t work);

 private:
  Json MergeObjects(const Json& a, const Json& b, const std::string& path);
  void MergeKeyword(std::string_view key, const Json& value, const std::string& path, Json* into);

  const Json& document_;
  size_t work_ = 0;
  int depth_ = 0;
};

[[noreturn]] void RefuseSchema(std::string_view what, const std::string& path);
[[noreturn]] void UnsupportedSchema(std::string_view what, const std::string& path);

// Whether a keyword says nothing about values.
bool IsAnnotation(std::string_view key);
// The JSON type's name as schemas have it; integers are "integer".
std::string_view SchemaTypeOf(const Json& value);
bool TypeAllows(const Json& type, const Json& value);

}  // namespace hearth::runtime
