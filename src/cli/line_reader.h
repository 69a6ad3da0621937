// Lines of a file or pipe as they arrive.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace hearth::cli {

// Thread rule: one thread. Borrows the descriptor.
class LineReader {
 public:
  // `before_waiting` is called when the next line is not there yet, so that a command can send what
  // it has made of those before: never while more is ready to be read.
  LineReader(int fd, std::function<void()> before_waiting)
      : fd_(fd), before_waiting_(std::move(before_waiting)) {}

  // The next line without its line feed; the end of the input ends the last one. False when there
  // is none. The view is valid until the next call. Throws Error when reading fails, and kTooLarge
  // for a line of more than a GiB.
  bool Next(std::string_view* line);

 private:
  bool ReadMore();

  int fd_;
  std::function<void()> before_waiting_;
  std::string buffer_;
  size_t begin_ = 0;  // of what is not given out yet
  size_t end_ = 0;    // of what was read
  bool at_end_ = false;
};

}  // namespace hearth::cli
