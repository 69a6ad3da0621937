#include "client/http_source.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::client {
namespace {

struct Url {
  Url() : handle(curl_url()) {}
  ~Url() { curl_url_cleanup(handle); }
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;
  std::string Part(CURLUPart part) const {
    char* text = nullptr;
    if (curl_url_get(handle, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "";
    std::string copy(text);
    curl_free(text);
    return copy;
  }
  CURLU* handle;
};

// "bytes 0-99/1234" -> 1234
std::optional<uint64_t> TotalOf(std::string_view content_range) {
  size_t slash = content_range.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  return ParseUint(TrimAscii(content_range.substr(slash + 1)));
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

}  // namespace

std::string OriginOf(const std::string& address) {
  Url url;
  if (curl_url_set(url.handle, CURLUPART_URL, address.c_str(), 0) != CURLUE_OK) return "";
  std::string scheme = AsciiLower(url.Part(CURLUPART_SCHEME));
  if (scheme != "http" && scheme != "https") return "";
  return scheme + "://" + AsciiLower(url.Part(CURLUPART_HOST)) + ":" + url.Part(CURLUPART_PORT);
}

struct HttpSource::Connection {
  Connection() : curl(curl_easy_init()) {
    if (curl == nullptr) throw Error(Code::kInternal, "libcurl cannot start");
  }
  ~Connection() { curl_easy_cleanup(curl); }
  CURL* curl;
};

struct HttpSource::Answer {
  long status = 0;
  std::string body;
  std::string content_range;
  std::string location;  // absolute
  uint64_t limit = 0;
  bool over = false;

  static size_t Write(char* data, size_t size, size_t n, void* self) {
    auto* answer = static_cast<Answer*>(self);
    if (answer->body.size() + size * n > answer->limit) {
      answer->over = true;
      return 0;
    }
    answer->body.append(data, size * n);
    return size * n;
  }
  static size_t Header(char* data, size_t size, size_t n, void* self) {
    std::string_view line(data, size * n);
    constexpr std::string_view kName = "content-range:";
    if (line.size() > kName.size() && AsciiEqualsIgnoreCase(line.substr(0, kName.size()), kName)) {
      static_cast<Answer*>(self)->content_range = TrimAscii(line.substr(kName.size()));
    }
    return size * n;
  }
};

HttpSource::HttpSource(const std::string& address, const HttpSourceOptions& options)
    : options_(options), address_(address), place_(address) {
  static const CURLcode kStarted = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (kStarted != CURLE_OK) throw Error(Code::kInternal, "libcurl cannot start");
  if (OriginOf(address).empty())
    throw Error(Code::kInvalidArgument, address + " is no http(s) address");
  connection_ = std::make_unique<Connection>();
  Answer answer = Request(0, options_.block_bytes);
  if (answer.status == 206) {
    std::optional<uint64_t> total = TotalOf(answer.content_range);
    if (!total) throw Error(Code::kUnavailable, address + " does not tell the size of the file");
    size_ = *total;
    if (answer.body.size() == std::min(options_.block_bytes, size_)) {
      blocks_.emplace(0, std::move(answer.body));
      order_.push_back(0);
    }
    return;
  }
  whole_ = true;
  whole_bytes_ = std::move(answer.body);
  size_ = whole_bytes_.size();
}

HttpSource::~HttpSource() = default;

// Bytes [begin, end), through redirects. The answer is 206, or 200 with the whole of a small file.
HttpSource::Answer HttpSource::Request(uint64_t begin, uint64_t end) {
  CURL* curl = connection_->curl;
  std::string place = place_;
  for (int hop = 0; hop <= options_.max_redirects; ++hop) {
    Answer answer;
    answer.limit = std::max(end - begin, options_.max_whole_bytes);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, place.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options_.connect_seconds));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stall_seconds));
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "hearth-inspect");
    std::string range = std::to_string(begin) + "-" + std::to_string(end - 1);
    curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Answer::Write);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, Answer::Header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
    bool with_token = !options_.token.empty() && OriginOf(place) == OriginOf(options_.token_origin);
    std::string bearer = "Authorization: Bearer " + options_.token;
    curl_slist* headers = with_token ? curl_slist_append(nullptr, bearer.c_str()) : nullptr;
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    fetched_ += answer.body.size();
    if (answer.over) {
      throw Error(Code::kUnimplemented,
                  place + " sends more than was asked for: it knows no ranges");
    }
    if (code == CURLE_OPERATION_TIMEDOUT) throw Error(Code::kTimeout, place + " is too slow");
    if (code != CURLE_OK) throw Error(Code::kUnavailable, place + ": " + curl_easy_strerror(code));
    if (answer.status >= 300 && answer.status < 400) {
      char* next = nullptr;
      curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &next);
      if (next == nullptr) throw Error(Code::kUnavailable, place + " redirects to nowhere");
      place = next;
      if (OriginOf(place).empty())
        throw Error(Code::kUnavailable, "a redirect leads to " + place.substr(0, 200));
      continue;
    }
    // A signed address may have run out: from the start once more.
    if (answer.status == 403 && place_ != address_) {
      place_ = place = address_;
      continue;
    }
    CheckStatus(answer.status, place);
    place_ = place;
    return answer;
  }
  throw Error(Code::kUnavailable, address_ + " redirects too often");
}

const std::string& HttpSource::Block(uint64_t index) {
  auto found = blocks_.find(index);
  if (found != blocks_.end()) return found->second;
  uint64_t begin = index * options_.block_bytes;
  uint64_t end = std::min(size_, begin + options_.block_bytes);
  Answer answer = Request(begin, end);
  if (answer.status != 206 || answer.body.size() != end - begin ||
      TotalOf(answer.content_range) != size_) {
    throw Error(Code::kUnavailable, address_ + " answers with another range than was asked for");
  }
  if (order_.size() >= options_.max_blocks) {
    blocks_.erase(order_.front());
    order_.pop_front();
  }
  order_.push_back(index);
  return blocks_.emplace(index, std::move(answer.body)).first->second;
}

void HttpSource::ReadAt(uint64_t offset, char* out, size_t n) {
  if (offset > size_ || n > size_ - offset)
    throw Error(Code::kInternal, "read past the end of the file");
  if (whole_) {
    std::memcpy(out, whole_bytes_.data() + offset, n);
    return;
  }
  while (n > 0) {
    const std::string& block = Block(offset / options_.block_bytes);
    size_t from = static_cast<size_t>(offset % options_.block_bytes);
    size_t piece = std::min(n, block.size() - from);
    std::memcpy(out, block.data() + from, piece);
    out += piece;
    offset += piece;
    n -= piece;
  }
}

}  // namespace hearth::client
