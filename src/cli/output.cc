#include "cli/output.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace hearth::cli {
namespace {

// stdio remembers that a write failed, not why, and drops what it could not write. errno tells it
// right after; later it may be of another call, hence only what a write can say is believed.
constexpr int kWriteFaults[] = {ENOSPC, EDQUOT, EFBIG, EPIPE, EBADF, ENOTCONN, ECONNRESET};

int first_fault = 0;

}  // namespace

bool OutputFailed() {
  if (std::ferror(stdout) == 0 && !std::cout.bad()) return false;
  if (first_fault == 0) {
    bool known = std::count(std::begin(kWriteFaults), std::end(kWriteFaults), errno) > 0;
    first_fault = known ? errno : EIO;
  }
  return true;
}

void CheckOutput() {
  if (OutputFailed()) throw OutputError(Code::kInternal, "standard output has failed");
}

void FlushOutput() {
  if (!OutputFailed()) {
    std::cout.flush();
    std::fflush(stdout);
  }
  CheckOutput();
}

int FinishOutput(int exit_code) {
  try {
    FlushOutput();
    return exit_code;
  } catch (const OutputError&) {
    if (first_fault != EPIPE) {
      std::fprintf(stderr, "hearth: standard output: %s\n", std::strerror(first_fault));
    }
    return exit_code == 0 ? 1 : exit_code;
  }
}

}  // namespace hearth::cli
