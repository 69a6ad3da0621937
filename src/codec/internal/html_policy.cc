#include "codec/internal/html_policy.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "codec/internal/html_tokens.h"

namespace hearth::html {
namespace {

constexpr Element kElements[] = {
    {"a"},
    {"abbr"},
    {"audio"},
    {"b"},
    {"bdo"},
    {"blockquote", false, true},
    {"br", true},
    {"caption"},
    {"center", false, true},
    {"cite"},
    {"code"},
    {"col", true},
    {"colgroup"},
    {"dd", false, true},
    {"del"},
    {"details", false, true},
    {"dfn"},
    {"div", false, true},
    {"dl", false, true},
    {"dt", false, true},
    {"em"},
    {"figcaption", false, true},
    {"figure", false, true},
    {"h1", false, true},
    {"h2", false, true},
    {"h3", false, true},
    {"h4", false, true},
    {"h5", false, true},
    {"h6", false, true},
    {"hr", true, true},
    {"i"},
    {"img", true},
    {"input", true},
    {"ins"},
    {"kbd"},
    {"li", false, true},
    {"mark"},
    {"ol", false, true},
    {"p", false, true},
    {"picture"},
    {"pre", false, true},
    {"q"},
    {"rp"},
    {"rt"},
    {"ruby"},
    {"s"},
    {"samp"},
    {"section", false, true},
    {"small"},
    {"source", true},
    {"span"},
    {"strike"},
    {"strong"},
    {"sub"},
    {"summary"},
    {"sup"},
    {"table", false, true},
    {"tbody"},
    {"td"},
    {"tfoot"},
    {"th"},
    {"thead"},
    {"time"},
    {"tr"},
    {"tt"},
    {"u"},
    {"ul", false, true},
    {"var"},
    {"video"},
    {"wbr", true},
};

// Elements whose content browsers read as characters: it must not be taken for markup.
constexpr std::string_view kRawText[] = {"iframe", "noembed",  "noframes", "plaintext", "script",
                                         "style",  "textarea", "title",    "xmp",       "noscript"};
constexpr std::string_view kDropped[] = {"applet", "canvas", "embed",  "frameset", "head",
                                         "math",   "object", "select", "svg",      "template"};

constexpr std::string_view kGlobalAttributes[] = {"align", "aria-label", "dir", "lang", "title"};

struct ElementAttribute {
  std::string_view element;
  std::string_view attribute;
};

// Plain values. URLs, ids, classes and inputs have their own rules below.
constexpr ElementAttribute kAttributes[] = {
    {"img", "alt"},           {"img", "width"},      {"img", "height"},   {"video", "width"},
    {"video", "height"},      {"video", "controls"}, {"video", "loop"},   {"video", "muted"},
    {"video", "playsinline"}, {"audio", "controls"}, {"audio", "loop"},   {"source", "type"},
    {"ol", "start"},          {"ol", "type"},        {"ol", "reversed"},  {"li", "value"},
    {"td", "colspan"},        {"td", "rowspan"},     {"td", "valign"},    {"td", "width"},
    {"th", "colspan"},        {"th", "rowspan"},     {"th", "valign"},    {"th", "width"},
    {"th", "scope"},          {"table", "width"},    {"table", "border"}, {"col", "span"},
    {"col", "width"},         {"tr", "valign"},      {"details", "open"}, {"time", "datetime"},
    {"hr", "width"},
};

// Classes that our own renderer writes; any other class could dress text up as a part of the site.
constexpr std::string_view kClasses[] = {"footnote-ref", "footnote-backref", "footnotes",
                                         "task-list-item", "contains-task-list"};

template <size_t N>
bool IsIn(const std::string_view (&list)[N], std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '+' || c == '#' || (c & 0x80) != 0;
}

std::optional<std::string> CleanClass(std::string_view element, std::string_view value) {
  std::string out;
  for (std::string_view name : Split(value, ' ')) {
    bool language = element == "code" && name.starts_with("language-") && name.size() < 80 &&
                    std::all_of(name.begin(), name.end(), IsNameByte);
    if (!language && !IsIn(kClasses, name)) continue;
    out += (out.empty() ? "" : " ") + std::string(name);
  }
  if (out.empty()) return std::nullopt;
  return out;
}

std::optional<std::string> CleanId(std::string_view value) {
  if (value.empty() || value.find_first_of(" \t\n\r\f") != std::string_view::npos) {
    return std::nullopt;
  }
  if (value.starts_with(kIdPrefix)) return std::string(value);
  return std::string(kIdPrefix) + std::string(value);
}

// "url 2x, url 100w"; data URLs have commas of their own and are left out.
std::optional<std::string> CleanSourceSet(std::string_view value, const MarkdownOptions& options) {
  std::string out;
  for (std::string_view candidate : Split(value, ',')) {
    candidate = TrimAscii(candidate);
    size_t blank = candidate.find_first_of(" \t\n");
    std::string_view descriptor =
        blank == std::string_view::npos ? std::string_view() : TrimAscii(candidate.substr(blank));
    if (descriptor.find_first_not_of("0123456789.wxh") != std::string_view::npos)
      return std::nullopt;
    auto url = CleanUrl(candidate.substr(0, blank), UrlUse::kImage, options);
    if (!url || url->starts_with("data:")) return std::nullopt;
    if (!out.empty()) out += ", ";
    out += *url;
    if (!descriptor.empty()) out += " " + std::string(descriptor);
  }
  return out;
}

std::optional<std::string> CleanMedia(std::string_view value) {
  bool plain = std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("():-., ").find(c) != std::string_view::npos;
  });
  if (!plain) return std::nullopt;
  return std::string(value);
}

