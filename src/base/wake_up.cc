#include "base/wake_up.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/error.h"

namespace hearth {
namespace {

struct Held {
  int depth = 0;
  std::vector<std::shared_ptr<const WakeUp>> wake_ups;
};
thread_local Held held;

}  // namespace

WakeUp::WakeUp() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_.valid()) ThrowErrno("eventfd");
}

void WakeUp::Ring() const {
  uint64_t one = 1;
  while (::write(event_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void RingSoon(const std::shared_ptr<const WakeUp>& wake_up) {
  if (held.depth == 0) return wake_up->Ring();
  auto& waiting = held.wake_ups;
  if (std::find(waiting.begin(), waiting.end(), wake_up) == waiting.end()) {
    waiting.push_back(wake_up);
  }
}

HeldWakeUps::HeldWakeUps() { ++held.depth; }

HeldWakeUps::~HeldWakeUps() {
  if (--held.depth > 0) return;
  for (const auto& wake_up : std::exchange(held.wake_ups, {})) wake_up->Ring();
}

}  // namespace hearth
