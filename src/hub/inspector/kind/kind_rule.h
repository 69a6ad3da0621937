// One rule: a file kind_<name>.cc with one function, and a line in kinds.inc. Rules run in that
// order; a later one may ask what the earlier ones found.
#pragma once

#include <string>
#include <string_view>

#include "hub/inspector/kind/classify.h"
#include "hub/inspector/kind/survey.h"

namespace hearth::inspector {

using KindRule = void (*)(const Survey& survey, Classification* result);

#define HEARTH_KIND(Name) void Find##Name(const Survey& survey, Classification* result);
#include "hub/inspector/kind/kinds.inc"
#undef HEARTH_KIND

inline Evidence At(std::string file, std::string place, std::string rule) {
  return {.file = std::move(file), .place = std::move(place), .rule = std::move(rule), .repo = ""};
}
inline Evidence OnCard(const Survey& survey, std::string_view key, std::string rule) {
  return At("README.md", survey.card().PlaceOf(key), std::move(rule));
}

// A tensor that only an adapter has, by its name.
bool IsAdapterTensor(std::string_view name);

}  // namespace hearth::inspector
