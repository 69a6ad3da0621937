// What a file of a repository is served as. Anybody may put any file into a repository and its
// address is on the hub's own host, so nothing may run as a page there: HTML, SVG, scripts and all
// other text are text/plain; pictures, sound and the like keep their types; the rest is bytes.
// Pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hearth::server {

// By the file name alone; nullopt when the extension says nothing.
std::optional<std::string_view> ContentTypeByName(std::string_view path);
// With the content's start to tell text from bytes where the name does not.
std::string_view ContentTypeOf(std::string_view path, std::optional<std::string_view> sample);

// `inline; filename*=UTF-8''a%20b.bin; filename="a b.bin";`: the last semicolon is there because
// the Python client's pattern wants one. `kind` is "inline" or "attachment".
std::string ContentDisposition(std::string_view kind, std::string_view path);

}  // namespace hearth::server
