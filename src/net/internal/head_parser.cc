#include "net/internal/head_parser.h"

#include <llhttp.h>

#include <array>
#include <cstring>

#include "base/bytes.h"

namespace hearth::net {
namespace {

// What a byte may be part of.
enum : uint8_t { kTokenByte = 1, kValueByte = 2, kTargetByte = 4, kHostByte = 8 };

constexpr std::array<uint8_t, 256> MakeClasses() {
  std::array<uint8_t, 256> classes{};
  constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
  for (unsigned byte = 0; byte < 256; ++byte) {
    char c = static_cast<char>(byte);
    bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    uint8_t& of = classes[byte];
    if (alnum || kTokenMarks.find(c) != std::string_view::npos) of |= kTokenByte;
    if ((byte >= 0x20 && byte != 0x7f) || c == '\t') of |= kValueByte;
    if (byte > 0x20 && byte != 0x7f && c != '#') of |= kTargetByte;
    if (alnum || c == '-' || c == '.' || c == '_') of |= kHostByte;
  }
  return classes;
}

constexpr std::array<uint8_t, 256> kClasses = MakeClasses();

bool AllAre(uint8_t kind, std::string_view text) {
  uint8_t common = kind;
  for (char c : text) common &= kClasses[static_cast<unsigned char>(c)];
  return common != 0;
}

bool IsToken(std::string_view text) { return !text.empty() && AllAre(kTokenByte, text); }

// What llhttp reported, as views into the head.
struct Tokens {
  std::string_view target;
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  bool in_value = false;
  bool complete = false;

