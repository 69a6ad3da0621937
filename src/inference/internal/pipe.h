// The body of one answer between the loop that reads it from the worker and the connection that
// sends it to the client. Bounded by its owner, who is told when it has run empty. Thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace hearth::inference {

class Pipe {
 public:
  // More than this should not lie in it: the writer pauses.
  static constexpr size_t kFullBytes = 256 << 10;

  // True when the pipe is full: the writer should hold on.
  bool Write(std::string_view bytes);
  void End();
  // The content breaks off: the reader's next Read throws.
  void Break();

  // What net::StreamBody's `next` and `wait` are.
  bool Read(std::string* chunk);
  void Wait(std::function<void()> ready);
  // Called by Read when it has emptied a pipe that was full.
  void set_on_drained(std::function<void()> drained) { drained_ = std::move(drained); }

 private:
  template <typename Action>
  void Change(Action action);

  std::mutex mutex_;
  std::string bytes_;
  bool ended_ = false, broken_ = false, was_full_ = false;
  std::function<void()> ready_, drained_;
};

}  // namespace hearth::inference
