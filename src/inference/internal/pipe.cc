#include "inference/internal/pipe.h"

#include <utility>

#include "base/error.h"

namespace hearth::inference {

// The waiting reader is called outside the lock.
template <typename Action>
void Pipe::Change(Action action) {
  std::function<void()> ready;
  {
    std::lock_guard lock(mutex_);
    action();
    ready = std::exchange(ready_, nullptr);
  }
  if (ready) ready();
}

bool Pipe::Write(std::string_view bytes) {
  bool full = false;
  Change([&] {
    bytes_ += bytes;
    full = bytes_.size() >= kFullBytes;
    was_full_ = was_full_ || full;
  });
  return full;
}

void Pipe::End() {
  Change([&] { ended_ = true; });
}

void Pipe::Break() {
  Change([&] { ended_ = broken_ = true; });
}

bool Pipe::Read(std::string* chunk) {
  bool more, drained;
  {
    std::lock_guard lock(mutex_);
    if (chunk->empty()) {
      std::swap(*chunk, bytes_);
    } else {
      *chunk += std::exchange(bytes_, {});
    }
    if (chunk->empty() && broken_) throw Error(Code::kInternal, "the worker broke off its answer");
    // The end of a broken one is told by the throw above.
    more = !ended_ || broken_;
    drained = std::exchange(was_full_, false);
  }
  if (drained && drained_) drained_();
  return more;
}

void Pipe::Wait(std::function<void()> ready) {
  {
    std::lock_guard lock(mutex_);
    if (bytes_.empty() && !ended_) {
      ready_ = std::move(ready);
      return;
    }
  }
  ready();
}

}  // namespace hearth::inference
