// Undoes "Transfer-Encoding: chunked" (RFC 9112, section 7.1), strictly: sizes are bare hex digits,
// every line ends in CRLF, extensions and trailers are bounded and dropped. Feed it bytes in any
// pieces. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hearth::net {

class ChunkDecoder {
 public:
  enum class Status {
    kNeedMore,  // all of the input is used up
    kData,      // `data` is a run of body bytes inside the input
    kDone,      // the last chunk and the trailers are over; input after `consumed` is not ours
    kBad        // malformed; the decoder stays bad
  };
  struct Step {
    Status status = Status::kNeedMore;
    size_t consumed = 0;
    std::string_view data;
  };
  Step Next(std::string_view input);

 private:
  enum class State {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailer,
    kTrailerLf,
    kEndLf,
    kDone,
    kBad
  };
  State Advance(char c);

  State state_ = State::kSize;
  uint64_t remaining_ = 0;
  int digits_ = 0;
  size_t overhead_ = 0;  // extension and trailer bytes so far
};

}  // namespace hearth::net
