#include "net/multipart.h"

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::net {
namespace {

constexpr size_t kMaxBoundary = 70;  // RFC 2046, 5.1.1
constexpr size_t kMaxHeadBytes = 8 << 10;

[[noreturn]] void Malformed(const char* what) {
  throw Error(Code::kInvalidArgument, std::string("The form is malformed: ") + what);
}

// The value of a parameter of a header field, quoted or not. Browsers write a quote inside a name
// as %22, so that a backslash is only ever a backslash.
std::optional<std::string> Parameter(std::string_view field, std::string_view name) {
  size_t at = field.find(';');
  while (at != std::string_view::npos) {
    std::string_view rest = TrimAscii(field.substr(at + 1));
    size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    std::string_view key = TrimAscii(rest.substr(0, equals));
    std::string_view value = rest.substr(equals + 1);
    size_t end;
    std::string_view text;
    if (value.starts_with('"')) {
      end = value.find('"', 1);
      if (end == std::string_view::npos) return std::nullopt;
      text = value.substr(1, end - 1);
    } else {
      end = value.find(';');
      text = TrimAscii(value.substr(0, end));
    }
    if (AsciiEqualsIgnoreCase(key, name)) return std::string(text);
    at = end == std::string_view::npos ? end : value.find(';', end);
    field = value;
  }
  return std::nullopt;
}

std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    std::string_view escape = text.substr(i, 3);
    char plain = escape == "%22" ? '"' : escape == "%0A" ? '\n' : escape == "%0D" ? '\r' : '\0';
    out += plain == '\0' ? text[i] : plain;
    if (plain != '\0') i += 2;
  }
  return out;
}

// Takes the next part off `rest`, which begins right behind a delimiter's line; false when the body
// ends before the part does.
bool TakePart(std::string_view* rest, const std::string& delimiter, FormPart* part) {
  size_t head_end = rest->substr(0, kMaxHeadBytes).find("\r\n\r\n");
  if (head_end == std::string_view::npos) return false;
  bool named = false;
  std::string_view head = rest->substr(0, head_end);
  while (!head.empty()) {
    size_t line_end = head.find("\r\n");
    std::string_view line = head.substr(0, line_end);
    head = line_end == std::string_view::npos ? std::string_view() : head.substr(line_end + 2);
    size_t colon = line.find(':');
    if (colon == std::string_view::npos) Malformed("a part has a bad header");
    if (!AsciiEqualsIgnoreCase(line.substr(0, colon), "Content-Disposition")) continue;
    std::string_view value = TrimAscii(line.substr(colon + 1));
    std::optional<std::string> name = Parameter(value, "name");
    if (!AsciiLower(value).starts_with("form-data") || !name) Malformed("a part has no name");
    part->name = Unescape(*name);
    part->file_name = Parameter(value, "filename");
    if (part->file_name) part->file_name = Unescape(*part->file_name);
    named = true;
  }
  if (!named) Malformed("a part has no name");
  size_t content = head_end + 4;
  size_t end = rest->find(delimiter, content);
  if (end == std::string_view::npos) return false;
  part->content = rest->substr(content, end - content);
  *rest = rest->substr(end + delimiter.size());
  return true;
}

}  // namespace

std::optional<std::string> MultipartBoundary(std::string_view content_type) {
  if (!AsciiLower(content_type.substr(0, 19)).starts_with("multipart/form-data")) {
    return std::nullopt;
  }
  std::optional<std::string> boundary = Parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kMaxBoundary) return std::nullopt;
  return boundary;
}

std::vector<FormPart> ParseMultipart(std::string_view body, std::string_view boundary,
                                     size_t max_parts) {
  std::string first = "--" + std::string(boundary);
  std::string delimiter = "\r\n" + first;
  if (!body.starts_with(first)) Malformed("it does not begin with its boundary");
  std::string_view rest = body.substr(first.size());
  std::vector<FormPart> parts;
  while (!rest.starts_with("--")) {
    if (!rest.starts_with("\r\n")) Malformed("a boundary is not followed by a line end");
    if (parts.size() == max_parts) Malformed("it has too many parts");
    rest.remove_prefix(2);
    FormPart part;
    if (!TakePart(&rest, delimiter, &part)) Malformed("it is cut off");
    parts.push_back(std::move(part));
  }
  return parts;
}

std::optional<std::string> FirstPart(std::string_view head, std::string_view boundary,
                                     std::string_view name) {
  std::string first = "--" + std::string(boundary) + "\r\n";
  if (!head.starts_with(first)) return std::nullopt;
  std::string_view rest = head.substr(first.size());
  FormPart part;
  if (!TakePart(&rest, "\r\n--" + std::string(boundary), &part) || part.name != name) {
    return std::nullopt;
  }
  return std::string(part.content);
}

}  // namespace hearth::net
