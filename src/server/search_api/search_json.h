// Facets and found passages on the wire and on pages. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "hub/facets.h"

namespace hearth::server {

// [{key, label, multiple, distinct, values: [{value, label, count, ?selected}]}]
Json FacetsJson(const hub::Facets& facets);
// The text with its matches in <mark>, everything else escaped.
std::string MarkedHtml(std::string_view text,
                       const std::vector<std::pair<uint32_t, uint32_t>>& matches);

}  // namespace hearth::server
