#include "net/http.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::net {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus { kLiteral, kSpace };

std::string PercentDecode(std::string_view raw, Plus plus) {
  std::string out;
  out.reserve(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '+' && plus == Plus::kSpace) {
      c = ' ';
    } else if (c == '%') {
      int high = i + 2 < raw.size() ? HexDigit(raw[i + 1]) : -1;
      int low = i + 2 < raw.size() ? HexDigit(raw[i + 2]) : -1;
      if (high < 0 || low < 0) throw Error(Code::kInvalidArgument, "Invalid percent-encoding");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') throw Error(Code::kInvalidArgument, "NUL byte in URL");
    out += c;
  }
  return out;
}

bool KeyMatches(std::string_view have, std::string_view key) {
  if (have == key) return true;
  return have.size() == key.size() + 2 && have.starts_with(key) && have.ends_with("[]");
}

}  // namespace

const std::string* Headers::Find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (AsciiEqualsIgnoreCase(field.first, name)) return &field.second;
  }
  return nullptr;
}

std::string Headers::Get(std::string_view name) const {
  const std::string* value = Find(name);
  return value ? *value : std::string();
}

void Headers::Set(std::string name, std::string value) {
  Erase(name);
  Add(std::move(name), std::move(value));
}

void Headers::Erase(std::string_view name) {
  std::erase_if(fields_, [&](const Field& f) { return AsciiEqualsIgnoreCase(f.first, name); });
}

std::string RequestBody::ReadAll() const {
  if (!file_) return memory_;
  std::string out(file_->size(), '\0');
  ReadExactAt(file_->fd(), 0, out.data(), out.size());
  return out;
}

size_t RequestBody::ReadAt(uint64_t offset, char* out, size_t size) const {
  if (offset >= size_bytes()) return 0;
  size = static_cast<size_t>(std::min<uint64_t>(size, size_bytes() - offset));
  if (file_) {
    ReadExactAt(file_->fd(), offset, out, size);
  } else {
    std::memcpy(out, memory_.data() + offset, size);
  }
  return size;
}

TempFile RequestBody::TakeFile() {
  if (!file_) throw Error(Code::kInternal, "TakeFile on a body that is in memory");
  TempFile file = std::move(*file_);
  file_.reset();
  return file;
}

bool Request::HasConditions() const {
  for (const auto& [name, value] : headers.fields()) {
    if (AsciiEqualsIgnoreCase(name, "range")) return true;
    if (name.size() > 3 && AsciiEqualsIgnoreCase(std::string_view(name).substr(0, 3), "if-")) {
      return true;
    }
  }
  return false;
}

std::string_view Request::RawCapture(std::string_view name) const {
  for (const auto& [key, value] : captures) {
    if (key == name) return value;
  }
  return {};
}

std::string Request::Capture(std::string_view name) const {
  return PercentDecodePath(RawCapture(name));
}

std::optional<std::string> Request::QueryParam(std::string_view key) const {
  for (auto& [have, value] : ParseForm(raw_query)) {
    if (KeyMatches(have, key)) return std::move(value);
  }
  return std::nullopt;
}

std::vector<std::string> Request::QueryParams(std::string_view key) const {
  std::vector<std::string> out;
  for (auto& [have, value] : ParseForm(raw_query)) {
    if (KeyMatches(have, key)) out.push_back(std::move(value));
  }
  return out;
}

bool Request::QueryFlag(std::string_view key, bool fallback) const {
  std::optional<std::string> value = QueryParam(key);
  if (!value) return fallback;
  std::string lower = AsciiLower(*value);
  if (lower == "true" || lower == "1") return true;
  if (lower == "false" || lower == "0") return false;
  throw Error(Code::kInvalidArgument, "Query parameter " + std::string(key) + " must be a boolean");
}

std::string PercentDecodePath(std::string_view raw) { return PercentDecode(raw, Plus::kLiteral); }
std::string PercentDecodeQuery(std::string_view raw) { return PercentDecode(raw, Plus::kSpace); }

std::string PercentEncode(std::string_view text, std::string_view keep) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '.' || c == '~';
    if (unreserved || keep.find(c) != std::string_view::npos) {
      out += c;
    } else {
      auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> ParseForm(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  if (text.empty()) return out;
  for (std::string_view piece : Split(text, '&')) {
    if (piece.empty()) continue;
    size_t equals = piece.find('=');
    std::string_view key = piece.substr(0, equals);
    std::string_view value =
        equals == std::string_view::npos ? std::string_view() : piece.substr(equals + 1);
    out.emplace_back(PercentDecodeQuery(key), PercentDecodeQuery(value));
  }
  return out;
}

Response Response::Bytes(int status, std::string content_type, std::string bytes) {
  Response response;
  response.status = status;
  response.headers.Add("Content-Type", std::move(content_type));
  response.body = std::move(bytes);
  return response;
}

Response Response::Text(int status, std::string text) {
  return Bytes(status, "text/plain; charset=utf-8", std::move(text));
}

Response Response::Redirect(int status, std::string location) {
  Response response;
  response.status = status;
  response.headers.Add("Location", std::move(location));
  return response;
}

}  // namespace hearth::net
