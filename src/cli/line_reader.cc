#include "cli/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace hearth::cli {
namespace {

// A pipe holds 64 KiB; a file is read in fewer calls than anyone could measure.
constexpr size_t kReadBytes = 256 << 10;
constexpr size_t kMaxLineBytes = size_t{1} << 30;

}  // namespace

bool LineReader::Next(std::string_view* line) {
  for (size_t searched = begin_;;) {
    const char* from = buffer_.data() + searched;
    const void* found = end_ > searched ? std::memchr(from, '\n', end_ - searched) : nullptr;
    if (found != nullptr) {
      size_t at = static_cast<size_t>(static_cast<const char*>(found) - buffer_.data());
      *line = std::string_view(buffer_).substr(begin_, at - begin_);
      begin_ = at + 1;
      return true;
    }
    size_t kept = end_ - begin_;
    if (kept > kMaxLineBytes) throw Error(Code::kTooLarge, "a line is longer than 1 GiB");
    if (!at_end_ && ReadMore()) {
      searched = begin_ + kept;
      continue;
    }
    *line = std::string_view(buffer_).substr(begin_, kept);
    begin_ = end_;
    return kept > 0;
  }
}

bool LineReader::ReadMore() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() - end_ < kReadBytes) {
    buffer_.resize(std::max(buffer_.size() * 2, end_ + kReadBytes));
  }
  pollfd ready = {fd_, POLLIN, 0};
  if (::poll(&ready, 1, 0) == 0) before_waiting_();
  ssize_t count;
  do {
    count = ::read(fd_, buffer_.data() + end_, buffer_.size() - end_);
  } while (count < 0 && errno == EINTR);
  if (count < 0) ThrowErrno("read the input");
  end_ += static_cast<size_t>(count);
  at_end_ = count == 0;
  return count > 0;
}

}  // namespace hearth::cli
