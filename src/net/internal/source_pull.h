// One range of a SeekableBody on its way out, a chunk at a time: a worker fills `chunk` and sends
// it; what the socket does not take is left to the session.
//
// Thread rule: one owner at a time, the worker that fills and sends or the session's loop.
#pragma once

#include <cstdint>
#include <string>

#include "net/http.h"

namespace hearth::net {

class SourcePull {
 public:
  SourcePull(const SeekableBody& body, uint64_t start, uint64_t end)
      : open_(body.open), start_(start), end_(end), left_(end - start) {}

  // Puts the next bytes into `chunk`, whose capacity it uses again; blocks. Never throws: a source
  // that throws, ends early or gives too much leaves a failure(). Precondition: left() > 0 and
  // nothing is pending.
  void Fill();
  const std::string& failure() const { return failure_; }
  // Bytes that no Fill has delivered yet.
  uint64_t left() const { return left_; }

  bool pending() const { return sent < chunk.size(); }

  std::string chunk;
  size_t sent = 0;  // bytes of `chunk` that are on their way

 private:
  std::function<SeekableBody::Puller(uint64_t, uint64_t)> open_;
  SeekableBody::Puller next_;
  uint64_t start_;
  uint64_t end_;
  uint64_t left_;
  std::string failure_;
};

}  // namespace hearth::net
