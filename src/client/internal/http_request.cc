#include "client/internal/http_request.h"

#include <curl/curl.h>

#include <exception>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::client {
namespace {

// A server that drips must not hold its reader for ever: a block then takes minutes at most.
constexpr long kMinBytesPerSecond = 512;

}  // namespace

struct HttpConnection::Incoming {
  HttpAnswer answer;
  uint64_t limit = 0;
  bool over = false;
  CURL* curl = nullptr;
  const Sink* sink = nullptr;  // null: the body is kept in the answer
  std::exception_ptr thrown;   // by the sink: not through C code

  static size_t Write(char* data, size_t size, size_t n, void* self) {
    auto* incoming = static_cast<Incoming*>(self);
    if (incoming->sink != nullptr) return incoming->Pass({data, size * n}) ? size * n : 0;
    if (incoming->answer.body.size() + size * n > incoming->limit) {
      incoming->over = true;
      return 0;
    }
    incoming->answer.body.append(data, size * n);
    return size * n;
  }
  bool Pass(std::string_view piece) {
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    if (answer.status != 200 && answer.status != 206) return true;
    try {
      over = !(*sink)(answer, piece);
    } catch (...) {
      thrown = std::current_exception();
    }
    return !over && !thrown;
  }
  static size_t Header(char* data, size_t size, size_t n, void* self) {
    std::string_view line(data, size * n);
    auto keep = [line](std::string_view name, std::string* out) {
      if (line.size() > name.size() && AsciiEqualsIgnoreCase(line.substr(0, name.size()), name))
        *out = TrimAscii(line.substr(name.size()));
    };
    HttpAnswer& answer = static_cast<Incoming*>(self)->answer;
    keep("content-range:", &answer.content_range);
    keep("link:", &answer.link);
    return size * n;
  }
};

struct HttpConnection::Handle {
  Handle() : curl(curl_easy_init()) {
    if (curl == nullptr) throw Error(Code::kInternal, "libcurl cannot start");
  }
  ~Handle() { curl_easy_cleanup(curl); }
  CURL* curl;
};

HttpConnection::HttpConnection() {
  static const CURLcode kStarted = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (kStarted != CURLE_OK) throw Error(Code::kInternal, "libcurl cannot start");
  handle_ = std::make_unique<Handle>();
}
HttpConnection::~HttpConnection() = default;

HttpAnswer HttpConnection::Get(const std::string& place, const std::string& range,
                               uint64_t max_bytes, const HttpSourceOptions& options) {
  Incoming incoming;
  incoming.limit = max_bytes;
  return Perform(place, range, &incoming, options);
}

HttpAnswer HttpConnection::Stream(const std::string& place, const std::string& range,
                                  const Sink& sink, const HttpSourceOptions& options) {
  Incoming incoming;
  incoming.sink = &sink;
  return Perform(place, range, &incoming, options);
}

HttpAnswer HttpConnection::Perform(const std::string& place, const std::string& range,
                                   Incoming* incoming, const HttpSourceOptions& options) {
  CURL* curl = handle_->curl;
  incoming->curl = curl;
  curl_easy_reset(curl);
  curl_easy_setopt(curl, CURLOPT_URL, place.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_seconds));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kMinBytesPerSecond);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_seconds));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "hearth");
  if (!range.empty()) curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Incoming::Write);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, incoming);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, Incoming::Header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, incoming);
  bool with_token = !options.token.empty() && OriginOf(place) == OriginOf(options.token_origin);
  std::string bearer = "Authorization: Bearer " + options.token;
  curl_slist* headers = with_token ? curl_slist_append(nullptr, bearer.c_str()) : nullptr;
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  CURLcode code = curl_easy_perform(curl);
  curl_slist_free_all(headers);
  if (incoming->thrown) std::rethrow_exception(incoming->thrown);
  HttpAnswer& answer = incoming->answer;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  if (incoming->over) {
    throw Error(Code::kUnimplemented, place + (range.empty() ? " sends too much"
                                                             : " sends more than was asked for: it "
                                                               "knows no ranges"));
  }
  if (code == CURLE_OPERATION_TIMEDOUT) throw Error(Code::kTimeout, place + " is too slow");
  if (code != CURLE_OK) throw Error(Code::kUnavailable, place + ": " + curl_easy_strerror(code));
  if (answer.status < 300 || answer.status >= 400) return answer;
  char* next = nullptr;
  curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &next);
  if (next == nullptr) throw Error(Code::kUnavailable, place + " redirects to nowhere");
  answer.location = next;
  if (OriginOf(answer.location).empty())
    throw Error(Code::kUnavailable, "a redirect leads to " + answer.location.substr(0, 200));
  return answer;
}

std::string EscapePath(std::string_view text, std::string_view keep) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || std::string_view("-._~").find(c) != std::string_view::npos ||
        keep.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

void CheckStatus(long status, const std::string& address) {
  if (status == 200 || status == 206) return;
  std::string what = address + " answers " + std::to_string(status);
  switch (status) {
    case 401:
      throw Error(Code::kUnauthenticated, what + ": it needs a token (HF_TOKEN with HF_ENDPOINT)");
    case 403:
      throw Error(Code::kForbidden, what);
    case 404:
      throw Error(Code::kNotFound, what);
    case 416:
      throw Error(Code::kRangeNotSatisfiable, what);
    default:
      throw Error(Code::kUnavailable, what);
  }
}

}  // namespace hearth::client