  void Clear() {
    target = {};
    fields.clear();
    in_value = complete = false;
  }
};

// llhttp hands out one run per span when it gets the whole head at once, but its contract allows
// several, so runs that touch are joined.
void Extend(std::string_view* span, const char* at, size_t length) {
  if (span->empty()) {
    *span = {at, length};
  } else {
    *span = {span->data(), static_cast<size_t>(at + length - span->data())};
  }
}

Tokens* TokensOf(llhttp_t* parser) { return static_cast<Tokens*>(parser->data); }

int OnUrl(llhttp_t* parser, const char* at, size_t length) {
  Extend(&TokensOf(parser)->target, at, length);
  return 0;
}

int OnField(llhttp_t* parser, const char* at, size_t length) {
  Tokens* tokens = TokensOf(parser);
  if (tokens->in_value || tokens->fields.empty()) tokens->fields.emplace_back();
  tokens->in_value = false;
  Extend(&tokens->fields.back().first, at, length);
  return 0;
}

int OnValue(llhttp_t* parser, const char* at, size_t length) {
  Tokens* tokens = TokensOf(parser);
  tokens->in_value = true;
  if (!tokens->fields.empty()) Extend(&tokens->fields.back().second, at, length);
  return 0;
}

int OnHeadersComplete(llhttp_t* parser) {
  TokensOf(parser)->complete = true;
  return HPE_PAUSED;
}

const llhttp_settings_t& Settings() {
  static const llhttp_settings_t settings = [] {
    llhttp_settings_t s;
    llhttp_settings_init(&s);
    s.on_url = OnUrl;
    s.on_header_field = OnField;
    s.on_header_value = OnValue;
    s.on_headers_complete = OnHeadersComplete;
    return s;
  }();
  return settings;
}

HeadFault Bad(std::string message) { return {400, std::move(message)}; }

// Line discipline that llhttp is lenient about: CRLF only, no NUL, no folding, names are tokens
// directly followed by ':'.
std::optional<HeadFault> CheckLines(std::string_view head, const HeadLimits& limits) {
  if (head.find('\0') != std::string_view::npos) return Bad("NUL byte in the request head");
  size_t at = head.find("\r\n");
  if (head.substr(0, at).find('\r') != std::string_view::npos) return Bad("bare CR");
  int count = 0;
  for (at += 2; at < head.size();) {
    size_t end = head.find('\r', at);
    if (end == std::string_view::npos || end + 1 >= head.size() || head[end + 1] != '\n') {
      return Bad("bare CR in a header");
    }
    std::string_view line = head.substr(at, end - at);
    at = end + 2;
    if (line.empty()) break;
    if (++count > limits.max_headers) return HeadFault{431, "too many header fields"};
    if (line[0] == ' ' || line[0] == '\t') return Bad("folded header line");
    size_t colon = line.find(':');
    if (colon == std::string_view::npos) return Bad("header line without ':'");
    if (!IsToken(line.substr(0, colon))) return Bad("bad header name");
    if (!AllAre(kValueByte, line.substr(colon + 1))) {
      return Bad("control character in a header value");
    }
  }
  return std::nullopt;
}

// The request line, before llhttp: it tells an unknown method or version from plain garbage.
std::optional<HeadFault> CheckRequestLine(std::string_view line, const HeadLimits& limits) {
  size_t first = line.find(' ');
  size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return Bad("malformed request line");
  std::string_view method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  std::string_view version = line.substr(last + 1);
  if (!IsToken(method)) return Bad("malformed method");
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.' ||
      !ParseUint(version.substr(5, 1)) || !ParseUint(version.substr(7, 1))) {
    return Bad("malformed protocol version");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return HeadFault{505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  }
  if (target.size() > static_cast<size_t>(limits.max_target_bytes)) {
    return HeadFault{414, "request target is too long"};
  }
  if (!AllAre(kTargetByte, target)) return Bad("space, control character or '#' in the target");
  if (method == "CONNECT") return HeadFault{501, "CONNECT is not supported"};
  return std::nullopt;
}

std::optional<HeadFault> ReadFraming(RequestHead* head) {
  const std::string* length = nullptr;
  const std::string* coding = nullptr;
  for (const auto& [name, value] : head->headers.fields()) {
    if (AsciiEqualsIgnoreCase(name, "content-length")) {
      if (length) return Bad("more than one Content-Length");
      length = &value;
    } else if (AsciiEqualsIgnoreCase(name, "transfer-encoding")) {
      if (coding) return Bad("more than one Transfer-Encoding");
      coding = &value;
    }
  }
  if (length && coding) return Bad("both Content-Length and Transfer-Encoding");
  if (coding) {
    if (head->minor_version == 0) return Bad("Transfer-Encoding in an HTTP/1.0 request");
    if (!AsciiEqualsIgnoreCase(*coding, "chunked")) {
      return HeadFault{501, "unsupported Transfer-Encoding"};
    }
    head->framing = Framing::kChunked;
  }
  if (length) {
    std::optional<uint64_t> value = ParseUint(*length);
    // The top bit is kept free so that sums of sizes cannot wrap.
    if (!value || *value >> 63) return Bad("bad Content-Length");
    head->framing = Framing::kLength;
    head->content_length = *value;
  }
  return std::nullopt;
}

std::optional<HeadFault> ReadHost(RequestHead* head) {
  const std::string* host = nullptr;
  for (const auto& [name, value] : head->headers.fields()) {
    if (!AsciiEqualsIgnoreCase(name, "host")) continue;
    if (host) return Bad("more than one Host");
    host = &value;
  }
  if (!host && head->minor_version == 1) return Bad("missing Host");
  if (host) head->host = AsciiLower(*host);
  // Absolute form: its authority wins over Host (RFC 9112, 3.2.2).
  std::string& target = head->target;
  if (target[0] != '/' && target != "*") {
    size_t scheme = target.find("://");
    std::string lower = AsciiLower(target.substr(0, scheme));
    if (scheme == std::string::npos || (lower != "http" && lower != "https")) {
      return Bad("malformed request target");
    }
    size_t start = scheme + 3;
    size_t end = target.find_first_of("/?", start);
    head->host = AsciiLower(target.substr(start, end == std::string::npos ? end : end - start));
    if (head->host.empty()) return Bad("request target without a host");
    std::string rest = end == std::string::npos ? "" : target.substr(end);
    target = rest.starts_with('/') ? rest : "/" + rest;
  }
  if (target == "*" && head->method != "OPTIONS") return Bad("malformed request target");
  if (!head->host.empty() && !IsValidHost(head->host)) return Bad("bad Host");
  return std::nullopt;
}

std::optional<HeadFault> ReadConnection(RequestHead* head) {
  head->keep_alive = head->minor_version == 1;
  for (const auto& [name, value] : head->headers.fields()) {
    if (AsciiEqualsIgnoreCase(name, "connection")) {
      for (std::string_view option : Split(value, ',')) {
        if (AsciiEqualsIgnoreCase(TrimAscii(option), "close")) {
          head->keep_alive = false;
          return std::nullopt;
        }
        if (AsciiEqualsIgnoreCase(TrimAscii(option), "keep-alive")) head->keep_alive = true;
      }
    }
  }
  return std::nullopt;
}

std::optional<HeadFault> ReadExpect(RequestHead* head) {
  const std::string* expect = head->headers.Find("expect");
  if (!expect) return std::nullopt;
  if (!AsciiEqualsIgnoreCase(*expect, "100-continue")) return HeadFault{417, "unknown expectation"};
  // A 1.0 client must not get an interim response (RFC 9110, 10.1.1).
  head->expect_continue = head->minor_version == 1 && head->framing != Framing::kNone &&
                          !(head->framing == Framing::kLength && head->content_length == 0);
  return std::nullopt;
}

}  // namespace

std::optional<HeadFault> FindHeadEnd(std::string_view bytes, const HeadLimits& limits,
                                     size_t* scanned, size_t* head_bytes) {
  *head_bytes = 0;
  size_t at = *scanned;
  while (true) {
    const void* hit =
        at < bytes.size() ? std::memchr(bytes.data() + at, '\n', bytes.size() - at) : nullptr;
    if (!hit) break;
    at = static_cast<size_t>(static_cast<const char*>(hit) - bytes.data());
    if (at > limits.max_header_bytes) break;
    if (at == 0 || bytes[at - 1] != '\r') return Bad("bare LF in the request head");
    if (at >= 3 && bytes[at - 2] == '\n') {
      *head_bytes = at + 1;
      return std::nullopt;
    }
    ++at;
  }
  *scanned = bytes.size();
  if (bytes.size() <= limits.max_header_bytes) return std::nullopt;
  size_t line_end = bytes.find('\n');
  if (line_end == std::string_view::npos) return HeadFault{414, "request target is too long"};
  return HeadFault{431, "request head is too large"};
}

std::variant<RequestHead, HeadFault> ParseHead(std::string_view head, const HeadLimits& limits) {
  size_t line_end = head.find("\r\n");
  if (line_end == std::string_view::npos || !head.ends_with("\r\n\r\n")) {
    return Bad("incomplete request head");
  }
  if (auto fault = CheckRequestLine(head.substr(0, line_end), limits)) return *fault;
  if (auto fault = CheckLines(head, limits)) return *fault;

  thread_local Tokens tokens;  // keeps its buffer
  tokens.Clear();
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &Settings());
  parser.data = &tokens;
  llhttp_errno error = llhttp_execute(&parser, head.data(), head.size());
  if (error == HPE_INVALID_METHOD) return HeadFault{501, "unknown method"};
  if (!tokens.complete) return Bad(std::string("malformed request head"));

