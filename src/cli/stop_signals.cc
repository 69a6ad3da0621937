#include "cli/stop_signals.h"

#include <pthread.h>

namespace hearth::cli {

StopSignals::StopSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

int StopSignals::Wait() const {
  int number = 0;
  sigwait(&signals_, &number);
  return number;
}

}  // namespace hearth::cli
