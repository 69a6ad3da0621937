// What of a document may reach a page: elements, attributes, URLs. Pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/markdown.h"

namespace hearth::html {

enum class Treatment {
  kKeep,
  kDropTag,      // its content stays
  kDropContent,  // markup inside goes too
  kDropRawText,  // its content is no markup at all
};

struct Element {
  std::string_view name;
  bool is_void = false;   // has no content
  bool is_block = false;  // closes an open paragraph
};

Treatment TreatmentOf(std::string_view name);
// nullptr for elements that are not kept.
const Element* FindElement(std::string_view name);

// The value to write for an attribute of a kept element, not yet escaped; nullopt drops the
// attribute.
std::optional<std::string> CleanAttribute(std::string_view element, std::string_view name,
                                          std::string_view raw_value,
                                          const MarkdownOptions& options);

enum class UrlUse { kLink, kImage };
std::optional<std::string> CleanUrl(std::string_view url, UrlUse use,
                                    const MarkdownOptions& options);

// The namespace of ids from documents.
constexpr std::string_view kIdPrefix = "user-content-";

}  // namespace hearth::html
