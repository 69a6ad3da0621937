#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "base/error.h"
#include "hub/sweep_lock.h"

namespace hearth::hub {

SweepLock::Guard SweepLock::Take(int operation) const {
  Guard guard(::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!guard.valid()) ThrowErrno("open " + file_.string());
  while (::flock(guard.get(), operation) != 0) {
    if (errno != EINTR) ThrowErrno("lock " + file_.string());
  }
  return guard;
}

SweepLock::Guard SweepLock::Shared() const { return Take(LOCK_SH); }
SweepLock::Guard SweepLock::Alone() const { return Take(LOCK_EX); }

}  // namespace hearth::hub
