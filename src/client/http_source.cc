#include "client/http_source.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "client/internal/http_request.h"

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

// "bytes 0-99/1234" -> 1234, when the range begins at `begin`.
std::optional<uint64_t> TotalOf(std::string_view content_range, uint64_t begin) {
  constexpr std::string_view kUnit = "bytes ";
  size_t slash = content_range.rfind('/');
  if (slash == std::string_view::npos || !content_range.starts_with(kUnit)) return std::nullopt;
  std::string_view range = content_range.substr(kUnit.size(), slash - kUnit.size());
  if (ParseUint(TrimAscii(range.substr(0, range.find('-')))) != begin) return std::nullopt;
  return ParseUint(TrimAscii(content_range.substr(slash + 1)));
}

}  // namespace

std::string OriginOf(const std::string& address) {
  Url url;
  if (curl_url_set(url.handle, CURLUPART_URL, address.c_str(), 0) != CURLUE_OK) return "";
  std::string scheme = AsciiLower(url.Part(CURLUPART_SCHEME));
  if (scheme != "http" && scheme != "https") return "";
  return scheme + "://" + AsciiLower(url.Part(CURLUPART_HOST)) + ":" + url.Part(CURLUPART_PORT);
}

HttpSource::HttpSource(const std::string& address, const HttpSourceOptions& options)
    : options_(options), address_(address), place_(address) {
  if (OriginOf(address).empty())
    throw Error(Code::kInvalidArgument, address + " is no http(s) address");
  connection_ = std::make_unique<HttpConnection>();
  HttpAnswer answer = Request(0, options_.block_bytes);
  if (answer.status == 206) {
    std::optional<uint64_t> total = TotalOf(answer.content_range, 0);
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
HttpAnswer HttpSource::Request(uint64_t begin, uint64_t end) {
  std::string range = std::to_string(begin) + "-" + std::to_string(end - 1);
  uint64_t limit = std::max(end - begin, options_.max_whole_bytes);
  std::string place = place_;
  for (int hop = 0; hop <= options_.max_redirects; ++hop) {
    HttpAnswer answer = connection_->Get(place, range, limit, options_);
    fetched_ += answer.body.size();
    if (!answer.location.empty()) {
      place = answer.location;
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
  HttpAnswer answer = Request(begin, end);
  if (answer.status != 206 || answer.body.size() != end - begin ||
      TotalOf(answer.content_range, begin) != size_) {
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
