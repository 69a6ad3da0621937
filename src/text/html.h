// HTML escaping for text and for quoted attribute values. Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace hearth {

// & < > " ' become entities, spelled as jinja2's escape does (&#34; &#39;).
std::string EscapeHtml(std::string_view text);
void AppendEscapedHtml(std::string_view text, std::string* out);

// Percent-encodes everything but letters, digits, "_.-~" and the characters in `keep`.
std::string UrlEncode(std::string_view text, std::string_view keep = "/");

}  // namespace hearth