// The scheme in lower case; empty for a relative URL.
std::string SchemeOf(std::string_view url) {
  for (size_t i = 0; i < url.size(); ++i) {
    char c = url[i];
    if (c == ':') return AsciiLower(url.substr(0, i));
    bool scheme_byte = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (i > 0 && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
    if (!scheme_byte) break;
  }
  return "";
}

bool IsSafeDataImage(std::string_view url) {
  for (std::string_view type : {"png", "jpeg", "jpg", "gif", "webp"}) {
    std::string prefix = "data:image/" + std::string(type) + ";base64,";
    if (url.size() < prefix.size() ||
        !AsciiEqualsIgnoreCase(url.substr(0, prefix.size()), prefix)) {
      continue;
    }
    std::string_view data = url.substr(prefix.size());
    return std::all_of(data.begin(), data.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("+/=%").find(c) != std::string_view::npos;
    });
  }
  return false;
}

void AppendEncoded(std::string_view text, std::string_view keep, std::string* out) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 keep.find(c) != std::string_view::npos;
    if (plain) {
      *out += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    ((*out += '%') += kHex[byte >> 4]) += kHex[byte & 15];
  }
}

// A path in the repository: folder + path, "." and ".." resolved and kept inside.
std::string ResolvePath(std::string_view folder, std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::string_view source : {folder, path}) {
    for (std::string_view part : Split(source, '/')) {
      if (part.empty() || part == ".") continue;
      if (part != "..") {
        parts.push_back(part);
      } else if (!parts.empty()) {
        parts.pop_back();
      }
    }
  }
  std::string out;
  for (std::string_view part : parts) {
    out += '/';
    // Escapes that the author wrote stay.
    AppendEncoded(part, "-._~!$&()*+,;=:@%", &out);
  }
  return out;
}

std::string ResolveRelative(std::string_view url, UrlUse use, const MarkdownOptions& options) {
  size_t suffix = std::min(url.find_first_of("?#"), url.size());
  std::string out = options.base_url;
  while (out.ends_with('/')) out.pop_back();
  out += use == UrlUse::kImage ? "/resolve/" : "/blob/";
  AppendEncoded(options.revision, "-._~", &out);
  out += ResolvePath(options.folder, url.substr(0, suffix));
  AppendEncoded(url.substr(suffix), "-._~!$&()*+,;=:@/?%#[]", &out);
  return out;
}

}  // namespace

Treatment TreatmentOf(std::string_view name) {
  if (FindElement(name) != nullptr) return Treatment::kKeep;
  if (IsIn(kRawText, name)) return Treatment::kDropRawText;
  if (IsIn(kDropped, name)) return Treatment::kDropContent;
  return Treatment::kDropTag;
}

const Element* FindElement(std::string_view name) {
  auto found = std::lower_bound(
      std::begin(kElements), std::end(kElements), name,
      [](const Element& element, std::string_view key) { return element.name < key; });
  return found != std::end(kElements) && found->name == name ? found : nullptr;
}

std::optional<std::string> CleanUrl(std::string_view raw, UrlUse use,
                                    const MarkdownOptions& options) {
  // Browsers drop tabs and line ends inside a URL, and control characters and blanks around it.
  std::string url;
  for (char c : raw) {
    if (c != '\t' && c != '\n' && c != '\r') url += c;
  }
  auto is_edge = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
  while (!url.empty() && is_edge(url.back())) url.pop_back();
  url.erase(0,
            static_cast<size_t>(std::find_if_not(url.begin(), url.end(), is_edge) - url.begin()));
  std::string scheme = SchemeOf(url);
  if (scheme == "data") {
    if (use == UrlUse::kImage && IsSafeDataImage(url)) return url;
    return std::nullopt;
  }
  bool allowed = scheme.empty() || scheme == "http" || scheme == "https" ||
                 (scheme == "mailto" && use == UrlUse::kLink);
  if (!allowed) return std::nullopt;
  // A backslash is a slash to browsers, a control character is nothing: neither may stay as it is.
  std::string encoded;
  for (char c : url) {
    bool keep = static_cast<unsigned char>(c) > 0x20 && c != '\\' && c != 0x7F;
    AppendEncoded(std::string_view(&c, 1), keep ? std::string_view(&c, 1) : "", &encoded);
  }
  if (!scheme.empty() || encoded.empty()) return encoded;
  if (encoded[0] == '#') {
    if (encoded.size() == 1) return encoded;
    return "#" + CleanId(std::string_view(encoded).substr(1)).value_or("");
  }
  if (encoded[0] == '/' || encoded[0] == '?' || options.base_url.empty()) return encoded;
  return ResolveRelative(encoded, use, options);
}

std::optional<std::string> CleanAttribute(std::string_view element, std::string_view name,
                                          std::string_view raw_value,
                                          const MarkdownOptions& options) {
  std::string value = DecodeReferences(raw_value);
  if (name == "id" || (name == "name" && element == "a")) return CleanId(value);
  if (name == "class") return CleanClass(element, value);
  if (name == "href" && element == "a") return CleanUrl(value, UrlUse::kLink, options);
  bool media = element == "img" || element == "video" || element == "audio" || element == "source";
  if ((name == "src" && media) || (name == "poster" && element == "video")) {
    return CleanUrl(value, UrlUse::kImage, options);
  }
  if (name == "srcset" && (element == "img" || element == "source")) {
    return CleanSourceSet(value, options);
  }
  if (name == "media" && element == "source") return CleanMedia(value);
  if (IsIn(kGlobalAttributes, name)) return value;
  for (const ElementAttribute& entry : kAttributes) {
    if (entry.element == element && entry.attribute == name) return value;
  }
  return std::nullopt;
}

}  // namespace hearth::html
