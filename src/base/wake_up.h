// Waking a thread that waits for a descriptor, and waking several at once.
//
// A thread that is woken may take the core from the one that woke it. Who has results for many
// others holds the wake-ups back until it has handed out all of them (HeldWakeUps): that is one
// change of threads instead of one for each.
#pragma once

#include <memory>

#include "base/file.h"

namespace hearth {

// An eventfd. Thread-safe.
class WakeUp {
 public:
  WakeUp();  // throws Error when the kernel has no more descriptors
  // Readable from the first Ring on; each Ring is an edge.
  int fd() const { return event_.get(); }
  void Ring() const;

 private:
  UniqueFd event_;
};

// Rings now or, while this thread holds wake-ups back, when it no longer does.
void RingSoon(const std::shared_ptr<const WakeUp>& wake_up);

// While the outermost one of a thread lives, the thread's RingSoon waits. For short stretches:
// those who are to be woken lose the time.
class HeldWakeUps {
 public:
  HeldWakeUps();
  ~HeldWakeUps();
  HeldWakeUps(const HeldWakeUps&) = delete;
  HeldWakeUps& operator=(const HeldWakeUps&) = delete;
};

}  // namespace hearth
