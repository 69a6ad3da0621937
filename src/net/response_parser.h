// Reads HTTP/1.1 responses as a client sees them (RFC 9112), from bytes in any pieces: interim
// answers are skipped, chunks undone, sizes bounded. A plain value of one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace hearth::net {

class ChunkDecoder;

class ResponseParser {
 public:
  static constexpr size_t kMaxHeadBytes = 64 << 10;
  static constexpr size_t kMaxHeaders = 200;

  enum class Status {
    kNeedMore,  // all of the input is used up
    kHead,      // status() and headers() are there; called again for the body
    kData,      // `data` is a run of body bytes inside the input
    kDone,      // the response is over; input after `consumed` is not its own
    kBad,       // not HTTP, or past a limit; stays so
  };
  struct Step {
    Status status = Status::kNeedMore;
    size_t consumed = 0;
    std::string_view data;
  };

  ResponseParser();
  ~ResponseParser();
  Step Next(std::string_view input);
  // The peer closed: true when that ends the body of a response without a length.
  bool EndsHere() const { return state_ == State::kUntilClose; }

  int status() const { return status_; }
  const Headers& headers() const { return headers_; }
  // Of the body, when the head says it.
  std::optional<uint64_t> length() const { return length_; }
  // Whether another request may follow on the connection.
  bool keep_alive() const { return keep_alive_; }

 private:
  enum class State { kHead, kBody, kChunks, kUntilClose, kDone, kBad };
  Step TakeHead(std::string_view input);
  bool ParseHead(std::string_view head);
  bool Frame();

  State state_ = State::kHead;
  std::string head_;
  int status_ = 0;
  Headers headers_;
  std::optional<uint64_t> length_;
  uint64_t left_ = 0;
  bool keep_alive_ = true;
  std::unique_ptr<ChunkDecoder> chunks_;
};

}  // namespace hearth::net