  RequestHead out;
  out.method = head.substr(0, head.find(' '));
  out.minor_version = parser.http_minor;
  out.target = tokens.target;
  if (out.target.empty()) return Bad("malformed request target");
  out.headers.Reserve(tokens.fields.size());
  for (const auto& [name, value] : tokens.fields) {
    out.headers.Add(std::string(name), std::string(TrimAscii(value)));
  }
  if (auto fault = ReadFraming(&out)) return *fault;
  if (auto fault = ReadHost(&out)) return *fault;
  if (auto fault = ReadConnection(&out)) return *fault;
  if (auto fault = ReadExpect(&out)) return *fault;
  return out;
}

bool IsValidHost(std::string_view host) {
  if (host.empty() || host.size() > 300) return false;
  size_t bracket = host.find(']');
  if (host[0] == '[') {
    if (bracket == std::string_view::npos) return false;
    for (char c : host.substr(1, bracket - 1)) {
      if (!std::isxdigit(static_cast<unsigned char>(c)) && c != ':' && c != '.') return false;
    }
    host.remove_prefix(bracket + 1);
    if (host.empty()) return true;
    if (host[0] != ':') return false;
  }
  size_t colon = host.find(':');
  if (!AllAre(kHostByte, host.substr(0, colon))) return false;
  if (colon == std::string_view::npos) return true;
  std::string_view port = host.substr(colon + 1);
  if (port.empty()) return true;
  std::optional<uint64_t> number = ParseUint(port);
  return number && *number <= 65535;
}

}  // namespace hearth::net
