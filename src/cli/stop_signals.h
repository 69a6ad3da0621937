// How a command that serves until it is told to end waits for that.
#pragma once

#include <signal.h>

namespace hearth::cli {

// SIGTERM and SIGINT, held back from this thread and those that it starts later: to be made before
// all of them, the log's too. A peer that leaves (SIGPIPE) no longer ends the program either.
class StopSignals {
 public:
  StopSignals();
  // The number of the first of the two that arrives.
  int Wait() const;

 private:
  sigset_t signals_;
};

}  // namespace hearth::cli
