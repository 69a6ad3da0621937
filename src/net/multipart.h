// Bodies of forms with files (multipart/form-data, RFC 7578). Pure functions over bytes of
// strangers; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::net {

struct FormPart {
  std::string name;
  std::optional<std::string> file_name;  // set for files; may be "" when none was chosen
  std::string_view content;              // into the body
};

// The boundary of a Content-Type header; nullopt when it is not multipart/form-data.
std::optional<std::string> MultipartBoundary(std::string_view content_type);
// Every part in order. Throws kInvalidArgument for a body that is cut off or malformed, or has more
// than `max_parts`. The parts point into `body`.
std::vector<FormPart> ParseMultipart(std::string_view body, std::string_view boundary,
                                     size_t max_parts = 2000);
// The content of the first part when it has this name: `head` may end anywhere behind it.
std::optional<std::string> FirstPart(std::string_view head, std::string_view boundary,
                                     std::string_view name);

}  // namespace hearth::net
