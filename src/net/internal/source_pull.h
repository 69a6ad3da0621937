// One range of a SeekableBody on its way out, a chunk at a time. The session keeps one chunk ahead:
// a worker fills `chunk` while the one before it is being written.
//
// Thread rule: Fill runs on a worker; everything else belongs to the owner between two fills.
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
  // that throws, ends early or gives too much leaves a failure(). Precondition: left() > 0.
  void Fill();
  const std::string& failure() const { return failure_; }
  // Bytes that no Fill has delivered yet.
  uint64_t left() const { return left_; }

  std::string chunk;
  bool full = false;     // `chunk` waits to be taken
  bool running = false;  // a worker fills it

 private:
  std::function<SeekableBody::Puller(uint64_t, uint64_t)> open_;
  SeekableBody::Puller next_;
  uint64_t start_;
  uint64_t end_;
  uint64_t left_;
  std::string failure_;
};

}  // namespace hearth::net
