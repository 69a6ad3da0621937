#include "net/response_parser.h"

#include <algorithm>

#include "base/bytes.h"
#include "net/internal/chunk_decoder.h"

namespace hearth::net {
namespace {

bool IsToken(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool IsValue(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

}  // namespace

ResponseParser::ResponseParser() = default;
ResponseParser::~ResponseParser() = default;

ResponseParser::Step ResponseParser::Next(std::string_view input) {
  switch (state_) {
    case State::kHead:
      return TakeHead(input);
    case State::kBody: {
      if (left_ == 0) {
        state_ = State::kDone;
        return {Status::kDone, 0, {}};
      }
      if (input.empty()) return {};
      size_t take = static_cast<size_t>(std::min<uint64_t>(left_, input.size()));
      left_ -= take;
      return {Status::kData, take, input.substr(0, take)};
    }
    case State::kChunks: {
      ChunkDecoder::Step step = chunks_->Next(input);
      switch (step.status) {
        case ChunkDecoder::Status::kNeedMore:
          return {Status::kNeedMore, step.consumed, {}};
        case ChunkDecoder::Status::kData:
          return {Status::kData, step.consumed, step.data};
        case ChunkDecoder::Status::kDone:
          state_ = State::kDone;
          return {Status::kDone, step.consumed, {}};
        case ChunkDecoder::Status::kBad:
          break;
      }
      state_ = State::kBad;
      return {Status::kBad, 0, {}};
    }
    case State::kUntilClose:
      if (input.empty()) return {};
      return {Status::kData, input.size(), input};
    case State::kDone:
      return {Status::kDone, 0, {}};
    case State::kBad:
      break;
  }
  return {Status::kBad, 0, {}};
}

ResponseParser::Step ResponseParser::TakeHead(std::string_view input) {
  size_t before = head_.size();
  // The end may lie across the pieces.
  size_t from = before < 3 ? 0 : before - 3;
  head_.append(input.substr(0, kMaxHeadBytes + 4 - std::min(before, kMaxHeadBytes)));
  size_t end = head_.find("\r\n\r\n", from);
  if (end == std::string::npos) {
    if (head_.size() <= kMaxHeadBytes) return {Status::kNeedMore, input.size(), {}};
    state_ = State::kBad;
    return {Status::kBad, 0, {}};
  }
  size_t consumed = end + 4 - before;
  head_.resize(end + 2);
  bool good = ParseHead(head_);
  std::string().swap(head_);
  if (!good || status_ == 101 || (status_ >= 200 && !Frame())) {
    state_ = State::kBad;
    return {Status::kBad, 0, {}};
  }
  if (status_ >= 200) return {Status::kHead, consumed, {}};
  Step next = TakeHead(input.substr(consumed));
  next.consumed += consumed;
  return next;
}

// `head` is whole lines, each with its end.
bool ResponseParser::ParseHead(std::string_view head) {
  headers_ = {};
  size_t line_end = head.find("\r\n");
  std::string_view line = head.substr(0, line_end);
  bool minor_known = line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ");
  if (!minor_known || line.size() < 12 || (line.size() > 12 && line[12] != ' ')) return false;
  std::optional<uint64_t> code = ParseUint(line.substr(9, 3));
  if (!code || *code < 100) return false;
  status_ = static_cast<int>(*code);
  keep_alive_ = line[7] == '1';
  head.remove_prefix(line_end + 2);
  for (size_t count = 0; !head.empty(); ++count) {
    line_end = head.find("\r\n");
    line = head.substr(0, line_end);
    head.remove_prefix(line_end + 2);
    size_t colon = line.find(':');
    if (count == kMaxHeaders || colon == std::string_view::npos) return false;
    std::string_view value = TrimAscii(line.substr(colon + 1));
    if (!IsToken(line.substr(0, colon)) || !IsValue(value)) return false;
    headers_.Add(std::string(line.substr(0, colon)), std::string(value));
  }
  return true;
}

// How the body ends; false when the head does not say it clearly.
bool ResponseParser::Frame() {
  std::string connection = AsciiLower(headers_.Get("connection"));
  if (connection == "close") keep_alive_ = false;
  if (connection == "keep-alive") keep_alive_ = true;
  const std::string* coding = headers_.Find("transfer-encoding");
  const std::string* length = headers_.Find("content-length");
  if (status_ == 204 || status_ == 304) {
    state_ = State::kBody;
    length_ = 0;
    return true;
  }
  if (coding != nullptr) {
    // Both together are how responses are smuggled.
    if (length != nullptr || !AsciiEqualsIgnoreCase(*coding, "chunked")) return false;
    chunks_ = std::make_unique<ChunkDecoder>();
    state_ = State::kChunks;
    return true;
  }
  if (length != nullptr) {
    for (const auto& [name, value] : headers_.fields()) {
      if (AsciiEqualsIgnoreCase(name, "content-length") && value != *length) return false;
    }
    length_ = ParseUint(*length);
    if (!length_) return false;
    left_ = *length_;
    state_ = State::kBody;
    return true;
  }
  keep_alive_ = false;
  state_ = State::kUntilClose;
  return true;
}

}  // namespace hearth::net
